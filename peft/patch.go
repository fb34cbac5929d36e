package peft

import (
	"fmt"
	"iter"

	"peft/tensor"
)

// A Patch is everything one method put into one model, and all that it trains. It lives beside the model, never inside it. Once attached it is not changed but for the values of its
// parameters, so any number of passes may use it at once while nobody trains it.
type Patch struct {
	method     Method
	sites      *Sites
	deltas     map[*site][]placed
	rows       map[*site][]Rows
	standIns   map[*Frozen][]StandIn
	untied     map[place]*Frozen // what a site has in place of a parameter that the base ties to others, see TrainModules
	params     []*Param
	byName     map[string]*Param
	beside     map[string]bool // names of parameters that count beside the base's own: copies of modules, see TrainModules, and what the base has none of
	transposed map[*Param]bool // they take the place of parameters that the checkpoint holds as [in out]
	origins    map[*Param]origin
	parts      []part // what is on for some sequences only, in a composition
	said       []byte // the configuration of a method of AdapterHub's library, where a file gave it
}

type placed struct {
	at Place
	Delta
}

// NewPatch is an empty patch of a model.
func NewPatch(s *Sites) *Patch {
	return &Patch{
		sites: s, deltas: map[*site][]placed{}, rows: map[*site][]Rows{}, standIns: map[*Frozen][]StandIn{}, untied: map[place]*Frozen{}, byName: map[string]*Param{}, beside: map[string]bool{},
		transposed: map[*Param]bool{}, origins: map[*Param]origin{},
	}
}

// Add adds a delta at a place of a site.
func (q *Patch) Add(s Site, at Place, d Delta) {
	q.deltas[s.base()] = append(q.deltas[s.base()], placed{at, d})
}

// Prepend puts rows into a site.
func (q *Patch) Prepend(s Site, r Rows) { q.rows[s.base()] = append(q.rows[s.base()], r) }

// Taken is how many positions before the input the patch's rows take.
func (q *Patch) Taken() (n int) {
	for _, rows := range q.rows {
		sum := 0
		for _, r := range rows {
			if t, ok := r.(Taker); ok {
				sum += t.Taken()
			}
		}
		n = max(n, sum)
	}
	return n
}

// Substitute lets v take the place of f.
func (q *Patch) Substitute(f *Frozen, v StandIn) { q.standIns[f] = append(q.standIns[f], v) }

// NewParam makes a parameter of the patch with its first values; nil means zeros. Names are unique in a patch.
func (q *Patch) NewParam(name string, values []float64, shape ...int) *Param {
	return q.own(&Param{Name: name, Pool: []*tensor.Tensor{q.sites.dev.Param(values, shape...)}})
}

// NewFixed makes a parameter that is saved and not trained.
func (q *Patch) NewFixed(name string, values []float64, shape ...int) *Param {
	return q.own(&Param{Name: name, Pool: []*tensor.Tensor{q.sites.dev.Constant(values, shape...)}, Fixed: true})
}

// NewBuffer makes a parameter that is saved, not trained and, as in Hugging Face PEFT, not counted among the numbers of the patch: what is drawn or measured once.
func (q *Patch) NewBuffer(name string, values []float64, shape ...int) *Param {
	x := q.NewFixed(name, values, shape...)
	x.Buffer = true
	return x
}

func (q *Patch) own(x *Param) *Param {
	q.params = append(q.params, x)
	q.byName[x.Name] = x
	return x
}

// Train lets a copy of a frozen parameter stand in for it, to be trained as a whole; zeros where the base has none. Doing so twice is doing it once.
func (q *Patch) Train(f *Frozen) *Param { return q.TrainAs(f, f.Name) }

// TrainAs is [Patch.Train] under another name: "SITE/FIELD" for a copy that counts beside the base's own parameter.
func (q *Patch) TrainAs(f *Frozen, name string) *Param {
	if x := q.byName[name]; x != nil {
		return x
	}
	x := q.own(&Param{Name: name, Pool: []*tensor.Tensor{f.param(q.sites.dev)}})
	q.transposed[x] = f.Transposed
	q.added(f)
	q.Substitute(f, Whole{x})
	return x
}

// added notes that the base has no such parameter, if that is so.
func (q *Patch) added(f *Frozen) {
	if f.Absent {
		q.beside[f.Name] = true
	}
}

// Params yields the parameters in the order they were made, fixed ones too.
func (q *Patch) Params() iter.Seq[*Param] {
	return func(yield func(*Param) bool) { each(q.params, yield) }
}

// Param is the parameter of a name, nil if there is none.
func (q *Patch) Param(name string) *Param { return q.byName[name] }

// Method is what made the patch.
func (q *Patch) Method() Method { return q.method }

// Sites are the sites of the patched model.
func (q *Patch) Sites() *Sites { return q.sites }

// Trainable is the number of trained numbers.
func (q *Patch) Trainable() (n int) {
	for _, x := range q.params {
		if !x.Fixed {
			n += x.Count()
		}
	}
	return n
}

// touches reports whether the patch does anything at a site or to one of its parameters.
func (q *Patch) touches(s Site) bool {
	if len(q.deltas[s.base()])+len(q.rows[s.base()]) > 0 {
		return true
	}
	for _, f := range s.Frozen() {
		if len(q.standIns[f]) > 0 || q.untied[place{s.base(), f}] != nil {
			return true
		}
	}
	return false
}

// A Method decides what to patch into which sites of a model. A configuration literal is a Method.
type Method interface {
	Attach(s *Sites, rng Rand) (*Patch, error)
}

// Attach makes a patch of a model by a method. The seed fixes the first values of all that is random in it.
func Attach(d *tensor.Device, model any, m Method, seed uint64) (*Patch, error) {
	s, err := FindSites(d, model)
	if err != nil {
		return nil, err
	}
	return AttachTo(s, m, seed)
}

// AttachTo is [Attach] for sites that were found before.
func AttachTo(s *Sites, m Method, seed uint64) (q *Patch, err error) {
	shape := tensor.Try(func() error {
		q, err = attach(m, s, newRand(seed))
		return err
	})
	if shape != nil {
		return nil, fmt.Errorf("peft: attach: %w", shape)
	}
	if len(q.params) == 0 {
		return nil, fmt.Errorf("peft: attach: the method found nothing to train")
	}
	return q, nil
}
