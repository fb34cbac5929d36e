package peft_test

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/adapter"
	"peft/lora"
	"peft/peft"
	"peft/prefix"
	"peft/tensor"
)

// A pair of blocks is a model on which it can be seen what each row becomes.
type blocks struct {
	Query peft.Linear
	Self  peft.Attention
	Out   peft.Sublayer
	Fed   peft.Sublayer
	Head  peft.Linear
}

const wide = 6

func newBlocks() *blocks {
	rng := rand.New(rand.NewPCG(3, 3))
	linear := func(out int) []float32 {
		w := make([]float32, wide*out)
		for i := range w {
			w[i] = float32(rng.NormFloat64())
		}
		return w
	}
	m := &blocks{
		Query: peft.LinearOf(linear(wide), make([]float32, wide), wide), Self: peft.Attention{Heads: 2, KVHeads: 2, HeadSize: wide / 2},
		Out: peft.Sublayer{Role: peft.SelfBlock, Size: wide}, Fed: peft.Sublayer{Role: peft.FFN, Size: wide}, Head: peft.LinearOf(linear(2), make([]float32, 2), wide),
	}
	m.Query.Role, m.Head.Role = peft.Query, peft.Head
	return m
}

// hidden is what the rows of sequences of the given lengths become.
func (m *blocks) hidden(p *peft.Pass, lengths ...int) *tensor.Tensor {
	n := 0
	for _, l := range lengths {
		n += l
	}
	x := p.Scope().Tensor(peft.Normal(rand.New(rand.NewPCG(5, 5)), n*wide, 1), n, wide).WithLayout(tensor.NewLayout(lengths...))
	q := m.Query.Apply(p, x)
	h := m.Out.Apply(p, x, x, m.Self.Apply(p, x, q, x, x, tensor.Attention{}))
	return m.Fed.Apply(p, h, h, tensor.Scale(h, 0.5))
}

// numbers are those of the rows, or with a head of them.
func (m *blocks) numbers(t *testing.T, p *peft.Pass, lengths ...int) []float64 {
	defer p.Close()
	return m.Head.Apply(p, m.hidden(p, lengths...)).Float64s()
}

// trained is a patch of the model with values drawn from the seed, and a head that all have in common.
func (m *blocks) trained(t *testing.T, method peft.Method, seed uint64) *peft.Patch {
	q, err := peft.Attach(tensor.Reference(), m, method, 1)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(seed, 1))
	for x := range q.Params() {
		if x.Name == "Head.weight" || x.Name == "Head.bias" {
			x.Tensor().Assign(peft.Normal(rand.New(rand.NewPCG(9, 9)), x.Len(), 1))
			continue
		}
		x.Tensor().Assign(peft.Normal(rng, x.Len(), 0.5))
	}
	return q
}

func (m *blocks) adapter(t *testing.T, name string, seed uint64) *peft.Patch {
	return m.trained(t, adapter.Config{Name: name, Reduction: 2, Head: true}, seed)
}

func with(patches ...*peft.Patch) *peft.Pass {
	return peft.With(tensor.Reference(), patches...).NoGrad()
}

// close wants numbers that differ by rounding only.
func near(t *testing.T, want, got []float64) {
	t.Helper()
	require.InDeltaSlice(t, want, got, 1e-12)
}

func TestStack(t *testing.T) {
	m := newBlocks()
	a, b, c := m.adapter(t, "a", 1), m.adapter(t, "b", 2), m.trained(t, lora.Hub{Name: "c", Rank: 2}, 3)
	all, err := peft.Stack(a, b, c)
	require.NoError(t, err)
	near(t, m.numbers(t, with(a, b, c), 3, 2), m.numbers(t, with(all), 3, 2))
	require.Equal(t, a.Trainable()+b.Trainable()+c.Trainable()-2*(wide+1), all.Trainable(), "one head")
	x := all.Param("a:Fed/adapter_up.bias").Tensor()
	x.Assign(make([]float64, x.Len()))
	near(t, m.numbers(t, with(a, b, c), 3, 2), m.numbers(t, with(all), 3, 2))
}

