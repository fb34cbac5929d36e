package pefttest

import (
	"encoding/binary"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/stretchr/testify/require"

	"peft/peft"
	"peft/tensor"
)

// identity: a fresh patch changes nothing, to the bit, unless it is a method whose start only cancels out, or that starts elsewhere.
func (b bench) identity() {
	for _, at := range b.devices() {
		base, patched := b.logits(at.Device, all), b.logits(at.Device, all, b.fresh(at.Device))
		switch {
		case b.want.Different:
			require.NotEqual(b, base, patched)
		case b.want.Nearly:
			b.near(base, patched, at.tolerance)
		default:
			require.Equal(b, base, patched)
		}
	}
}

// a machine is a device with the relative error that its numbers may have.
type machine struct {
	*tensor.Device
	tolerance float64
}

func (b bench) devices() []machine { return []machine{{b.fast, error32}, {b.exact, error64}} }

// purity: forward, backward and merge leave the base as it is.
func (b bench) purity() {
	before := b.hash()
	q := b.moved(b.fast, 1)
	p := peft.With(b.fast, q)
	p.Train = true
	_, grads := b.step(p, q)
	p.Close()
	require.NotEmpty(b, grads)
	_, _ = peft.Merge(b.fast, b.model, q)
	require.Equal(b, before, b.hash())
}

// hash is one of every number of the base.
func (b bench) hash() uint64 {
	h := fnv.New64a()
	for f := range b.fresh(b.exact).Sites().Params() {
		for _, v := range f.Values(b.exact) {
			_ = binary.Write(h, binary.LittleEndian, math.Float64bits(v))
		}
	}
	return h.Sum64()
}

// gradient: the gradient along a random direction is the fourth-order central difference of the loss, in evaluation and, with the same draws each time, in training.
func (b bench) gradient() {
	q := b.moved(b.exact, 2)
	for _, train := range []bool{false, true} {
		grads := b.gradients(q, train)
		for x := range q.Params() {
			if !x.Fixed && !slices.ContainsFunc(b.want.Detached, func(end string) bool { return strings.HasSuffix(x.Name, end) }) {
				b.slope(q, x, grads, train)
			}
		}
	}
}

// slope compares the gradient by one parameter, by all tensors of a pool at once, with differences of the loss.
func (b bench) slope(q *peft.Patch, x *peft.Param, grads map[*tensor.Tensor][]float64, train bool) {
	const step = 5e-4
	rng, along := rand.New(rand.NewPCG(5, 5)), map[*tensor.Tensor][]float64{}
	got := 0.0
	for _, t := range x.Pool {
		along[t] = peft.Normal(rng, t.Len(), 1)
		for i, g := range grads[t] {
			got += g * along[t][i]
		}
	}
	loss := func(k float64) float64 {
		for _, t := range x.Pool {
			shift(t, along[t], k*step)
			defer shift(t, along[t], -k*step)
		}
		return b.evaluate(q, train)
	}
	want := (8*(loss(1)-loss(-1)) - (loss(2) - loss(-2))) / (12 * step)
	require.InDelta(b, want, got, 1e-6*max(1, math.Abs(want)), "%s, training: %v", x.Name, train)
}

// pass is one whose draws are always the same.
func (b bench) pass(q *peft.Patch, train bool) *peft.Pass {
	p := peft.With(b.exact, q)
	p.Train, p.Seed = train, 17
	return p
}

// gradients are those of one pass, by tensor; what no gradient reaches has none.
func (b bench) gradients(q *peft.Patch, train bool) map[*tensor.Tensor][]float64 {
	p := b.pass(q, train)
	defer p.Close()
	g := tensor.Backward(b.model.loss(p, batchOf(all...)))
	defer g.Release()
	values := map[*tensor.Tensor][]float64{}
	for x := range q.Params() {
		for _, t := range x.Pool {
			if dx := g.Of(t); dx != nil {
				values[t] = dx.Float64s()
			}
		}
	}
	return values
}

func (b bench) evaluate(q *peft.Patch, train bool) float64 {
	p := b.pass(q, train).NoGrad()
	defer p.Close()
	return b.model.loss(p, batchOf(all...)).Item()
}

// fold: merged, the patch computes what it computed beside the model.
func (b bench) fold() {
	for _, at := range b.devices() {
		q := b.moved(at.Device, 3)
		merged, err := peft.Merge(at.Device, b.model, q)
		if b.want.Stays {
			require.Error(b, err)
			continue
		}
		require.NoError(b, err)
		b.near(b.logits(at.Device, all, q), b.logits(at.Device, all, merged), at.tolerance)
	}
}

