package lora

import (
	"fmt"
	"math"
	"strings"

	"peft/peft"
	"peft/tensor"
	"peft/tensor/optim"
)

// FA is LoRA-FA (Zhang et al. 2023, arXiv:2308.03303): A stays as it is, and B's gradient becomes the one for which B·A comes closest to what full fine-tuning would do,
//
//	g ← g·(A·Aᵀ)⁻¹/s²
//
// before AdamW takes its step, in the form that Hugging Face PEFT gives it: Eps is added before the second moment's correction, and weights decay after the step.
type FA struct {
	LR    float64 // learning rate
	Decay float64 // weight decay
}

// Rule freezes the A's of a patch that a [Config] made, so that no gradient is formed for them, and returns how its other parameters are updated.
func (c FA) Rule(q *peft.Patch) (func(x *peft.Param) optim.Rule, error) {
	method, ok := q.Method().(Config)
	if !ok {
		return nil, fmt.Errorf("lora: LoRA-FA trains patches of LoRA, not of %T", q.Method())
	}
	near := map[*peft.Param]*tensor.Tensor{}
	for x := range q.Params() {
		site, field, _ := strings.Cut(x.Name, "/")
		switch field {
		case "lora_embedding_A":
			return nil, fmt.Errorf("lora: LoRA-FA does not train the update of an embedding: %s", site)
		case "lora_A":
			x.Freeze()
			_, scale, err := method.scale(site)
			if err != nil {
				return nil, err
			}
			near[q.Param(site+"/lora_B")] = metric(x.Tensor(), scale)
		}
	}
	return func(x *peft.Param) optim.Rule {
		return faRule{optim.AdamW{LR: c.LR, Decay: c.Decay, Eps: 1e-6}, near[x]}
	}, nil
}

// metric is (A·Aᵀ + 10⁻⁸·I)⁻¹/s² [r×r].
func metric(a *tensor.Tensor, scale float64) *tensor.Tensor {
	r := a.Rows()
	small := make([]float64, r*r)
	for i := range r {
		small[i*r+i] = 1e-8
	}
	gram := tensor.Add(tensor.MatMulT(a, a), a.Device().Constant(small, r, r))
	return tensor.Reshape(tensor.Scale(tensor.Inverse(tensor.Reshape(gram, 1, r, r)), 1/(scale*scale)), r, r)
}

// faRule is AdamW after a change of the gradient; of none where near is nil.
type faRule struct {
	optim.AdamW
	near *tensor.Tensor
}

// Update does one step. √v + Eps without correction is √(v/(1−β₂ᵗ)) + Eps/√(1−β₂ᵗ) with it, but for a common factor.
func (r faRule) Update(param, grad *tensor.Tensor, moments []*tensor.Tensor, at optim.Stroke) {
	if r.near != nil {
		grad = tensor.MatMul(grad, r.near)
	}
	decay := r.Decay
	r.Decay, r.Eps = 0, r.Eps/math.Sqrt(1-math.Pow(0.999, float64(at.Step)))
	r.AdamW.Update(param, grad, moments, at)
	if decay > 0 {
		param.Blend(1-r.LR*at.Factor*decay, 0, param)
	}
}
