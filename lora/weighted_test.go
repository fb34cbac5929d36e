package lora_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/tensor"
)

// queries are the maps that most tests adapt.
var queries = peft.Suffixes("Query", "Value")

// merged are the parameters that folding a patch makes, by name.
func merged(t *testing.T, m any, q *peft.Patch) map[string][]float64 {
	w, err := peft.Merge(tensor.Reference(), m, q)
	require.NoError(t, err)
	return values(w)
}

func values(q *peft.Patch) map[string][]float64 {
	all := map[string][]float64{}
	for x := range q.Params() {
		all[x.Name] = x.Tensor().Float64s()
	}
	return all
}

// near wants the same parameters, of those that the first have.
func near(t *testing.T, want, got map[string][]float64) {
	for name, v := range want {
		require.Contains(t, got, name)
		golden.Near(t, name, v, got[name], 1e-9)
	}
}

// attach makes a patch of random numbers.
func attach(t *testing.T, m any, c lora.Config, seed uint64) *peft.Patch {
	c.Init = lora.Random
	if c.On == nil {
		c.On = queries
	}
	q, err := peft.Attach(tensor.Reference(), m, c, seed)
	require.NoError(t, err)
	return q
}

// TestWeightedSum sums patches of other ranks, scales and sites, one of them of an embedding.
func TestWeightedSum(t *testing.T) {
	m := pefttest.NewModel(1)
	terms := []peft.Term{
		{Patch: attach(t, m, lora.Config{Rank: 2, Alpha: 3, On: peft.Suffixes("Words", "Query")}, 1), Weight: 0.5},
		{Patch: attach(t, m, lora.Config{Rank: 3, Alpha: 3, RSLoRA: true, On: peft.AllLinear()}, 2), Weight: -2},
	}
	want, err := peft.MergeSum(tensor.Reference(), m, terms...)
	require.NoError(t, err)
	for how, rank := range map[lora.How]int{lora.Sum: 5, lora.Cat: 5, lora.SVD: 9, "linear_svd": 5} {
		w := lora.Weighted{How: how}
		if how != lora.Sum && how != lora.Cat {
			w.Rank = rank
		}
		q, err := w.Of(terms...)
		require.NoError(t, err, how)
		require.LessOrEqual(t, q.Method().(lora.Config).Rank, 5)
		near(t, values(want), merged(t, m, q))
	}
}

// TestWeightedLeastRank sums a patch with itself, which needs no more rank than it has.
func TestWeightedLeastRank(t *testing.T) {
	m := pefttest.NewModel(1)
	q := attach(t, m, lora.Config{Rank: 2, Alpha: 8}, 1)
	twice, err := lora.Weighted{}.Of(peft.Term{Patch: q, Weight: 0.25}, peft.Term{Patch: q, Weight: 0.75})
	require.NoError(t, err)
	require.Equal(t, 2, twice.Method().(lora.Config).Rank)
	near(t, merged(t, m, q), merged(t, m, twice))
	none, err := lora.Weighted{}.Of(peft.Term{Patch: q, Weight: 0.5}, peft.Term{Patch: q, Weight: -0.5})
	require.NoError(t, err)
	require.Equal(t, 1, none.Method().(lora.Config).Rank)
}

// TestDARE drops the expected share of entries, the same ones for the same seed.
func TestDARE(t *testing.T) {
	m := pefttest.NewModel(1)
	q := attach(t, m, lora.Config{Rank: 4, On: peft.AllLinear()}, 1)
	numbers := func(seed uint64) (all []float64) {
		d, err := lora.Weighted{How: lora.DARELinear, Density: 0.25, Seed: seed}.Of(peft.Term{Patch: q, Weight: 1})
		require.NoError(t, err)
		for x := range d.Params() {
			all = append(all, x.Tensor().Float64s()...)
		}
		return all
	}
	first := numbers(7)
	require.Equal(t, first, numbers(7))
	require.NotEqual(t, first, numbers(8))
	kept := len(first) - len(slices.DeleteFunc(slices.Clone(first), func(x float64) bool { return x != 0 }))
	n := float64(len(first))
	require.InDelta(t, 0.25*n, kept, 5*math.Sqrt(n*0.25*0.75))
}

// TestWholeDensity wants ways that drop nothing, and see one patch, to change nothing.
func TestWholeDensity(t *testing.T) {
	m := pefttest.NewModel(1)
	q := attach(t, m, lora.Config{Rank: 4, Alpha: 2}, 1)
	for _, how := range []lora.How{lora.Linear, lora.Prune, lora.TIES, lora.DARELinear, lora.DARETIES} {
		for _, how := range []lora.How{how, how + "_svd"} {
			one, err := lora.Weighted{How: how, Density: 1, Sign: lora.Frequency}.Of(peft.Term{Patch: q, Weight: 1})
			require.NoError(t, err)
			near(t, merged(t, m, q), merged(t, m, one))
		}
	}
}

