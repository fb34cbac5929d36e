package lora

import (
	"strings"

	"peft/peft"
	"peft/tensor/optim"
)

// Plus is LoRA+ (Hayou et al. 2024, arXiv:2402.12354): AdamW with a higher learning rate for B than for A. Its Rule is one for a training loop:
//
//	train.Config{Rule: lora.Plus{LR: 1e-4, Ratio: 16}.Rule}
type Plus struct {
	LR        float64 // learning rate of A and of other matrices
	Ratio     float64 // that of B, and of all vectors, is so many times as high
	Embedding float64 // learning rate of what adapts embeddings; 0 means 1e-6
	Decay     float64 // weight decay, not of biases and norms
}

// Rule is how a parameter is updated.
func (c Plus) Rule(x *peft.Param) optim.Rule {
	_, field, own := strings.Cut(x.Name, "/")
	vector := len(x.Tensor().Shape()) == 1
	rule := optim.AdamW{LR: c.LR, Decay: c.Decay}
	switch {
	case strings.HasPrefix(field, "lora_embedding"):
		rule.LR = c.Embedding
		if c.Embedding == 0 {
			rule.LR = 1e-6
		}
	case field == "lora_B" || vector:
		rule.LR = c.LR * c.Ratio
	}
	if vector && !own || strings.Contains(x.Name, "bias") {
		rule.Decay = 0
	}
	return rule
}
