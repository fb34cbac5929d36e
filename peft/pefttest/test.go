package pefttest

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/peft"
	"peft/tensor"
)

// Want is what a method is expected to do on a [Model]. The zero value but for Trained is a method that starts as the identity, folds and has a file format.
type Want struct {
	Trained   int  // the number of trained parameters, by the published formula
	Different bool // a fresh patch changes the model
	Nearly    bool // a fresh patch changes the model by rounding errors
	Stays     bool // it cannot be folded into weights
	NoFile    bool // it has no file format

	Detached []string // ends of the names of parameters whose gradient is not the derivative of the loss, as something counts as a constant by the method's definition
}

// The relative errors that different orders of summation may make on the small model: a few hundred roundings of each type of number.
const (
	error32 = 5e-5
	error64 = 1e-12
)

// A bench is what the laws are tried on.
type bench struct {
	*testing.T
	method peft.Method
	want   Want
	model  *Model
	fast   *tensor.Device
	exact  *tensor.Device
}

// Test tries all laws on a method. t.Run names each law that is broken.
func Test(t *testing.T, m peft.Method, want Want) {
	b := bench{t, m, want, NewModel(1), tensor.CPU(2), tensor.Reference()}
	for _, law := range []struct {
		name string
		try  func(bench)
	}{
		{"identity", bench.identity}, {"purity", bench.purity}, {"gradient", bench.gradient}, {"fold", bench.fold}, {"undo", bench.undo}, {"fuse", bench.fuse}, {"collapse", bench.collapse}, {"rows", bench.rows}, {"file", bench.file},
		{"route", bench.route}, {"repeat", bench.repeat}, {"concurrency", bench.concurrency}, {"count", bench.count},
	} {
		t.Run(law.name, func(t *testing.T) {
			b := b
			b.T = t
			law.try(b)
		})
	}
}

// fresh is a patch as the method makes it.
func (b bench) fresh(d *tensor.Device) *peft.Patch {
	q, err := peft.Attach(d, b.model, b.method, 7)
	require.NoError(b, err)
	return q
}

// moved is a patch whose trained parameters have been moved away from their start.
func (b bench) moved(d *tensor.Device, seed uint64) *peft.Patch {
	q, rng := b.fresh(d), rand.New(rand.NewPCG(seed, 1))
	for x := range q.Params() {
		if !x.Fixed {
			for _, t := range x.Pool {
				shift(t, peft.Normal(rng, t.Len(), learning), 1)
			}
		}
	}
	return q
}

// shift adds step·by to a parameter.
func shift(t *tensor.Tensor, by []float64, step float64) {
	v := t.Float64s()
	for i := range v {
		v[i] += step * by[i]
	}
	t.Assign(v)
}

// logits are those of some of the sequences in evaluation mode.
func (b bench) logits(d *tensor.Device, numbers []int, patches ...*peft.Patch) []float64 {
	p := peft.With(d, patches...).NoGrad()
	defer p.Close()
	return b.model.Forward(p, batchOf(numbers...)).Float64s()
}

var all = []int{0, 1, 2}

// step is the loss and the gradients of one pass, by parameter name.
func (b bench) step(p *peft.Pass, q *peft.Patch) (loss float64, grads map[string][]float64) {
	value := b.model.loss(p, batchOf(all...))
	g := tensor.Backward(value)
	defer g.Release()
	grads = map[string][]float64{}
	n := 0
	for x := range q.Params() {
		for _, t := range x.Pool {
			if dx := g.Of(t); dx != nil {
				grads[x.Name] = append(grads[x.Name], dx.Float64s()...)
				n++
			}
		}
	}
	require.Equal(b, g.Len(), n, "a gradient of something that is no parameter of the patch")
	return value.Item(), grads
}

// near wants two results to differ by rounding only.
func (b bench) near(want, got []float64, tolerance float64) {
	b.Helper()
	require.Len(b, got, len(want))
	size := 0.0
	for _, w := range want {
		size = max(size, w, -w)
	}
	require.InDeltaSlice(b, want, got, tolerance*size)
}
