package lora_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/lora"
	"peft/peft"
	"peft/tensor"
)

// talk is a model whose row for word i is (i, 1), and whose output is its rows.
type talk struct {
	Word  peft.Embedding
	Input peft.Sequence
	Out   peft.Linear
}

func newTalk() *talk {
	m := &talk{Word: peft.NewEmbedding(4, 2), Input: peft.Sequence{Size: 2}, Out: peft.LinearOf([]float32{1, 0, 0, 1}, nil, 2)}
	m.Word.W.W = tensor.WeightOf([]float32{0, 1, 1, 1, 2, 1, 3, 1}, 4, 2)
	return m
}

// said are three sequences: 1 2 twice, 2 1, and 1 2 in the end.
func said() *tensor.Layout {
	l := tensor.NewLayout(6, 2, 3)
	l.IDs = []int32{1, 2, 0, 1, 2, 3 /**/, 2, 1 /**/, 3, 1, 2}
	return l
}

func (m *talk) rows(p *peft.Pass, l *tensor.Layout) *tensor.Tensor {
	return m.Input.Apply(p, m.Word.Apply(p, l.IDs, l))
}

// first is the first number of each row of the output.
func (m *talk) first(p *peft.Pass) (all []float64) {
	for i, v := range m.Out.Apply(p, m.rows(p, said())).Float64s() {
		if i%2 == 0 {
			all = append(all, v)
		}
	}
	return all
}

// invoked is a patch that adds twice the sum of a row to its first number, from the tokens on.
func invoked(t *testing.T, m *talk, tokens ...int32) *peft.Patch {
	q, err := peft.Attach(tensor.Reference(), m, lora.Config{Rank: 1, On: peft.Named("Out"), Invocation: tokens}, 1)
	require.NoError(t, err)
	q.Param("Out/lora_A").Tensor().Assign([]float64{1, 1})
	q.Param("Out/lora_B").Tensor().Assign([]float64{2, 0})
	return q
}

func passOf(t *testing.T, patches ...*peft.Patch) *peft.Pass {
	p := peft.With(tensor.Reference(), patches...)
	t.Cleanup(p.Close)
	return p
}

// TestInvocation wants rows to be updated where the tokens stand last and after them, and no others, with the gradients of these rows, from a file too.
func TestInvocation(t *testing.T) {
	m := newTalk()
	q := invoked(t, m, 1, 2)
	want := []float64{1, 2, 0, 1 + 4, 2 + 6, 3 + 8 /**/, 2, 1 /**/, 3, 1 + 4, 2 + 6}
	require.Equal(t, want, m.first(passOf(t, q)))

	p := passOf(t, q)
	grads := tensor.Backward(tensor.SumRows(tensor.Columns(m.Out.Apply(p, m.rows(p, said())), 0, 1)))
	defer grads.Release()
	require.Equal(t, []float64{2 + 3 + 4 + 2 + 3, 0}, grads.Of(q.Param("Out/lora_B").Tensor()).Float64s())
	require.Equal(t, []float64{2 * (1 + 2 + 3 + 1 + 2), 2 * 5}, grads.Of(q.Param("Out/lora_A").Tensor()).Float64s())

	loaded, _, err := refiled(t, q, peft.Info{}, nil)
	require.NoError(t, err)
	require.Equal(t, want, m.first(passOf(t, loaded)))
	require.Equal(t, m.first(passOf(t)), m.first(passOf(t, invoked(t, m, 2, 2))))
}

// TestInvocationInRoutes wants each sequence of a mixed batch to have its own patch's tokens.
func TestInvocationInRoutes(t *testing.T) {
	m := newTalk()
	p := passOf(t, invoked(t, m, 1, 2), invoked(t, m, 3)).Route([]int{1, 0, 1})
	require.Equal(t, []float64{1, 2, 0, 1, 2, 3 + 8 /**/, 2, 1 /**/, 3 + 8, 1 + 4, 2 + 6}, m.first(p))
}

// front is a row of zeros before each sequence.
type front struct{}

func (front) Forward(p *peft.Pass, _ peft.Tap) peft.Prepended {
	return peft.Prepended{X: p.Scope().Tensor(nil, 1, 2), Shift: 1}
}

// TestInvocationAfterRows wants rows that are put in to stand for no token.
func TestInvocationAfterRows(t *testing.T) {
	m := newTalk()
	q := invoked(t, m, 3)
	q.Prepend(&m.Input, front{})
	require.Equal(t, []float64{0, 1, 2, 0, 1, 2, 3 + 8 /**/, 0, 2, 1 /**/, 0, 3 + 8, 1 + 4, 2 + 6}, m.first(passOf(t, q)))
}

// TestInvocationOfHead wants the loss of an invoked head to be the same for however many rows at a time.
func TestInvocationOfHead(t *testing.T) {
	m, labels := newTalk(), []int32{0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0}
	p := passOf(t, invoked(t, m, 1, 2))
	x := m.rows(p, said())
	head := func(x *tensor.Tensor) *tensor.Tensor { return m.Out.Apply(p, x) }
	require.Equal(t, tensor.CrossEntropy(head(x), labels).Item(), p.HeadLoss(x, labels, 2, head).Item())
}

func TestInvocationRefusals(t *testing.T) {
	m := newTalk()
	for says, c := range map[string]lora.Config{
		"DoRA must be false":          {Rank: 1, DoRA: true, On: peft.Named("Out")},
		"Parameters empty":            {Rank: 1, Parameters: []string{"Out.weight"}},
		"linear maps, not embeddings": {Rank: 1, On: peft.Named("Word")},
	} {
		c.Invocation = []int32{1}
		_, err := peft.Attach(tensor.Reference(), m, c, 1)
		require.ErrorContains(t, err, says)
	}
	q := invoked(t, m, 1)
	_, err := peft.Merge(tensor.Reference(), m, q)
	require.ErrorContains(t, err, "aLoRA, which acts on some rows")
	_, err = lora.Weighted{}.Of(peft.Term{Patch: q, Weight: 1})
	require.ErrorContains(t, err, "cannot be combined")
	err = tensor.Try(func() error {
		m.Out.Apply(passOf(t, q), m.rows(passOf(t, q), &tensor.Layout{Start: []int32{0}}))
		return nil
	})
	require.ErrorContains(t, err, "nobody knows the tokens")
}
