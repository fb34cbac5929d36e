package peft

import (
	"fmt"
	"slices"

	"peft/tensor"
	"peft/tensor/safetensors"
)

// Entries is the stand-in for a parameter of which only some entries are trained: their values take the place of the base's, and the rest is the base's own, of which no copy is made.
type Entries struct {
	Param *Param // the values [n]
	at    *tensor.Entries
	start *tensor.Tensor // the base's values there
}

// Value is base with the values in their places.
func (e Entries) Value(p *Pass, f *Frozen, base tensor.Map) tensor.Map {
	v := e.Param.In(p)
	switch base := base.(type) {
	case *tensor.Weight:
		return tensor.Sparse{W: base, At: e.at, V: tensor.Sub(v, e.start)}
	case nil:
		return tensor.Dense{W: tensor.AddEntries(p.scope.Tensor(nil, f.rows(), f.cols()), e.at, v)}
	}
	w := base.Dense(p.scope)
	return tensor.Dense{W: tensor.AddEntries(w, e.at, tensor.Sub(v, tensor.TakeEntries(w, e.at)))}
}

// TrainEntries lets trained values stand in for some entries of a frozen parameter. Their places are counted row by row as the checkpoint holds the parameter, and ascend. Where the patch
// trains all of the parameter, or entries of it, that stays as it is.
func (q *Patch) TrainEntries(f *Frozen, places []int32) *Param {
	if x := q.byName[f.Name]; x != nil {
		return x
	}
	if places == nil {
		places = []int32{}
	}
	checkPlaces(f, places)
	flat := f.flat(places)
	start := make([]float64, len(places))
	if all := f.Values(q.sites.dev); all != nil {
		for i, at := range flat {
			start[i] = all[at]
		}
	}
	x := q.NewParam(f.Name, start, len(places))
	x.Places = places
	q.added(f)
	q.Substitute(f, Entries{x, tensor.NewEntries(f.rows(), f.cols(), flat), q.sites.dev.Constant(start, len(places))})
	return x
}

// checkPlaces panics unless places ascend within the parameter.
func checkPlaces(f *Frozen, places []int32) {
	last := int32(-1)
	for _, at := range places {
		if at <= last || int(at) >= f.size() {
			panic(&tensor.ShapeError{Op: f.Name, Got: fmt.Sprintf("place %d after %d", at, last), Want: fmt.Sprintf("places that ascend, below %d", f.size())})
		}
		last = at
	}
}

// flat is where places of the checkpoint's tensor are in the matrix that the model computes with.
func (f *Frozen) flat(places []int32) []int32 {
	if !f.Transposed {
		return places
	}
	out, in := int32(f.rows()), int32(f.cols())
	turned := make([]int32, len(places))
	for i, at := range places {
		turned[i] = at%out*in + at/out
	}
	return turned
}

// The ends of the two keys under which a file holds some entries of a parameter.
const (
	valuesEnd  = ".values"
	indicesEnd = ".indices"
)

// An Indexer is a method whose files hold the places of entries in a form of its own. Otherwise the values of NAME are under NAME.values, and flat places under NAME.indices.
type Indexer interface {
	// Indices is the tensor of a parameter's places.
	Indices(q *Patch, x *Param) safetensors.Tensor
}

// valuesKey is the key of a parameter's numbers in a file.
func (q *Patch) valuesKey(x *Param, key string) string {
	if _, own := q.method.(Indexer); own || x.Places == nil {
		return key
	}
	return key + valuesEnd
}

// indices are a parameter's places as a file holds them; none if it has all of its numbers.
func (q *Patch) indices(x *Param, key string) []safetensors.Tensor {
	if x.Places == nil {
		return nil
	}
	if m, own := q.method.(Indexer); own {
		return []safetensors.Tensor{m.Indices(q, x)}
	}
	wide := make([]int64, len(x.Places))
	for i, at := range x.Places {
		wide[i] = int64(at)
	}
	return []safetensors.Tensor{safetensors.I64(key+indicesEnd, []int{len(wide)}, wide)}
}

// placed wants a file to hold values for the places that a parameter has.
func (q *Patch) placed(x *Param, key string, w files) error {
	for _, want := range q.indices(x, key) {
		got, ok := w.find(want.Name)
		if !ok {
			return fmt.Errorf("the file has no %s", want.Name)
		}
		a, err := want.Ints()
		if err != nil {
			return err
		}
		b, err := got.Ints()
		if err == nil && !slices.Equal(a, b) {
			err = fmt.Errorf("%s are other places than those that are trained", got.Name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ReadPlaces reads places of entries from a file: integers that ascend.
func ReadPlaces(t safetensors.Tensor) ([]int32, error) {
	wide, err := t.Ints()
	if err != nil {
		return nil, err
	}
	places := make([]int32, len(wide))
	last := int64(-1)
	for i, at := range wide {
		if at <= last || at > 1<<31-1 {
			return nil, fmt.Errorf("%s holds %d after %d, expected places that ascend, below 2³¹", t.Name, at, last)
		}
		places[i], last = int32(at), at
	}
	return places, nil
}

// PlacesIn are the places of trained entries that a file holds, by the parameter's name.
func PlacesIn(w *safetensors.File) (map[string][]int32, error) {
	all := map[string][]int32{}
	for t := range w.All() {
		n := len(t.Name) - len(indicesEnd)
		if n <= 0 || t.Name[n:] != indicesEnd {
			continue
		}
		places, err := ReadPlaces(t)
		if err != nil {
			return nil, err
		}
		all[t.Name[:n]] = places
	}
	return all, nil
}
