package lora

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"peft/peft"
	"peft/tensor"
)

// FromHub is a patch of LoRA or IA3 that AdapterHub's library made, as one of [Config] or [IA3], which computes the same: the form of Hugging Face PEFT. DoRA and gates are refused, which that
// has in another form or not at all.
func FromHub(q *peft.Patch) (*peft.Patch, error) {
	c, ok := q.Method().(Hub)
	switch {
	case !ok:
		return nil, fmt.Errorf("lora: expected a patch of AdapterHub's LoRA or IA3, found %T", q.Method())
	case c.DoRA:
		return nil, fmt.Errorf("lora: DoRA of AdapterHub's library scales biases too and leaves α out of its lengths: Hugging Face PEFT has no such method")
	case c.Gate:
		return nil, fmt.Errorf("lora: Hugging Face PEFT has no gates on LoRA")
	}
	p := peft.With(q.Sites().Device(), q).NoGrad()
	defer p.Close()
	into := &converter{from: q, values: map[string][]float64{}}
	for l := range q.Sites().Linears() {
		for _, d := range q.Deltas(l, peft.Out) {
			into.fromHub(p, l, d)
		}
	}
	into.on = shortest(q.Sites(), into.sites)
	if c.Rescale {
		return into.patch(IA3{Common: Common{On: into.on, Head: trainsHead(q)}, FeedForward: peft.Names{List: []string{}}})
	}
	m := Config{Rank: c.Rank, Alpha: cmp.Or(c.Alpha, float64(c.Rank)), On: into.on, Dropout: c.Dropout, Head: trainsHead(q)}
	if err := into.patterns(&m); err != nil {
		return nil, err
	}
	return into.patch(m)
}

// ToHub is a patch of [Config] or [IA3] as one that AdapterHub's library reads, which computes the same. The library has one rank and one α, which smaller updates are filled up to; and it
// acts on all maps of a role, so that those without an update get one of zero. What it cannot express is refused by name: maps of other roles, IA3 on inputs, DoRA, biases, single tokens.
func ToHub(q *peft.Patch) (*peft.Patch, error) {
	from := &converter{from: q, values: map[string][]float64{}}
	h := Hub{Attention: []peft.Role{}}
	switch c := q.Method().(type) {
	case Config:
		if c.DoRA || c.Init == PiSSA || c.Init == OLoRA || c.OwnBias {
			return nil, fmt.Errorf("lora: AdapterHub's library has no DoRA of this form, no biases on B and no starts that change the base")
		}
		h.Dropout = c.Dropout
	case IA3:
		h.Rescale, h.Name = true, "ia3"
	default:
		return nil, fmt.Errorf("lora: expected a patch of LoRA or IA3, found %T", c)
	}
	all, err := from.updates(&h)
	if err != nil {
		return nil, err
	}
	h.choose(q.Sites().ModelType(), from.sites)
	h.Head = trainsHead(q)
	return from.toHub(h, all)
}

// trainsHead reports whether a patch trains the model's head.
func trainsHead(q *peft.Patch) bool {
	for l := range q.Sites().Linears() {
		if l.Role == peft.Head && q.Param(l.W.Name) != nil {
			return true
		}
	}
	return false
}

// A converter makes a patch of another method that computes what a patch does.
type converter struct {
	from   *peft.Patch
	sites  []peft.Site // the adapted ones
	on     peft.Selection
	values map[string][]float64 // of the new patch, by name
}

// fromHub turns what is added at one map into LoRA's A and B, or IA3's vector.
func (c *converter) fromHub(p *peft.Pass, l *peft.Linear, d peft.Delta) {
	c.sites = append(c.sites, l)
	switch d := d.(type) {
	case hubLow:
		a, b := d.factors(p)
		c.values[l.Name()+"/lora_A"], c.values[l.Name()+"/lora_B"] = a.Float64s(), b.Float64s()
	case hubIA3:
		c.values[l.Name()+"/ia3_l"] = tensor.Scale(d.vector(p), d.scale).Float64s()
	}
}

// patterns gives a fused map, whose parts have updates of their own, their ranks' sum, with the same s.
func (c *converter) patterns(m *Config) error {
	for _, x := range c.sites {
		l := x.(*peft.Linear)
		n := len(c.values[l.Name()+"/lora_A"]) / (l.In * m.Rank)
		if n == 1 {
			continue
		}
		key := regexp.QuoteMeta(l.Name())
		if err := cmp.Or(m.RankPattern.Set(key, float64(n*m.Rank)), m.AlphaPattern.Set(key, float64(n)*m.Alpha)); err != nil {
			return err
		}
	}
	return nil
}

// patch attaches the new method and gives it the values, its own and those of what is trained of the base.
func (c *converter) patch(m peft.Method) (*peft.Patch, error) {
	q, err := peft.AttachTo(c.from.Sites(), m, 0)
	if err != nil {
		return nil, err
	}
	for x := range c.from.Params() {
		if !strings.Contains(x.Name, "/") {
			c.values[x.Name] = x.Tensor().Float64s()
		} else if !isFactor(x) && !strings.HasSuffix(x.Name, "/ia3_l") {
			return nil, fmt.Errorf("lora: %s has no place in the other format", x.Name)
		}
	}
	for name, v := range c.values {
		x := q.Param(name)
		if x == nil || x.Len() != len(v) {
			return nil, fmt.Errorf("lora: %s has no place in the other format", name)
		}
		x.Tensor().Assign(v)
	}
	return q, nil
}

