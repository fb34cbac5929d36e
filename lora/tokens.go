package lora

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"peft/peft"
	"peft/tensor"
)

// Tokens trains some rows of an embedding, and so the meaning of some tokens. Places that are tied to the embedding, as the head of a language model, see the trained rows too. The file
// holds the rows themselves, not their difference.
type Tokens struct {
	Common `json:"-"` // On chooses embeddings; nil is the input embedding
	Rows   []int      `json:"token_indices"` // their numbers
	Init   Init       `json:"init_weights"`
}

var tokens = kind{name: "TRAINABLE_TOKENS"}

func init() { register(tokens, decoder(tokens, Tokens{})) }

// Attach lets trained rows stand in.
func (c Tokens) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	sites, err := c.sites(s)
	if err := cmp.Or(err, c.check()); err != nil {
		return nil, err
	}
	q := peft.NewPatch(s)
	for _, x := range sites {
		e, ok := x.(*peft.Embedding)
		if !ok {
			return nil, fmt.Errorf("lora: %s: rows of an embedding are trained, not of a %T", x.Name(), x)
		}
		if err := trainRows(q, e, e.Name()+"/"+rowsField, c.Rows, c.Init, rng); err != nil {
			return nil, err
		}
	}
	c.targeted().Whole(q)
	return q, nil
}

const rowsField = "trainable_tokens_delta"

func (c Tokens) sites(s *peft.Sites) ([]peft.Site, error) {
	if c.On == nil {
		e, err := s.InputEmbedding()
		return []peft.Site{e}, err
	}
	return c.On.Select(s)
}

func (c Tokens) check() error {
	if len(c.Rows) == 0 {
		return fmt.Errorf("lora: Rows names no row to train")
	}
	return cmp.Or(c.Common.check(tokens), c.Init.check())
}

// Config is the configuration that Hugging Face PEFT reads.
func (c Tokens) Config(s *peft.Sites) (map[string]any, error) {
	if c.On == nil {
		sites, err := c.sites(s)
		if err != nil {
			return nil, err
		}
		c.On = peft.TargetSites(sites)
	}
	return tokens.write(c.Common, s, c)
}

// Aliases are the further keys of rows that other sites are tied to.
func (c Tokens) Aliases(q *peft.Patch, x *peft.Param) (all []string) {
	site, field, _ := strings.Cut(x.Name, "/")
	e, ok := q.Sites().Find(site).(*peft.Embedding)
	if field != rowsField || !ok {
		return nil
	}
	for y := range q.Sites().All() {
		if y.Name() != site && slices.Contains(y.Frozen(), e.W) {
			all = append(all, peft.Wrapper+y.Name()+"."+rowsField)
		}
	}
	return all
}

// trainRows lets trained copies of some rows of an embedding stand in for them.
func trainRows(q *peft.Patch, e *peft.Embedding, name string, rows []int, i Init, rng peft.Rand) error {
	v := &someRows{rows: make([]int32, len(rows)), of: slices.Repeat([]int32{-1}, e.Num)}
	for k, row := range rows {
		if row < 0 || row >= e.Num || v.of[row] >= 0 {
			return fmt.Errorf("lora: %s: row %d is trained twice, or not one of the %d there are", e.Name(), row, e.Num)
		}
		v.rows[k], v.of[row] = int32(row), int32(k)
	}
	v.among = sync.OnceValue(func() *tensor.Tensor { return oneHot(q.Sites().Device(), v.rows, e.Num) })
	v.values = q.NewParam(name, firstRows(q, e, v.rows, i, rng), len(rows), e.Size)
	q.Substitute(e.W, v)
	return nil
}

// firstRows are copies of an embedding's rows, or random ones.
func firstRows(q *peft.Patch, e *peft.Embedding, rows []int32, i Init, rng peft.Rand) []float64 {
	switch {
	case i == Random:
		return peft.Normal(rng, len(rows)*e.Size, 1)
	case e.W.W == nil:
		return nil
	}
	s := tensor.NewScope(q.Sites().Device())
	defer s.Close()
	return e.W.W.Gather(s, rows).Float64s()
}

// someRows is the stand-in that replaces some rows of a table.
type someRows struct {
	values *peft.Param
	rows   []int32               // which rows
	of     []int32               // for each row of the table its number among the values, −1 for the others
	among  func() *tensor.Tensor // the same as a matrix of ones and zeros
}

// oneHot is the matrix [n×rows] that has a one where a row has its number.
func oneHot(d *tensor.Device, rows []int32, n int) *tensor.Tensor {
	v := make([]float64, n*len(rows))
	for k, row := range rows {
		v[int(row)*len(rows)+k] = 1
	}
	return d.Constant(v, n, len(rows))
}

// Value is W with the trained rows.
func (v *someRows) Value(p *peft.Pass, _ *peft.Frozen, base tensor.Map) tensor.Map {
	change := p.Once(v, func() *tensor.Tensor { return tensor.Sub(v.values.In(p), base.Gather(p.Scope(), v.rows)) })
	return replaced{base, v, change}
}

// replaced is the map W with a change of some rows, which leaves W in its storage.
type replaced struct {
	tensor.Map
	*someRows
	change *tensor.Tensor
}

// Linear is f(x·Wᵀ + …): the columns of the changed rows get a product of low rank.
func (m replaced) Linear(x *tensor.Tensor, a tensor.Affine) *tensor.Tensor {
	low := &tensor.LowRank{X: x, A: m.change, B: m.among(), Scale: 1}
	if a.Low == nil {
		a.Low = low
		return m.Map.Linear(x, a)
	}
	y := m.Map.Linear(x, tensor.Affine{Bias: a.Bias, Low: a.Low})
	return tensor.Apply(a.Func, tensor.Add(y, low.Value()))
}

// Gather is the rows with the given numbers.
func (m replaced) Gather(s *tensor.Scope, ids []int32) *tensor.Tensor {
	changed := make([]int32, len(ids))
	for i, id := range ids {
		changed[i] = m.of[id]
	}
	return tensor.Add(m.Map.Gather(s, ids), tensor.GatherRows(s.Use(m.change), changed, nil))
}

// Dense is the whole matrix.
func (m replaced) Dense(s *tensor.Scope) *tensor.Tensor {
	return tensor.AddRows(m.Map.Dense(s), s.Use(m.change), m.rows)
}
