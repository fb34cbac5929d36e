package pefttest

import (
	"encoding/binary"
	"hash/fnv"
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

// gradient: the gradient along a random direction is the fourth-order central difference of the loss.
func (b bench) gradient() {
	const step = 1e-3
	q, rng := b.moved(b.exact, 2), rand.New(rand.NewPCG(5, 5))
	p := peft.With(b.exact, q)
	_, grads := b.step(p, q)
	p.Close()
	for x := range q.Params() {
		if x.Fixed || slices.ContainsFunc(b.want.Detached, func(end string) bool { return strings.HasSuffix(x.Name, end) }) {
			continue
		}
		t, along := x.Tensor(), peft.Normal(rng, x.Tensor().Len(), 1)
		loss := func(k float64) float64 {
			shift(t, along, k*step)
			defer shift(t, along, -k*step)
			return b.evaluate(q)
		}
		want := (8*(loss(1)-loss(-1)) - (loss(2) - loss(-2))) / (12 * step)
		got := 0.0
		for i, g := range grads[x.Name] {
			got += g * along[i%len(along)]
		}
		require.InDelta(b, want, got, 1e-6*max(1, math.Abs(want)), x.Name)
	}
}

func (b bench) evaluate(q *peft.Patch) float64 {
	p := peft.With(b.exact, q).NoGrad()
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
