package tensor

import "peft/tensor/internal/backend"

// Gated is f(x)∘y, elementwise: what a gated feed-forward network puts through its last map (Shazeer 2020, arXiv:2002.05202). f(x) is not kept but made again in the backward pass.
func Gated(f Func, x, y *Tensor) *Tensor {
	if !sameShape(x.shape, y.shape) {
		misfit("Gated", "equal shapes", x, y)
	}
	out := output(x.shape, x, y)
	d, rows, cols := out.Device(), out.Rows(), out.Cols()
	d.Unary(f, out.mat(), x.mat())
	d.Binary(backend.Mul, out.mat(), out.mat(), y.mat(), 0)
	return record("Gated", out, []*Tensor{x, y}, []*Tensor{x, y}, func(g *flow) {
		g.temp(rows, cols, func(gate backend.Mat) {
			d.Unary(f, gate, x.mat())
			g.to(y, func(dst backend.Mat, beta float64) { d.Binary(backend.Mul, dst, g.dy.mat(), gate, beta) })
			g.to(x, func(dst backend.Mat, beta float64) {
				g.temp(rows, cols, func(t backend.Mat) {
					d.Binary(backend.Mul, t, g.dy.mat(), y.mat(), 0)
					d.UnaryGrad(f, dst, x.mat(), gate, t, beta)
				})
			})
		})
	})
}