func TestAverage(t *testing.T) {
	m := newBlocks()
	low := func(name string, seed uint64) *peft.Patch {
		return m.trained(t, lora.Hub{Name: name, Rank: 2, Alpha: 3}, seed)
	}
	a, b := low("a", 1), low("b", 2)
	mean, err := peft.Average([]float64{0.25, 0.75}, a, b)
	require.NoError(t, err)
	merged, err := peft.Merge(tensor.Reference(), m, mean)
	require.NoError(t, err)
	near(t, m.numbers(t, with(mean), 3, 2), m.numbers(t, with(merged), 3, 2))
	same, err := peft.Average(nil, a, a)
	require.NoError(t, err)
	near(t, m.numbers(t, with(a), 3, 2), m.numbers(t, with(same), 3, 2))

	kinked, err := peft.Average([]float64{1, 0}, m.adapter(t, "a", 1), m.adapter(t, "b", 2))
	require.NoError(t, err)
	near(t, m.numbers(t, with(m.adapter(t, "a", 1)), 3, 2), m.numbers(t, with(kinked), 3, 2))
	_, err = peft.Merge(tensor.Reference(), m, kinked)
	require.ErrorContains(t, err, "a composition with a bottleneck adapter, which has a function between its maps, cannot be folded")
}

func TestSplit(t *testing.T) {
	m := newBlocks()
	a, b := m.adapter(t, "a", 1), m.adapter(t, "b", 2)
	q, err := peft.Split([]int{2, 3}, a, b)
	require.NoError(t, err)
	first, second := m.numbers(t, with(a), 4, 1, 5), m.numbers(t, with(b), 4, 1, 5)
	var want []float64
	for _, n := range []int{4, 1, 5} {
		cut := 2 * min(2, n)
		want = append(want, first[:cut]...)
		want = append(want, second[cut:2*n]...)
		first, second = first[2*n:], second[2*n:]
	}
	near(t, want, m.numbers(t, with(q), 4, 1, 5))
	require.PanicsWithError(t, "tensor: Split: got a sequence of 6 rows, want at most 5", func() { m.numbers(t, with(q), 6) })
}

func TestBatchSplit(t *testing.T) {
	m := newBlocks()
	a, b := m.adapter(t, "a", 1), m.adapter(t, "b", 2)
	q, err := peft.BatchSplit([]int{2, 1}, a, b)
	require.NoError(t, err)
	require.Equal(t, 3, q.Batch())
	near(t, m.numbers(t, with(a, b).Route([]int{0, 0, 1}), 3, 2, 4), m.numbers(t, with(q), 3, 2, 4))
	require.PanicsWithError(t, "tensor: BatchSplit: got 2 sequences, want 3", func() { m.numbers(t, with(q), 3, 2) })

	c := m.trained(t, lora.Hub{Name: "c", Rank: 2}, 3)
	deep, err := peft.Stack(c, q)
	require.NoError(t, err)
	ca, err := peft.Stack(c, a)
	require.NoError(t, err)
	cb, err := peft.Stack(c, b)
	require.NoError(t, err)
	near(t, m.numbers(t, with(ca, cb).Route([]int{0, 0, 1}), 3, 2, 4), m.numbers(t, with(deep), 3, 2, 4))
	near(t, m.numbers(t, with(c, deep).Route([]int{1, -1, 1}), 3, 2, 4), m.numbers(t, with(ca, cb).Route([]int{0, -1, 1}), 3, 2, 4))
	_, err = peft.Merge(tensor.Reference(), m, q)
	require.ErrorContains(t, err, "lets sequences go through different patches")
}

