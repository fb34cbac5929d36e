package tensor

import "peft/tensor/internal/backend"

// A Rotary turns pairs of numbers of a head by an angle that grows with the position: rotary positions (Su et al. 2021, arXiv:2104.09864).
type Rotary struct {
	Freq        []float64 // angle of each pair at position 1; the first 2·len(Freq) numbers of a head are turned
	Scale       float64   // factor on all of them; 0 means 1
	Interleaved bool      // pairs are (0,1), (2,3), … rather than (0,n), (1,n+1), …
}

// Rotate turns each head of x [N×heads·size] by its row's position.
func Rotate(x *Tensor, heads int, r Rotary) *Tensor {
	if x.layout == nil || heads < 1 || x.Cols()%heads != 0 || 2*len(r.Freq) > x.Cols()/heads {
		misfit("Rotate", "a layout, and heads of "+sprint(2*len(r.Freq))+" numbers at least", x)
	}
	spec := &backend.Rotary{Heads: heads, Dim: 2 * len(r.Freq), Freq: r.Freq, Scale: r.Scale, Pos: x.layout.Pos, Interleaved: r.Interleaved}
	if spec.Scale == 0 {
		spec.Scale = 1
	}
	out := output(x.shape, x)
	out.Device().Rotate(out.mat(), x.mat(), spec, false, 0)
	return record("Rotate", out, []*Tensor{x}, nil, func(f *flow) {
		f.to(x, func(dst backend.Mat, beta float64) { f.dev().Rotate(dst, f.dy.mat(), spec, true, beta) })
	})
}
