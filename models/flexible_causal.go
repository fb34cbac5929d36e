package models

import (
	"peft/peft"
	"peft/tensor"
)

// classified is the last row of each sequence that is not padding, which a decoder classifies; of a tagger all rows.
func (f *flexible) classified(x *tensor.Tensor, b *Batch, c *Config) *tensor.Tensor {
	if f.of.Type == "tagging" {
		return x
	}
	return lasts(x, b, c.PadID)
}

// unpooled is what comes of a pooler that the base has not.
func unpooled(_ *peft.Pass, x *tensor.Tensor) *tensor.Tensor { return firsts(x) }

// GPT2AdapterModel is GPT-2 with a head of AdapterHub's library.
type GPT2AdapterModel struct {
	*GPT2    `name:"transformer"`
	flexible `name:""`
}

// Forward is logits [sequences×labels], or [rows×labels] of a tagger.
func (m *GPT2AdapterModel) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	return m.flexible.forward(p, m.classified(m.GPT2.Forward(p, b), b, m.config), unpooled)
}

// Task is what the head is for.
func (m *GPT2AdapterModel) Task() Task { return m.flexible.Task() }

// LlamaAdapterModel is Llama, or one of its kin, with a head of AdapterHub's library.
type LlamaAdapterModel struct {
	*Llama   `name:"model"`
	flexible `name:""`
}

// Forward is logits [sequences×labels], or [rows×labels] of a tagger.
func (m *LlamaAdapterModel) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	return m.flexible.forward(p, m.classified(m.Llama.Forward(p, b), b, m.config), unpooled)
}

// Task is what the head is for.
func (m *LlamaAdapterModel) Task() Task { return m.flexible.Task() }