// TestBatchSplitOfPrefixes fills the shorter prefix with rows of zeros that are seen with a score of one.
func TestBatchSplitOfPrefixes(t *testing.T) {
	m := newBlocks()
	long := m.trained(t, prefix.Hub{Name: "a", Tokens: 4, Flat: true, Gate: true}, 1)
	short := m.trained(t, prefix.Hub{Name: "b", Tokens: 2, Flat: true, Gate: true}, 2)
	q, err := peft.BatchSplit([]int{1, 1}, long, short)
	require.NoError(t, err)
	got := m.numbers(t, with(q), 3, 3)
	near(t, m.numbers(t, with(long, short).Route([]int{0, 1}), 3, 3)[:6], got[:6])
	require.NotEqual(t, m.numbers(t, with(long, short).Route([]int{0, 1}), 3, 3)[6:], got[6:])
	same, err := peft.BatchSplit([]int{1, 1}, long, m.trained(t, prefix.Hub{Name: "b", Tokens: 4, Flat: true}, 2))
	require.NoError(t, err)
	near(t, m.numbers(t, with(long, m.trained(t, prefix.Hub{Tokens: 4, Flat: true}, 2)).Route([]int{0, 1}), 3, 3), m.numbers(t, with(same), 3, 3))
}

func TestParallel(t *testing.T) {
	m := newBlocks()
	a, b := m.adapter(t, "a", 1), m.adapter(t, "b", 2)
	q, err := peft.Parallel(a, b)
	require.NoError(t, err)
	require.Equal(t, 2, q.Copies())
	require.Equal(t, 1, a.Copies())
	near(t, m.numbers(t, with(a, b).Route([]int{0, 0, 1, 1}), 3, 2, 3, 2), m.numbers(t, with(q), 3, 2, 3, 2))
	require.PanicsWithError(t, "tensor: Parallel: got 3 sequences, want all sequences 2 times", func() { m.numbers(t, with(q), 3, 2, 3) })
}

// TestComposedFolders wants compositions to be what they were when they are read again.
func TestComposedFolders(t *testing.T) {
	m := newBlocks()
	a, b, c := m.adapter(t, "a", 1), m.adapter(t, "b", 2), m.trained(t, lora.Hub{Name: "c", Rank: 2}, 3)
	fusion, err := peft.Fuse(m.trained(t, adapter.Fusion{Of: []*peft.Patch{a, b}, Head: true}, 4))
	require.NoError(t, err)
	split, err := peft.BatchSplit([]int{1, 1}, a, b)
	require.NoError(t, err)
	for name, make := range map[string]func() (*peft.Patch, error){
		"stack":          func() (*peft.Patch, error) { return peft.Stack(a, b, c) },
		"nested":         func() (*peft.Patch, error) { return peft.Stack(c, split) },
		"average":        func() (*peft.Patch, error) { return peft.Average([]float64{0.25, 0.75}, a, b) },
		"split":          func() (*peft.Patch, error) { return peft.Split([]int{2, 5}, a, b) },
		"parallel":       func() (*peft.Patch, error) { return peft.Parallel(a, c) },
		"fusion":         func() (*peft.Patch, error) { return fusion, nil },
		"stacked fusion": func() (*peft.Patch, error) { return peft.Stack(c, fusion) },
	} {
		t.Run(name, func(t *testing.T) {
			q, err := make()
			require.NoError(t, err)
			dir := filepath.Join(t.TempDir(), "all")
			require.NoError(t, peft.Save(dir, q, peft.Info{BaseModel: "base"}))
			got, report, err := peft.Load(a.Sites(), dir)
			require.NoError(t, err)
			require.Empty(t, report.Missing)
			require.Empty(t, report.Unexpected)
			p := with(q)
			want := m.numbers(t, p, 3, 2)
			require.InDeltaSlice(t, want, m.numbers(t, with(got), 3, 2), 1e-5, "files are F32")
			keys := func(q *peft.Patch) (all []string) {
				for key, x := range q.Keyed {
					if !x.Fixed {
						all = append(all, key)
					}
				}
				slices.Sort(all)
				return all
			}
			if name != "stacked fusion" { // there the file says that adapters stay as they are
				require.Equal(t, keys(q), keys(got))
			}
		})
	}
}