func TestWeightedRefusals(t *testing.T) {
	m := pefttest.NewModel(1)
	one, two := attach(t, m, lora.Config{Rank: 2}, 1), attach(t, m, lora.Config{Rank: 3}, 1)
	head := attach(t, m, lora.Config{Rank: 2, Head: true}, 1)
	away := attach(t, pefttest.NewModel(2), lora.Config{Rank: 2}, 1)
	other, err := peft.Attach(tensor.Reference(), m, lora.HRA{Rank: 2, Common: lora.Common{On: queries}}, 1)
	require.NoError(t, err)
	for says, try := range map[string]struct {
		w     lora.Weighted
		terms []*peft.Patch
	}{
		"there is no patch":           {lora.Weighted{}, nil},
		"ranks are 2 and 3":           {lora.Weighted{How: lora.TIES}, []*peft.Patch{one, two}},
		"belong to different models":  {lora.Weighted{}, []*peft.Patch{one, away}},
		"found one of lora.HRA":       {lora.Weighted{}, []*peft.Patch{one, other}},
		"trains classifier":           {lora.Weighted{}, []*peft.Patch{one, head}},
		`no way to combine is called`: {lora.Weighted{How: "cat_svd"}, []*peft.Patch{one}},
	} {
		var terms []peft.Term
		for _, q := range try.terms {
			terms = append(terms, peft.Term{Patch: q, Weight: 1})
		}
		_, err := try.w.Of(terms...)
		require.ErrorContains(t, err, says)
	}
	_, err = lora.Weighted{}.Of(peft.Term{Patch: one, Weight: math.NaN()})
	require.ErrorContains(t, err, "a weight is NaN")
}

// TestMergeSumOfOthers weighs what is no low-rank update: W' = W + w·(fold(W) − W), heads aside.
func TestMergeSumOfOthers(t *testing.T) {
	m, d := pefttest.NewModel(1), tensor.Reference()
	q, err := peft.Attach(d, m, lora.IA3{Common: lora.Common{On: queries, Head: true}, Init: lora.Random}, 1)
	require.NoError(t, err)
	half, err := peft.MergeSum(d, m, peft.Term{Patch: q, Weight: 0.5})
	require.NoError(t, err)
	whole, bases := merged(t, m, q), map[string][]float64{}
	for f := range q.Sites().Params() {
		bases[f.Name] = f.Values(d)
	}
	for name, v := range values(half) {
		want := slices.Clone(whole[name])
		for i, b := range bases[name] {
			if name != "classifier.weight" && name != "classifier.bias" {
				want[i] = b + 0.5*(want[i]-b)
			}
		}
		golden.Near(t, name, want, v, 1e-12)
	}
}

// TestHubForms turns patches of one form into the other, and back: all fold into the same weights.
func TestHubForms(t *testing.T) {
	m := pefttest.NewModel(1)
	var ranks peft.PatternMap
	require.NoError(t, ranks.Set(`.*1.*`, 4))
	for name, c := range map[string]peft.Method{
		"LoRA":  lora.Config{Rank: 2, Alpha: 6, On: queries, Init: lora.Random, Head: true},
		"ranks": lora.Config{Rank: 3, Alpha: 5, On: peft.Suffixes("Query", "1.Up"), RankPattern: ranks, RSLoRA: true, Init: lora.Random},
		"IA3":   lora.IA3{Common: lora.Common{On: queries}, Init: lora.Random, FeedForward: peft.Names{List: []string{}}},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := peft.Attach(tensor.Reference(), m, c, 1)
			require.NoError(t, err)
			there, err := lora.ToHub(q)
			require.NoError(t, err)
			back, err := lora.FromHub(there)
			require.NoError(t, err)
			near(t, merged(t, m, q), merged(t, m, there))
			near(t, merged(t, m, q), merged(t, m, back))
		})
	}
}

// Two adapters become one: their exact sum has the sum of their ranks, and the best one of rank 2 is near.
func ExampleWeighted() {
	m := pefttest.NewModel(1)
	sites, err := peft.FindSites(tensor.Reference(), m)
	if err != nil {
		fmt.Println(err)
		return
	}
	var terms []peft.Term
	for seed := range uint64(2) {
		q, err := peft.AttachTo(sites, lora.Config{Rank: 2, Alpha: 4, On: peft.Suffixes("Query", "Value")}, seed)
		if err != nil {
			fmt.Println(err)
			return
		}
		terms = append(terms, peft.Term{Patch: q, Weight: 0.5})
	}
	for _, w := range []lora.Weighted{{How: lora.Cat}, {How: lora.SVD, Rank: 2}} {
		q, err := w.Of(terms...)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(w.How, q.Method().(lora.Config).Rank)
	}
	// Output:
	// cat 4
	// svd 2
}
