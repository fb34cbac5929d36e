package peft_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/adapter"
	"peft/lora"
	"peft/peft"
	"peft/prefix"
	"peft/tensor"
)

// each is an adapter of the branch, which reads it and is added to it: entering anew makes no difference.
func (m *blocks) each(t *testing.T, name string, seed uint64) *peft.Patch {
	return m.trained(t, adapter.Config{Name: name, Reduction: 2, Input: adapter.Branch, Gate: true}, seed)
}

// TestNestedSequences wants sequences that go through different parts of nested compositions to be what they are alone, whatever is added: by adapters, by LoRA, by prefixes that fill nothing up.
func TestNestedSequences(t *testing.T) {
	m := newBlocks()
	low := func(name string, seed uint64) *peft.Patch {
		return m.trained(t, lora.Hub{Name: name, Rank: 2, Gate: true, Attention: []peft.Role{peft.Query}}, seed)
	}
	rows := func(name string, seed uint64) *peft.Patch {
		return m.trained(t, prefix.Hub{Name: name, Tokens: 2, Flat: true, Gate: true}, seed)
	}
	must := func(q *peft.Patch, err error) *peft.Patch {
		require.NoError(t, err)
		return q
	}
	stack := func(of ...*peft.Patch) *peft.Patch { return must(peft.Stack(of...)) }
	mean := func(of ...*peft.Patch) *peft.Patch { return must(peft.Average([]float64{0.5, 0.7}, of...)) }
	for kind, make := range map[string]func(name string, seed uint64) *peft.Patch{
		"adapter": func(name string, seed uint64) *peft.Patch { return m.each(t, name, seed) }, "LoRA": low, "prefix": rows,
	} {
		t.Run(kind, func(t *testing.T) {
			a, b, c := make("a", 1), make("b", 2), make("c", 3)
			same := func(q *peft.Patch, route []int, alone ...*peft.Patch) {
				t.Helper()
				near(t, m.numbers(t, with(alone...).Route(route), 3, 2, 4, 1), m.numbers(t, with(q), 3, 2, 4, 1))
			}
			split := func(n, k int, x, y *peft.Patch) *peft.Patch { return must(peft.BatchSplit([]int{n, k}, x, y)) }
			same(stack(split(1, 3, a, b), c), []int{0, 1, 1, 1}, stack(a, c), stack(b, c))
			same(stack(c, split(1, 3, a, b)), []int{0, 1, 1, 1}, stack(c, a), stack(c, b))
			same(split(3, 1, split(1, 2, a, b), c), []int{0, 1, 1, 2}, a, b, c)
			same(must(peft.Parallel(split(1, 1, a, b), c)), []int{0, 1, 2, 2}, a, b, c)
			same(stack(must(peft.Parallel(a, b)), c), []int{0, 0, 1, 1}, stack(a, c), stack(b, c))
			d := make("d", 4)
			same(split(1, 3, stack(a, b), stack(c, d)), []int{0, 1, 1, 1}, stack(a, b), stack(c, d))
			if kind == "prefix" {
				return
			}
			same(split(1, 3, mean(a, b), c), []int{0, 1, 1, 1}, mean(a, b), c)
			same(mean(split(1, 3, a, b), c), []int{0, 1, 1, 1}, mean(a, c), mean(b, c))
		})
	}
}

// TestStackedLoRA wants the second of two low-rank updates to apply to what the first makes, and IA3's vectors to multiply; and what it comes to in the weights.
func TestStackedLoRA(t *testing.T) {
	m := newBlocks()
	on := []peft.Role{peft.Query}
	a, b := m.trained(t, lora.Hub{Name: "a", Rank: 2, Alpha: 3, Attention: on}, 1), m.trained(t, lora.Hub{Name: "b", Rank: 1, Alpha: 2, Attention: on}, 2)
	i, j := m.trained(t, lora.Hub{Name: "i", Rescale: true, Attention: on}, 3), m.trained(t, lora.Hub{Name: "j", Rescale: true, Alpha: 2, Attention: on}, 4)
	x, none := []float64{1, -2, 3, .5, -1, 2}, make([]float64, wide)
	out := func(p *peft.Pass) []float64 {
		defer p.Close()
		return m.Query.Apply(p, p.Scope().Tensor(x, 1, wide).WithLayout(tensor.NewLayout(1))).Float64s()
	}
	through := func(q *peft.Patch, r int, s float64, h []float64) []float64 {
		p := q.Param("Query/lora_A").Tensor().Float64s()
		return scaled(s, affine(q.Param("Query/lora_B").Tensor().Float64s(), none, affine(p, none[:r], h)))
	}
	times := func(q *peft.Patch, s float64, y []float64) []float64 {
		y = scaled(s, y)
		for k, l := range q.Param("Query/lora_B").Tensor().Float64s() {
			y[k] *= l
		}
		return y
	}
	y := out(with())
	for name, c := range map[string]struct {
		of   []*peft.Patch
		want []float64
	}{
		"LoRA": {[]*peft.Patch{a, b}, sums(y, through(b, 1, 2, through(a, 2, 1.5, x)))},
		"IA3":  {[]*peft.Patch{i, j}, times(j, 2, times(i, 1, y))},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := peft.Stack(c.of...)
			require.NoError(t, err)
			near(t, c.want, out(with(q)))
			merged, err := peft.Merge(tensor.Reference(), m, q)
			require.NoError(t, err)
			near(t, c.want, out(with(merged)))
		})
	}
}

// masking is a model in which rows that fill up shorter prefixes are not seen.
type masking struct{ *blocks }

func (masking) HubFilling() (value float64, seen bool) { return 0, false }

// TestUnseenFilling wants prefixes of different lengths to be what they are alone, where the model does not see what fills them up.
func TestUnseenFilling(t *testing.T) {
	m := masking{newBlocks()}
	of := func(name string, tokens int) *peft.Patch {
		q, err := peft.Attach(tensor.Reference(), m, prefix.Hub{Name: name, Tokens: tokens, Flat: true}, uint64(tokens))
		require.NoError(t, err)
		return q
	}
	a, b := of("a", 4), of("b", 1)
	q, err := peft.BatchSplit([]int{1, 1}, a, b)
	require.NoError(t, err)
	near(t, m.numbers(t, with(a, b).Route([]int{0, 1}), 3, 2), m.numbers(t, with(q), 3, 2))
}

// TestGatesOfStretches wants a gate to average over those rows of a sequence that its part has.
func TestGatesOfStretches(t *testing.T) {
	m := newBlocks()
	a, b := m.each(t, "a", 1), m.each(t, "b", 2)
	q, err := peft.Split([]int{2, 4}, a, b)
	require.NoError(t, err)
	fed := func(p *peft.Pass, lengths ...int) []float64 {
		defer p.Close()
		x := p.Scope().Tensor(peft.Normal(rand.New(rand.NewPCG(5, 5)), 5*wide, 1), 5, wide).WithLayout(tensor.NewLayout(lengths...))
		return m.Fed.Apply(p, x, x, tensor.Scale(x, 0.5)).Float64s()
	}
	near(t, fed(with(a, b).Route([]int{0, 1}), 2, 3), fed(with(q), 5))
}
