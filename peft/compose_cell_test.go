package peft_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/adapter"
	"peft/lora"
	"peft/peft"
	"peft/tensor"
)

// TestCellsOfCompositions wants the closed forms of compositions of adapters that read and add differently: the first says what all read, and the last how what comes out joins the model; a
// stack within another composition reads anew what that has read.
func TestCellsOfCompositions(t *testing.T) {
	m := newBlocks()
	a := m.trained(t, adapter.Config{Name: "a", Reduction: 2}, 1)
	b := m.trained(t, adapter.Config{Name: "b", Reduction: 3, Residual: adapter.ToInput}, 2)
	c := m.trained(t, adapter.Config{Name: "c", Reduction: 2, Input: adapter.Stream}, 3)
	stream, branch := []float64{1, 2, 3, 4, 5, 6}, []float64{.5, -1, .25, 2, -.5, 1}
	out := func(q *peft.Patch) []float64 {
		p := with(q)
		defer p.Close()
		row := func(v []float64) *tensor.Tensor { return p.Scope().Tensor(v, 1, wide).WithLayout(tensor.NewLayout(1)) }
		return m.Fed.Apply(p, row(stream), row(stream), row(branch)).Float64s()
	}
	value := func(q *peft.Patch, h []float64) []float64 { // A(h)
		name := func(field string) []float64 { return q.Param("Fed/" + field).Tensor().Float64s() }
		down := affine(name("adapter_down.0.weight"), name("adapter_down.0.bias"), h)
		for i, v := range down {
			down[i] = max(v, 0)
		}
		return affine(name("adapter_up.weight"), name("adapter_up.bias"), down)
	}
	stack := func(patches ...*peft.Patch) *peft.Patch {
		q, err := peft.Stack(patches...)
		require.NoError(t, err)
		return q
	}
	h := sums(stream, branch)

	near(t, sums(stream, value(c, stream), branch), out(stack(a, c))) // what a makes is lost
	after := value(c, stream)
	near(t, sums(stream, value(a, sums(stream, after)), after), out(stack(c, a))) // and so is the branch here

	mean, err := peft.Average([]float64{0.25, 0.75}, a, b)
	require.NoError(t, err)
	near(t, sums(stream, branch, scaled(0.25, value(a, h)), scaled(0.75, value(b, h))), out(mean)) // b reads and adds as a does

	inner, err := peft.Average([]float64{0.25, 0.75}, a, stack(m.trained(t, adapter.Config{Name: "d", Reduction: 2}, 4)))
	require.NoError(t, err)
	d := m.trained(t, adapter.Config{Name: "d", Reduction: 2}, 4)
	near(t, sums(stream, scaled(0.25, sums(branch, value(a, h))), scaled(0.75, sums(h, value(d, sums(stream, h))))), out(inner)) // d reads anew
}

// TestCellsBesideNothing wants a composition without an adapter at a sublayer to let pass what the first adapter beside it reads, and a fusion to be a cell.
func TestCellsBesideNothing(t *testing.T) {
	m := newBlocks()
	a, b, c := m.trained(t, adapter.Config{Name: "a", Reduction: 2}, 1), m.trained(t, adapter.Config{Name: "b", Reduction: 3}, 2), m.trained(t, adapter.Config{Name: "c", Input: adapter.Stream}, 3)
	stack := func(patches ...*peft.Patch) *peft.Patch {
		q, err := peft.Stack(patches...)
		require.NoError(t, err)
		return q
	}
	average := func(w float64, x, y *peft.Patch) *peft.Patch {
		q, err := peft.Average([]float64{w, 1 - w}, x, y)
		require.NoError(t, err)
		return q
	}
	fed := func(q *peft.Patch) []float64 {
		p := with(q)
		defer p.Close()
		x := p.Scope().Tensor(peft.Normal(rand.New(rand.NewPCG(5, 5)), 3*wide, 1), 3, wide).WithLayout(tensor.NewLayout(1, 2))
		return m.Fed.Apply(p, x, x, tensor.Scale(x, 0.5)).Float64s()
	}
	nothing := stack(m.trained(t, lora.Hub{Name: "n", Rank: 1}, 4))
	x := peft.Normal(rand.New(rand.NewPCG(5, 5)), 3*wide, 1)
	near(t, sums(scaled(0.25, fed(a)), scaled(0.75*2.5, x)), fed(average(0.25, a, nothing)))

	fusion, err := peft.Fuse(m.trained(t, adapter.Fusion{Of: []*peft.Patch{a, b}}, 5))
	require.NoError(t, err)
	near(t, fed(c), fed(stack(fusion, c))) // what the fusion makes is lost
}

// affine is W·x + b.
func affine(w, b, x []float64) []float64 {
	y := slices.Clone(b)
	for i := range y {
		for j, v := range x {
			y[i] += w[i*len(x)+j] * v
		}
	}
	return y
}

func sums(of ...[]float64) []float64 {
	y := make([]float64, len(of[0]))
	for _, x := range of {
		for i, v := range x {
			y[i] += v
		}
	}
	return y
}

func scaled(s float64, x []float64) []float64 {
	y := slices.Clone(x)
	for i := range y {
		y[i] *= s
	}
	return y
}
