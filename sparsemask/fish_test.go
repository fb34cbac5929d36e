package sparsemask_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/sparsemask"
	"peft/tensor"
	"peft/tensor/safetensors"
)

// The numbers of the laws' model.
const (
	size, inner = pefttest.Size, pefttest.Inner
	head        = pefttest.Classes * (size + 1)
	block       = 4*(size*size+size) + 2*size*inner + inner + size + 4*size
	total       = (pefttest.Words+pefttest.Positions)*size + pefttest.Layers*block + head
)

func TestLaws(t *testing.T) {
	keep := func(share float64) int { return int(total * share) }
	for name, c := range map[string]struct {
		method peft.Method
		want   int
	}{
		"random":        {sparsemask.Config{Keep: 0.02, Fisher: sparsemask.Random}, keep(0.02)},
		"head":          {sparsemask.Config{Keep: 0.1, Fisher: sparsemask.Random, Head: true}, keep(0.1)},
		"magnitude":     {sparsemask.Config{Keep: 0.005, Fisher: sparsemask.Magnitude}, keep(0.005)},
		"all":           {sparsemask.Config{Keep: 1, Fisher: sparsemask.Random}, total},
		"scores":        {sparsemask.Config{Keep: 0.05, Scores: scores(t)}, keep(0.05)},
		"a chosen mask": {sparsemask.Config{Mask: sparsemask.Mask{"Words.weight": {3, 20, 21}, "Layers.1.Norm1.bias": {0}}}, 4},
	} {
		t.Run(name, func(t *testing.T) { pefttest.Test(t, c.method, pefttest.Want{Trained: c.want}) })
	}
}

// scores prefer what stands late in each parameter.
func scores(t *testing.T) sparsemask.Scores {
	s, err := peft.FindSites(nil, pefttest.NewModel(1))
	require.NoError(t, err)
	all := sparsemask.Scores{}
	for f := range s.Params() {
		for i := range f.Len() {
			all[f.Name] = append(all[f.Name], float64(i)/float64(f.Len()))
		}
	}
	return all
}

// pair is a model of two parameters with four numbers each.
type pair struct{ A, B peft.Linear }

func newPair() *pair {
	return &pair{peft.LinearOf([]float32{1, 2, 3, 4}, nil, 2), peft.LinearOf([]float32{-5, 0, 2, -1}, nil, 2)}
}

// masked are the places that a configuration chooses in the pair.
func masked(t *testing.T, c sparsemask.Config) map[string][]int32 {
	q, err := peft.Attach(tensor.Reference(), newPair(), c, 1)
	require.NoError(t, err)
	all := map[string][]int32{}
	for x := range q.Params() {
		all[x.Name] = x.Places
	}
	return all
}

func TestLargest(t *testing.T) {
	type mask = map[string][]int32
	few := sparsemask.Scores{"A.weight": {1, 0, 7, 1}, "B.weight": {1, 1e300, 5e-324, 1}}
	for n, want := range map[int]mask{
		1: {"B.weight": {1}},
		2: {"A.weight": {2}, "B.weight": {1}},
		3: {"A.weight": {0, 2}, "B.weight": {1}},       // of equal scores the earlier are taken
		5: {"A.weight": {0, 2, 3}, "B.weight": {0, 1}}, // across parameters too
		7: {"A.weight": {0, 2, 3}, "B.weight": {0, 1, 2, 3}},
		8: {"A.weight": {0, 1, 2, 3}, "B.weight": {0, 1, 2, 3}},
	} {
		require.Equal(t, want, masked(t, sparsemask.Config{Keep: float64(n) / 8, Scores: few}), n)
	}
	require.Equal(t, mask{"A.weight": {3}, "B.weight": {0}}, masked(t, sparsemask.Config{Keep: 0.25, Fisher: sparsemask.Magnitude}))
}