// updates are those of a patch that is to have AdapterHub's form, by site; of IA3 none. The method gets the largest rank and an α.
func (c *converter) updates(h *Hub) (map[string]update, error) {
	all := map[string]update{}
	for x := range c.from.Sites().All() {
		if len(c.from.Deltas(x, peft.In)) > 0 {
			return nil, fmt.Errorf("lora: %s is scaled at its input, but AdapterHub's library scales outputs only", x.Name())
		}
		for _, d := range c.from.Deltas(x, peft.Out) {
			c.sites = append(c.sites, x)
			a, b, scale := paramsOf(d)
			switch {
			case h.Rescale:
			case a == nil:
				return nil, fmt.Errorf("lora: %s: AdapterHub's library has no %T", x.Name(), d)
			default:
				all[x.Name()] = update{lowRank{matrix(a), matrix(b)}, 1, scale}
				h.Rank = max(h.Rank, a.Tensor().Rows())
			}
		}
	}
	for _, x := range c.sites {
		if u := all[x.Name()]; !h.Rescale && u.rank() == h.Rank {
			h.Alpha = rounded(u.scale * float64(h.Rank))
			break
		}
	}
	return all, nil
}

// rounded is a number without the rounding error that keeps it from being whole.
func rounded(x float64) float64 {
	if n := math.Round(x); math.Abs(x-n) < 1e-12*math.Abs(x) {
		return n
	}
	return x
}

// choose makes the method act on the roles of sites.
func (c *Hub) choose(modelType string, sites []peft.Site) {
	up, down := peft.Up, peft.Down
	if slices.Contains(swapped, modelType) {
		up, down = down, up
	}
	for _, x := range sites {
		l, ok := x.(*peft.Linear)
		if !ok {
			continue
		}
		roles := []peft.Role{l.Role}
		for _, p := range l.Parts {
			roles = append(roles, p.Role)
		}
		for _, r := range roles {
			attention := r == peft.Query || r == peft.Key || r == peft.Value
			if attention && !slices.Contains(c.Attention, r) {
				c.Attention = append(c.Attention, r)
			}
			c.Intermediate, c.Output = c.Intermediate || r == up, c.Output || r == down
		}
	}
}

// toHub attaches AdapterHub's form and gives it the updates.
func (c *converter) toHub(h Hub, all map[string]update) (*peft.Patch, error) {
	q, err := peft.AttachTo(c.from.Sites(), h, 0)
	if err != nil {
		return nil, err
	}
	for _, x := range c.sites {
		if len(q.Deltas(x, peft.Out)) == 0 {
			return nil, fmt.Errorf("lora: %s is adapted, which AdapterHub's library does not adapt", x.Name())
		}
	}
	for l := range q.Sites().Linears() {
		if len(q.Deltas(l, peft.Out)) == 0 {
			continue
		}
		parts, err := h.parts(l, q.Sites().ModelType())
		if err != nil {
			return nil, fmt.Errorf("lora: %s: %w", l.Name(), err)
		}
		if h.Rescale {
			c.vector(q, l)
			continue
		}
		c.repeat(h, l, len(parts), q, all)
	}
	return c.patch(h)
}

// vector is IA3's, ones where there is none.
func (c *converter) vector(q *peft.Patch, l *peft.Linear) {
	name := l.Name() + "/lora_B"
	if x := c.from.Param(l.Name() + "/ia3_l"); x != nil {
		c.values[name] = x.Tensor().Float64s()
	}
	if c.values[name] == nil {
		c.values[name] = q.Param(name).Tensor().Float64s()
	}
}

// repeat gives each of n parts of a map the whole A, and B in its own rows; zeros where there is no update. Another s than the method's goes into B.
func (c *converter) repeat(h Hub, l *peft.Linear, n int, q *peft.Patch, all map[string]update) {
	a, b := l.Name()+"/lora_A", l.Name()+"/lora_B"
	u, ok := all[l.Name()]
	if !ok {
		c.values[a], c.values[b] = make([]float64, q.Param(a).Len()), make([]float64, q.Param(b).Len())
		return
	}
	f := u.padded(h.Rank)
	if s := h.Alpha / float64(h.Rank); math.Abs(s-u.scale) > 1e-15*math.Abs(s) {
		f.b.Scale(u.scale/s, f.b)
	}
	c.values[a], c.values[b] = slices.Repeat(dense(f.a), n), dense(f.b)
}

// shortest chooses sites by the shortest ends of their names that no other site has.
func shortest(s *peft.Sites, sites []peft.Site) peft.Selection {
	for n := 1; n <= 3; n++ {
		var ends []string
		for _, x := range sites {
			parts := strings.Split(x.Name(), ".")
			ends = append(ends, strings.Join(parts[max(0, len(parts)-n):], "."))
		}
		slices.Sort(ends)
		on := peft.Suffixes(slices.Compact(ends)...)
		if found, err := on.Select(s); err == nil && len(found) == len(sites) {
			return on
		}
	}
	return peft.TargetSites(sites)
}
