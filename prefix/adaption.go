package prefix

import (
	"fmt"
	"slices"
	"strings"

	"peft/peft"
	"peft/tensor"
)

// An Adaption is LLaMA-Adapter (Zhang et al. 2023, arXiv:2303.16199): in the attentions of the last blocks, V rows of the stream's width that the block's own maps turn to keys and values, with a
// softmax of their own and a gate g, a number for each block:
//
//	softmax(q·kᵀ/√size + mask)·v + g·softmax(q·(P·Wkᵀ)ᵀ/√size)·(P·Wvᵀ)
//
// The gate starts at zero, so a fresh patch changes nothing. Rows take no position and no part in rotation.
type Adaption struct {
	Tokens int  `json:"adapter_len"`    // V, at least 1
	Layers int  `json:"adapter_layers"` // how many blocks, counted from the last
	Head   bool `json:"head"`           // train the model's head whole
}

// adaptions are the model types whose attention Hugging Face PEFT adapts in this way, with the name of its module.
var adaptions = map[string]string{"llama": "self_attn", "mistral": "self_attn"}

func init() {
	for _, name := range []string{"ADAPTION_PROMPT", "adaption_prompt"} {
		peft.Register(name, decodeAdaption)
	}
}

func decodeAdaption(text []byte) (peft.Method, error) {
	f := struct {
		Adaption
		Modules string `json:"target_modules"`
	}{Adaption: Adaption{Tokens: 10, Layers: 1}}
	if err := peft.DecodeConfig(text, &f); err != nil {
		return nil, err
	}
	if f.Modules != "" && f.Modules != "self_attn" {
		return nil, fmt.Errorf("target_modules is %q, expected \"self_attn\"", f.Modules)
	}
	return f.Adaption, nil
}

// Attach adds the rows' part to what attentions put out.
func (c Adaption) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	all := slices.Collect(s.Attentions())
	if _, ok := adaptions[s.ModelType()]; !ok {
		return nil, fmt.Errorf("prefix: LLaMA-Adapter is for llama and mistral, not for %q", s.ModelType())
	}
	if err := first(within("Tokens", c.Tokens, 1, mostTokens), within("Layers", c.Layers, 1, len(all))); err != nil {
		return nil, err
	}
	q := peft.NewPatch(s)
	for _, a := range all[len(all)-c.Layers:] {
		d, err := adaptionOf(s, a)
		if err != nil {
			return nil, err
		}
		d.rows = q.NewParam(a.Name()+"/adaption_prompt", peft.Normal(rng, c.Tokens*d.key.In, 1), 1, c.Tokens, d.key.In)
		d.gate = q.NewParam(a.Name()+"/adaption_gate", nil, 1)
		q.Add(a, peft.Out, d)
	}
	if c.Head {
		q.TrainHead()
	}
	return q, nil
}

// Config is the configuration that Hugging Face PEFT reads.
func (c Adaption) Config(s *peft.Sites) (map[string]any, error) {
	return map[string]any{"peft_type": "ADAPTION_PROMPT", "adapter_len": c.Tokens, "adapter_layers": c.Layers, "target_modules": adaptions[s.ModelType()]}, nil
}

// Key is a parameter's name in adapter_model.safetensors: ATTENTION.adaption_prompt and the like, or that of the base's own parameter.
func (c Adaption) Key(q *peft.Patch, x *peft.Param) string {
	if site, field, own := strings.Cut(x.Name, "/"); own {
		return peft.Wrapper + site + "." + field
	}
	return q.BaseKey(x)
}

// adaption is g·softmax(q·kᵀ/√size)·v with keys and values of V rows, for every query.
type adaption struct {
	rows, gate *peft.Param
	key, value *peft.Linear
	site       *peft.Attention
}

// adaptionOf finds the maps of an attention's block.
func adaptionOf(s *peft.Sites, a *peft.Attention) (*adaption, error) {
	d := &adaption{site: a}
	for l := range s.Linears() {
		switch {
		case l.Layer() != a.Layer():
		case l.Role == peft.Key:
			d.key = l
		case l.Role == peft.Value:
			d.value = l
		case l.Role == peft.Output && !l.B.Absent:
			return nil, fmt.Errorf("prefix: %s has a bias, which Hugging Face PEFT adds twice: LLaMA-Adapter is not supported there", l.Name())
		}
	}
	if d.key == nil || d.value == nil {
		return nil, fmt.Errorf("prefix: the block of %s has no maps to keys and values", a.Name())
	}
	return d, nil
}

// Forward is the rows' part of the attention.
func (d *adaption) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	rows := d.rows.In(p)
	n, batch := rows.Shape()[1], t.Q.Layout().Sequences()
	rows = tensor.Reshape(rows, n, rows.Cols())
	lengths, each := make([]int, batch), make([]int32, 0, batch*n)
	for i := range lengths {
		lengths[i] = n
		for j := range n {
			each = append(each, int32(j))
		}
	}
	layout := tensor.NewLayout(lengths...)
	through := func(l *peft.Linear) *tensor.Tensor {
		return tensor.GatherRows(p.Matrix(l.W).Linear(rows, tensor.Affine{Bias: p.Vector(l.B)}), each, layout)
	}
	y := tensor.Attend(t.Q, through(d.key), through(d.value), tensor.Attention{Heads: d.site.Heads, KVHeads: d.site.KVHeads})
	return tensor.Mul(y, tensor.Reshape(d.gate.In(p), 1, 1))
}