func TestRefusals(t *testing.T) {
	for says, c := range map[string]sparsemask.Config{
		"needs Scores":                       {Keep: 0.5},
		"Keep is 0,":                         {},
		"Keep is 2,":                         {Keep: 2},
		"Samples is -1":                      {Keep: 1, Samples: -1, Fisher: sparsemask.Random},
		`Fisher is "gut"`:                    {Keep: 1, Fisher: "gut"},
		"0 of 8 numbers":                     {Keep: 0.1, Fisher: sparsemask.Random},
		"3 scores for A.weight, which has 4": {Keep: 1, Scores: sparsemask.Scores{"A.weight": {1, 2, 3}}},
		"entry 1 of A.weight is NaN":         {Keep: 1, Scores: sparsemask.Scores{"A.weight": {1, math.NaN(), 3, 4}}},
		"entry 0 of A.weight is -1":          {Keep: 1, Scores: sparsemask.Scores{"A.weight": {-1, 2, 3, 4}}},
		"a parameter C, which the model":     {Mask: sparsemask.Mask{"C": {1}}},
		"place 4 after 0, want places":       {Mask: sparsemask.Mask{"A.weight": {0, 4}}},
		"place 1 after 1, want places":       {Mask: sparsemask.Mask{"A.weight": {1, 1}}},
		"the method found nothing to train":  {Mask: sparsemask.Mask{}},
	} {
		_, err := peft.Attach(tensor.Reference(), newPair(), c, 1)
		require.ErrorContains(t, err, says)
	}
	for text, says := range map[string]string{
		`{"method":"fish","keep":0}`:       "Keep is 0",
		`{"method":"fish","fisher":"gut"}`: `Fisher is "gut"`,
		`{"method":"fish","kept":1}`:       `unknown field "kept"`,
		`{"method":"fish","samples":-3}`:   "Samples is -3",
	} {
		_, err := peft.DecodeMethod([]byte(text))
		require.ErrorContains(t, err, says, text)
	}
}

// TestAnotherModel wants a mask that was saved for one model not to be loaded into another of the same shapes.
func TestAnotherModel(t *testing.T) {
	q, err := peft.Attach(tensor.Reference(), newPair(), sparsemask.Config{Mask: sparsemask.Mask{"A.weight": {1, 3}}}, 1)
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, peft.Save(dir, q, peft.Info{}))
	same, err := peft.FindSites(tensor.Reference(), newPair())
	require.NoError(t, err)
	_, _, err = peft.Load(same, dir)
	require.NoError(t, err)

	changed := newPair()
	changed.A.W.W = tensor.WeightOf([]float32{9, 8, 7, 6}, 2, 2)
	other, err := peft.FindSites(tensor.Reference(), changed)
	require.NoError(t, err)
	_, _, err = peft.Load(other, dir)
	require.ErrorContains(t, err, "the mask is of another model: of one with the hash "+same.Hash()+", not "+other.Hash())
}

// TestSpoiledFiles wants folders whose indices do not fit to be refused.
func TestSpoiledFiles(t *testing.T) {
	for says, indices := range map[string][]int64{
		"expected places that ascend": {3, 1},
		"place 9 after 1":             {1, 9},
		"has shape [2], expected [1]": {1},
	} {
		q, err := peft.Attach(tensor.Reference(), newPair(), sparsemask.Config{Mask: sparsemask.Mask{"A.weight": {1, 3}}}, 1)
		require.NoError(t, err)
		dir := t.TempDir() + "/patch"
		require.NoError(t, peft.Save(dir, q, peft.Info{}))
		spoiled := []safetensors.Tensor{safetensors.F32("A.weight.values", []int{2}, []float32{1, 2}), safetensors.I64("A.weight.indices", []int{len(indices)}, indices)}
		require.NoError(t, safetensors.Write(filepath.Join(dir, peft.WeightsFile), spoiled, nil))
		_, _, err = peft.Load(q.Sites(), dir)
		require.ErrorContains(t, err, says)
		require.NoError(t, os.Remove(filepath.Join(dir, peft.WeightsFile)))
		_, _, err = peft.Load(q.Sites(), dir)
		require.Error(t, err)
	}
}

// TestFile holds a mask as indices and values of single numbers.
func TestFile(t *testing.T) {
	q, err := peft.Attach(tensor.Reference(), newPair(), sparsemask.Config{Mask: sparsemask.Mask{"A.weight": {1, 3}}}, 1)
	require.NoError(t, err)
	dir := t.TempDir() + "/patch"
	require.NoError(t, peft.Save(dir, q, peft.Info{}))
	f := golden.Open(t, filepath.Join(dir, peft.WeightsFile))
	require.Equal(t, []string{"A.weight.indices", "A.weight.values"}, f.Names())
	x, _ := f.Tensor("A.weight.indices")
	places, err := x.Ints()
	require.NoError(t, err)
	require.Equal(t, safetensors.Int64, x.DType)
	require.Equal(t, []int64{1, 3}, places)
}

func TestEstimateStops(t *testing.T) {
	s, err := peft.FindSites(tensor.Reference(), newPair())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	broken := errors.New("broken")
	data := sparsemask.Data{Len: 3, Loss: func(*peft.Pass, int) (*tensor.Tensor, error) { return nil, broken }}
	_, err = sparsemask.Estimate(ctx, s, sparsemask.Label, data)
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "example 0")
	cancel()
	_, err = sparsemask.Estimate(ctx, s, sparsemask.Label, data)
	require.ErrorIs(t, err, context.Canceled)
}
