package tensor

import "peft/tensor/internal/backend"

// BlockMatMul is x times the block-diagonal matrix of blocks: with x [N×G·k] and blocks [G×k×m] the result is [N×G·m], and columns g·k to (g+1)·k of x meet block g alone.
func BlockMatMul(x, blocks *Tensor) *Tensor {
	if len(blocks.shape) != 3 || x.Cols() != blocks.Rows() {
		misfit("BlockMatMul", "x [N×G·k] and blocks [G×k×m]", x, blocks)
	}
	groups, k, m := blocks.shape[0], blocks.shape[1], blocks.shape[2]
	out := output(append(append([]int{}, x.shape[:len(x.shape)-1]...), groups*m), x, blocks)
	for g := range groups {
		out.Device().MatMul(columns(out.mat(), g, m), columns(x.mat(), g, k), block(blocks.mat(), g, k), 1, 0)
	}
	return record("BlockMatMul", out, []*Tensor{x, blocks}, crossKeep(x, blocks), func(f *flow) {
		dy := f.dy.mat()
		f.to(x, func(dst backend.Mat, beta float64) {
			for g := range groups {
				f.dev().MatMul(columns(dst, g, k), columns(dy, g, m), block(blocks.mat(), g, k).T(), 1, beta)
			}
		})
		f.to(blocks, func(dst backend.Mat, beta float64) {
			for g := range groups {
				f.dev().MatMul(block(dst, g, k), columns(x.mat(), g, k).T(), columns(dy, g, m), 1, beta)
			}
		})
	})
}

// columns are n columns of a matrix, counted in groups of as many.
func columns(a backend.Mat, group, n int) backend.Mat {
	return a.Slice(0, a.Rows, group*n, (group+1)*n)
}

// block is n rows of a matrix, counted in groups of as many.
func block(a backend.Mat, group, n int) backend.Mat { return a.Slice(group*n, (group+1)*n, 0, a.Cols) }