// undo: a pass without the merged patch is the base again.
func (b bench) undo() {
	before := b.logits(b.fast, all)
	if merged, err := peft.Merge(b.fast, b.model, b.moved(b.fast, 4)); err == nil {
		b.logits(b.fast, all, merged)
	}
	require.Equal(b, before, b.logits(b.fast, all))
}

// fuse: a site that computes its own product and what is added to it in one kernel computes what it does one after the other, in value and in all gradients.
func (b bench) fuse() {
	for _, at := range b.devices() {
		q := b.moved(at.Device, 11)
		apart := peft.NewPatch(q.Sites())
		for l := range q.Sites().Linears() {
			apart.Add(l, peft.Out, nothing{})
		}
		b.near(b.logits(at.Device, all, q, apart), b.logits(at.Device, all, q), at.tolerance)
		b.near(b.slopes(at.Device, q, apart), b.slopes(at.Device, q), at.tolerance)
	}
}

// slopes are the gradients by all parameters of q, with other patches beside it. They are compared as one, since what cancels out in one of them is as large as another.
func (b bench) slopes(d *tensor.Device, q *peft.Patch, more ...*peft.Patch) (all []float64) {
	p := peft.With(d, append([]*peft.Patch{q}, more...)...)
	defer p.Close()
	_, grads := b.step(p, q)
	for _, name := range slices.Sorted(maps.Keys(grads)) {
		all = append(all, grads[name]...)
	}
	return all
}

// nothing is a delta that adds zero, as a value of its own.
type nothing struct{}

func (nothing) Forward(_ *peft.Pass, t peft.Tap) *tensor.Tensor { return tensor.Scale(t.Y, 0) }

// collapse: the final form of the patch computes the same.
func (b bench) collapse() {
	for _, at := range b.devices() {
		q := b.moved(at.Device, 12)
		final, err := peft.Collapse(q)
		require.NoError(b, err)
		b.near(b.logits(at.Device, all, q), b.logits(at.Device, all, final), at.tolerance)
	}
}

// file: what is saved is loaded, in its final form.
func (b bench) file() {
	if b.want.NoFile {
		b.Skip("the method has no file format")
	}
	dir, q := b.TempDir()+"/patch", b.moved(b.fast, 5)
	require.NoError(b, peft.Save(dir, q, peft.Info{}))
	got, report, err := peft.Load(q.Sites(), dir)
	require.NoError(b, err)
	require.Empty(b, report.Missing)
	require.Empty(b, report.Unexpected)
	final, err := peft.Collapse(q)
	require.NoError(b, err)
	for x := range final.Params() {
		require.NotNil(b, got.Param(x.Name), x.Name)
		require.Equal(b, x.Tensor().Float64s(), got.Param(x.Name).Tensor().Float64s(), x.Name)
	}
	require.Equal(b, b.logits(b.fast, all, q), b.logits(b.fast, all, got))
}

// route: each row of a mixed batch is what it is alone with its own patch, or with none.
func (b bench) route() {
	one, two := b.moved(b.exact, 6), b.moved(b.exact, 7)
	p := peft.With(b.exact, one, two).NoGrad().Route([]int{1, -1, 0})
	defer p.Close()
	var alone []float64
	for i, patches := range [][]*peft.Patch{{two}, nil, {one}} {
		alone = append(alone, b.logits(b.exact, []int{i}, patches...)...)
	}
	b.near(alone, b.model.Forward(p, batchOf(all...)).Float64s(), error64)
}

// repeat: the draws of training are a function of the pass's seed, whether blocks are kept or computed again.
func (b bench) repeat() {
	q := b.moved(b.fast, 8)
	run := func(recompute bool) (float64, map[string][]float64) {
		p := peft.With(b.fast, q)
		defer p.Close()
		p.Train, p.Recompute, p.Seed = true, recompute, 99
		return b.step(p, q)
	}
	loss, grads := run(false)
	again, regrads := run(true)
	require.Equal(b, loss, again)
	require.Equal(b, grads, regrads)
}

// concurrency: goroutines with different patches, and with one, over one base compute what each computes alone.
func (b bench) concurrency() {
	patches := []*peft.Patch{b.moved(b.fast, 9), b.moved(b.fast, 10), b.moved(b.fast, 9)}
	patches = append(patches, patches[0])
	var wait sync.WaitGroup
	got := make([][]float64, len(patches))
	for i, q := range patches {
		wait.Go(func() { got[i] = b.logits(b.fast, all, q) })
	}
	wait.Wait()
	for i, q := range patches {
		require.Equal(b, b.logits(b.fast, all, q), got[i])
	}
}

// count: the published formula gives the number of trained parameters.
func (b bench) count() {
	require.Equal(b, b.want.Trained, b.fresh(b.fast).Trainable())
}
