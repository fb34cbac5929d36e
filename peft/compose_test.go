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
