package lora

import (
	"fmt"
	"strings"

	"peft/peft"
	"peft/tensor"
	"peft/tensor/safetensors"
)

// The ends of the names of the small form: the numbers of the vectors that are mixed, and their shares but for the last, which is the rest of 1.
const (
	smallIndices = "_topk_indices"
	smallShares  = "_topk_weights"
)

// Restore takes the numbers of the vectors from a file that has the small form.
func (c VBLoRA) Restore(w *safetensors.File) (peft.Method, error) {
	if !c.Small {
		return c, nil
	}
	c.filed = map[string][]int32{}
	for t := range w.All() {
		name, ok := strings.CutSuffix(strings.TrimPrefix(t.Name, peft.Wrapper), smallIndices)
		if !ok {
			continue
		}
		wide, err := t.Ints()
		if err != nil {
			return nil, err
		}
		at := strings.LastIndexByte(name, '.')
		name = name[:at] + "/" + name[at+1:]
		c.filed[name] = make([]int32, len(wide))
		for i, v := range wide {
			if v < 0 || v >= int64(c.Vectors) {
				return nil, fmt.Errorf("%s holds %d, must be the number of one of %d vectors", t.Name, v, c.Vectors)
			}
			c.filed[name][i] = int32(v)
		}
	}
	return c, nil
}

// shares makes the parameter of the small form that stands for logits. It is not trained: the logits of all other vectors are lost.
func (c VBLoRA) shares(q *peft.Patch, name string, rows, cols int) (*peft.Param, error) {
	best := c.filed[name]
	if len(best) != rows*cols*c.TopK {
		return nil, fmt.Errorf("the file mixes %d vectors in %s, expected %d", len(best), name, rows*cols*c.TopK)
	}
	x := q.NewFixed(name+smallShares, nil, rows, cols, c.TopK-1)
	x.Places = best
	return x, nil
}

// allShares are shares [rows × k−1] with the last, which is the rest of 1.
func allShares(p *peft.Pass, x *tensor.Tensor, rows, k int) *tensor.Tensor {
	if k == 1 {
		return tensor.Shift(p.Scope().Tensor(nil, rows, 1), 1)
	}
	x = tensor.Reshape(x, rows, k-1)
	rest := tensor.Shift(tensor.Scale(tensor.SumCols(x), -1), 1)
	return tensor.Transpose(tensor.Stack(nil, tensor.Transpose(x), tensor.Transpose(rest)))
}

// Indices are the numbers of the vectors that a parameter of the small form mixes.
func (c VBLoRA) Indices(_ *peft.Patch, x *peft.Param) safetensors.Tensor {
	name := strings.TrimSuffix(x.Name, smallShares)
	shape := x.Tensor().Shape()
	return safetensors.I32(peft.Wrapper+strings.Replace(name, "/", ".", 1)+smallIndices, []int{shape[0], shape[1], c.TopK}, x.Places)
}

// Collapse is the small form, where files are to have it.
func (c VBLoRA) Collapse(p *peft.Pass, q *peft.Patch) (peft.Method, map[string]*tensor.Tensor) {
	if !c.Small || c.filed != nil {
		return nil, nil
	}
	c = c.withDefaults()
	c.filed = map[string][]int32{}
	values := map[string]*tensor.Tensor{}
	for x := range q.Params() {
		if _, field, own := strings.Cut(x.Name, "/"); own && strings.HasPrefix(field, "vblora_logits_") {
			best, shares := topShares(x.In(p), c.TopK)
			c.filed[x.Name] = best
			values[x.Name+smallShares] = tensor.Columns(shares, 0, c.TopK-1)
		}
	}
	return c, values
}
