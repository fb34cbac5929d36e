package lora

import (
	"cmp"
	"fmt"
	"math"

	"peft/peft"
	"peft/tensor"
)

// C3A updates a linear map by circulant blocks (Chen et al. 2024, arXiv:2407.19342): with a kernel w [b] for each block, its entry in row j and column t is
//
//	ΔW[j][t] = w[(t − j) mod b]/in
type C3A struct {
	Common  `json:"-"`
	Block   int             `json:"block_size"`         // b, which divides both sides of the map
	Pattern peft.PatternMap `json:"block_size_pattern"` // b of single sites, by name
	Init    Init            `json:"init_weights"`       // zeros, or Gaussian, XavierUniform or KaimingUniform, which change the model; Random is XavierUniform
}

// Two more ways to start [C3A]: uniform within ±√(6/(in+out)), and within ±1/√in.
const (
	XavierUniform  Init = "xavier_uniform"
	KaimingUniform Init = "kaiming_uniform"
)

var c3a = kind{name: "C3A", bias: true}

func init() { register(c3a, decoder(c3a, C3A{Block: 256, Init: XavierUniform})) }

// Attach puts an update at each chosen map.
func (c C3A) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.attach(c3a, s, func(q *peft.Patch, l *peft.Linear) error {
		b := c.block(l.Name())
		if b < 1 || l.In%b != 0 || l.Out%b != 0 {
			return fmt.Errorf("blocks of %d do not make a matrix of %v", b, l.W.Shape)
		}
		d := &circulant{in: l.In, out: l.Out, block: b}
		d.kernel = q.NewParam(l.Name()+"/c3a_kernel", c.start(rng, l), l.Out/b, l.In/b, b)
		q.Add(l, peft.Out, &product{update: d.update})
		return nil
	})
}

func (c C3A) check() error {
	return cmp.Or(atLeast("Block", c.Block, 1), c.Common.check(c3a), c.Init.check(Gaussian, XavierUniform, KaimingUniform))
}

func (c C3A) block(name string) int {
	if v, ok := c.Pattern.Lookup(name); ok {
		return int(v)
	}
	return c.Block
}

func (c C3A) start(rng peft.Rand, l *peft.Linear) []float64 {
	n := l.In * l.Out / c.block(l.Name())
	switch c.Init {
	case Gaussian:
		return peft.Normal(rng, n, 1)
	case XavierUniform, Random:
		return peft.Uniform(rng, n, math.Sqrt(6/float64(l.In+l.Out)))
	case KaimingUniform:
		return peft.Uniform(rng, n, 1/math.Sqrt(float64(l.In)))
	}
	return nil
}

// Config is the configuration that Hugging Face PEFT reads.
func (c C3A) Config(s *peft.Sites) (map[string]any, error) { return c3a.write(c.Common, s, c) }

// circulant is the kernels [out/b × in/b × b] of one map.
type circulant struct {
	kernel         *peft.Param
	in, out, block int
}

// update lays out the kernels, each turned by one place more from row to row.
func (d *circulant) update(p *peft.Pass) *tensor.Tensor {
	b, kernels := d.block, d.kernel.Len()/d.block
	twice := make([]int32, 2*kernels)
	for i := range twice {
		twice[i] = int32(i / 2)
	}
	doubled := tensor.Reshape(tensor.GatherRows(tensor.Reshape(d.kernel.In(p), kernels, b), twice, nil), kernels, 2*b)
	turned := make([]*tensor.Tensor, b)
	for j := range turned {
		turned[j] = tensor.Columns(doubled, b-j, 2*b-j)
	}
	rows := swap(tensor.Stack(nil, turned...), 1, b, d.out/b) // from (j, block row, block column) to (block row, j, block column)
	return tensor.Scale(tensor.Reshape(rows, d.out, d.in), 1/float64(d.in))
}