func TestCompositionRefusals(t *testing.T) {
	m, other := newBlocks(), newBlocks()
	a, b, row := m.adapter(t, "a", 1), m.adapter(t, "b", 2), m.trained(t, prefix.Hub{Name: "row", Tokens: 2, Flat: true}, 3)
	low := func(name string) *peft.Patch { return m.trained(t, lora.Hub{Name: name, Rank: 2}, 4) }
	split, err := peft.BatchSplit([]int{1, 1}, a, b)
	require.NoError(t, err)
	parted, err := peft.BatchSplit([]int{1, 1}, m.trained(t, lora.Config{Rank: 1, On: peft.Named("Query")}, 1), low("b"))
	require.NoError(t, err)
	headed := m.trained(t, peft.Heads{}, 1)
	headed.Param("Head.bias").Tensor().Assign([]float64{7, 7})
	for says, make := range map[string]func() (*peft.Patch, error){
		"Stack: found no patches":                                      func() (*peft.Patch, error) { return peft.Stack() },
		"two patches have the same name: a":                            func() (*peft.Patch, error) { return peft.Stack(a, m.adapter(t, "a", 5)) },
		"the patches are of different models":                          func() (*peft.Patch, error) { return peft.Stack(a, other.adapter(t, "b", 5)) },
		"different values of Head.bias":                                func() (*peft.Patch, error) { return peft.Stack(a, headed) },
		"found the weights [0.5] for 2 patches":                        func() (*peft.Patch, error) { return peft.Average([]float64{0.5}, a, b) },
		"expected a number for each":                                   func() (*peft.Patch, error) { return peft.Average([]float64{0.5, math.NaN()}, a, b) },
		"Average: Self: rows that are put in front":                    func() (*peft.Patch, error) { return peft.Average(nil, a, row) },
		"found the sizes [3] for 2 patches":                            func() (*peft.Patch, error) { return peft.Split([]int{3}, a, b) },
		"found the sizes [2 -1] for 2 patches":                         func() (*peft.Patch, error) { return peft.BatchSplit([]int{2, -1}, a, b) },
		"Average of a composition that lets sequences":                 func() (*peft.Patch, error) { return peft.Average(nil, parted, low("c")) },
		"Fuse: found a patch of adapter.Config, expected one of a fus": func() (*peft.Patch, error) { return peft.Fuse(a) },
	} {
		_, err := make()
		require.ErrorContains(t, err, says)
	}
	_, err = peft.AttachTo(a.Sites(), split.Method(), 1)
	require.ErrorContains(t, err, "cannot be attached anew")
}

func TestBrokenSetups(t *testing.T) {
	m := newBlocks()
	a := m.adapter(t, "a", 1)
	for text, says := range map[string]string{
		`{`:                    "adapter_setup.json",
		`{}`:                   "found no adapter_setup",
		`{"adapter_setup":{}}`: `"" has 0 children`,
		`{"adapter_setup":{"type":"single","children":["a","b"]}}`:                                                   `"single" has 2 children`,
		`{"adapter_setup":{"type":"single","children":[3]}}`:                                                         "the child of a \"single\"",
		`{"adapter_setup":{"type":"single","children":["../a"]}}`:                                                    `"../a" is not the name of a subfolder`,
		`{"adapter_setup":{"type":"Stack","children":["a"]}}`:                                                        "cannot unmarshal",
		`{"adapter_setup":{"type":"Magic","children":[{"type":"single","children":["a"]}]}}`:                         `the composition is a "Magic", expected Stack`,
		`{"adapter_setup":{"type":"Stack","children":[{"type":"single","children":["b"]}]}}`:                         "adapter_config.json",
		`{"adapter_setup":{"type":"Fuse","children":[{"type":"single","children":["a"]}]}}`:                          "adapter_fusion_config.json",
		`{"adapter_setup":{"type":"Split","children":[{"type":"single","children":["a"]}],"kwargs":{"splits":"x"}}}`: "cannot unmarshal",
		nest(12): "compositions are more than 8 deep",
	} {
		dir := t.TempDir()
		require.NoError(t, peft.Save(filepath.Join(dir, "a"), a, peft.Info{}))
		require.NoError(t, os.WriteFile(filepath.Join(dir, peft.SetupFile), []byte(text), 0o666))
		_, _, err := peft.Load(a.Sites(), dir)
		require.ErrorContains(t, err, says)
	}
	dir := t.TempDir()
	require.NoError(t, peft.Save(filepath.Join(dir, "a"), a, peft.Info{}))
	require.NoError(t, os.WriteFile(filepath.Join(dir, peft.SetupFile), []byte(`{"adapter_setup":{"type":"single","children":["a"]}}`), 0o666))
	q, _, err := peft.Load(a.Sites(), dir)
	require.NoError(t, err)
	require.Equal(t, "a", q.Method().(adapter.Config).Name)
}

