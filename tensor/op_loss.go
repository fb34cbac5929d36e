package tensor

import "peft/tensor/internal/backend"

// Ignore is the label of a row that is not scored.
const Ignore = -100

// CrossEntropy is the mean over the rows with a label of −log softmax(logits)[label], a scalar. Rows labelled [Ignore] are left out; if all
// are, it is NaN as in PyTorch, and no gradient flows. Labels must be below the number of columns.
func CrossEntropy(logits *Tensor, labels []int32) *Tensor {
	if len(labels) != logits.Rows() {
		misfit("CrossEntropy", sprint(len(labels))+" rows, one a label", logits)
	}
	return crossEntropy(logits, labels, checkLabels(labels, logits.Cols()))
}

// crossEntropy is the sum over the rows with a label, divided by the number of all that are scored, here or elsewhere.
func crossEntropy(logits *Tensor, labels []int32, scored int) *Tensor {
	lse := output([]int{logits.Rows(), 1}, logits)
	each := output([]int{logits.Rows(), 1}, logits)
	d := each.Device()
	d.CrossEntropy(each.mat(), lse.mat(), logits.mat(), labels)
	out := output(nil, logits)
	d.Sum(out.mat(), each.mat(), 0)
	d.Axpby(out.mat(), 1/float64(scored), out.mat(), 0)
	if scored == 0 {
		return out
	}
	return record("CrossEntropy", out, []*Tensor{logits}, []*Tensor{logits, lse}, func(f *flow) {
		f.temp(1, 1, func(g backend.Mat) {
			f.dev().Axpby(g, 1/float64(scored), f.dy.mat(), 0)
			g.Rows, g.RowStride = logits.Rows(), 0
			f.to(logits, func(dst backend.Mat, beta float64) {
				f.dev().CrossEntropyGrad(dst, logits.mat(), lse.mat(), g, labels, beta)
			})
		})
	})
}

func checkLabels(labels []int32, classes int) (scored int) {
	for _, y := range labels {
		switch {
		case y == Ignore:
			continue
		case y < 0 || int(y) >= classes:
			panic(&ShapeError{Op: "CrossEntropy", Got: "label " + sprint(y), Want: "a label below " + sprint(classes) + ", or Ignore"})
		}
		scored++
	}
	return scored
}
