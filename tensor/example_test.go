package tensor_test

import (
	"fmt"

	"peft/tensor"
)

// A gradient is a value: Backward returns it, and no tensor carries one.
func Example() {
	d := tensor.Reference()
	x := d.Param([]float64{1, 2, 3}, 3)
	loss := tensor.Sum(tensor.Mul(x, x))
	grads := tensor.Backward(loss)
	fmt.Println(loss.Item(), grads.Of(x).Float64s())
	// Output: 14 [2 4 6]
}

// A frozen weight costs no gradient; a product of low rank beside it is what is trained.
func ExampleWeight_Linear() {
	d := tensor.CPU(0)
	w := tensor.WeightOf([]float32{1, 0, 0, 1, 1, 1}, 3, 2)
	a, b := d.Param([]float64{1, -1}, 1, 2), d.Param([]float64{0, 0, 0}, 3, 1)

	s := tensor.NewScope(d)
	defer s.Close()
	x := s.Tensor([]float64{2, 5}, 1, 2)
	y := w.Linear(x, tensor.Affine{Low: &tensor.LowRank{X: x, A: a, B: b, Scale: 2}})
	grads := tensor.Backward(tensor.Sum(y))
	fmt.Println(y.Float64s(), "gradient by B:", grads.Of(b).Float64s())
	// Output: [2 5 7] gradient by B: [-6 -6 -6]
}

// Sequences of different lengths lie below each other, without padding.
func ExampleLayout() {
	d := tensor.Reference()
	x := d.Constant([]float64{1, 3, 10, 20, 30}, 5, 1).WithLayout(tensor.NewLayout(2, 3))
	fmt.Println(x.Layout().Pos, tensor.MeanRows(x).Float64s())
	// Output: [0 1 0 1 2] [2 20]
}

// Rows without a label are not scored.
func ExampleCrossEntropy() {
	logits := tensor.Reference().Constant([]float64{0, 0, 3, -3}, 2, 2)
	fmt.Printf("%.4f\n", tensor.CrossEntropy(logits, []int32{1, tensor.Ignore}).Item())
	// Output: 0.6931
}

// Try turns the panic of a misfit into an error.
func ExampleTry() {
	d := tensor.Reference()
	err := tensor.Try(func() error {
		tensor.MatMul(d.Constant(nil, 2, 3), d.Constant(nil, 2, 3))
		return nil
	})
	fmt.Println(err)
	// Output: tensor: MatMul: got [2 3] and [2 3], want equal inner sizes
}

// A checkpointed block keeps nothing of what it makes but its result, and is computed again for the gradient.
func ExampleScope_Checkpoint() {
	d := tensor.Reference()
	w := d.Param([]float64{0.5}, 1)
	s := tensor.NewScope(d)
	defer s.Close()
	y := s.Checkpoint(s.Tensor([]float64{3}, 1), func(in *tensor.Scope, x *tensor.Tensor) *tensor.Tensor {
		return tensor.Apply(tensor.Square, tensor.Mul(x, in.Use(w)))
	})
	fmt.Println(y.Item(), tensor.Backward(tensor.Sum(y)).Of(w).Item())
	// Output: 2.25 9
}