// nest is a composition so many deep.
func nest(n int) string {
	s := `{"type":"single","children":["a"]}`
	for range n {
		s = `{"type":"Stack","children":[` + s + `]}`
	}
	return `{"adapter_setup":` + s + `}`
}

func FuzzFolders(f *testing.F) {
	f.Add([]byte(`{"adapter_setup":{"type":"Average","children":[{"type":"single","children":["a"]}],"kwargs":{"weights":[1],"batch_sizes":3}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, peft.SetupFile), text, 0o666))
		folders, err := peft.Folders(dir)
		for _, sub := range folders {
			require.NoError(t, err)
			require.Equal(t, dir, filepath.Dir(sub))
		}
	})
}

// TestCompositionOfUnion wants the parameters of a union under their keys in a composition.
func TestCompositionOfUnion(t *testing.T) {
	m := newBlocks()
	method, err := peft.DecodeMethod([]byte(`{"name":"a","version":"adapters.1.3.0","config":{"architecture":"union","configs":[{"architecture":"prefix_tuning","flat":true,"prefix_length":2},` +
		`{"architecture":"lora","r":2,"attn_matrices":["q"]}]}}`))
	require.NoError(t, err)
	mam := m.trained(t, method, 1)
	all, err := peft.Stack(mam, m.trained(t, adapter.Config{Name: "b", Reduction: 2}, 2))
	require.NoError(t, err)
	keys := map[string]bool{}
	for key := range all.Keyed {
		keys[key] = true
	}
	for key := range mam.Keyed {
		require.True(t, keys[key], key)
	}
}

// TestBatchSplitFills wants rows of zeros with a score of one before the keys of a sequence whose patch has no rows, where another has some.
func TestBatchSplitFills(t *testing.T) {
	m := newBlocks()
	q, err := peft.BatchSplit([]int{1, 1}, m.trained(t, prefix.Hub{Name: "a", Tokens: 3, Flat: true}, 1), m.trained(t, adapter.Config{Name: "b", Reduction: 2}, 2))
	require.NoError(t, err)
	p := with(q)
	defer p.Close()
	x := p.Scope().Tensor(peft.Normal(rand.New(rand.NewPCG(5, 5)), 2*wide, 1), 2, wide).WithLayout(tensor.NewLayout(1, 1))
	got, row := m.Self.Apply(p, x, x, x, x, tensor.Attention{}).Float64s()[wide:], x.Float64s()[wide:]
	for head := range 2 {
		v, s := row[head*wide/2:(head+1)*wide/2], 0.0
		for _, e := range v {
			s += e * e / math.Sqrt(wide/2)
		}
		near(t, scaled(math.Exp(s)/(math.Exp(s)+3*math.E), v), got[head*wide/2:(head+1)*wide/2])
	}
}
