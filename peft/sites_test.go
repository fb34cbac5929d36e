package peft_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/peft"
	"peft/tensor"
)

type inner struct {
	Query peft.Linear `name:"attention.query"`
	Norm  peft.Norm
}

type nested struct {
	Embed  peft.Embedding `name:"embed"`
	Layer  []*inner       `name:"encoder.layer"`
	Tied   peft.Linear    `name:"head"`
	Hidden *peft.Linear   // nil: not there
	Skip   peft.Linear    `name:"-"`
}

func newNested() *nested {
	m := &nested{Embed: peft.NewEmbedding(7, 3), Tied: peft.NewLinear(3, 7, false, peft.Head), Skip: peft.NewLinear(1, 1, false, "")}
	for range 2 {
		m.Layer = append(m.Layer, &inner{Query: peft.NewLinear(3, 3, true, peft.Query), Norm: peft.NewNorm(3, 1e-5, false)})
	}
	m.Tied.W = m.Embed.W
	return m
}

func TestNamesAreThePathsOfFieldsAndTags(t *testing.T) {
	s, err := peft.FindSites(tensor.Shapes(), newNested())
	require.NoError(t, err)
	var names, params []string
	for x := range s.All() {
		names = append(names, x.Name())
	}
	for f := range s.Params() {
		params = append(params, f.Name)
	}
	require.Equal(t, []string{"embed", "encoder.layer.0.attention.query", "encoder.layer.0.Norm", "encoder.layer.1.attention.query", "encoder.layer.1.Norm", "head"}, names)
	require.Equal(t, "embed.weight", params[0])
	require.Len(t, params, 1+2*4, "tied parameters once, absent ones not")
	require.Equal(t, 7*3+2*(9+3+6), s.Count())
	require.Equal(t, 1, s.Find("encoder.layer.1.Norm").Layer())
	require.Equal(t, -1, s.Find("head").Layer())
}

func TestSitesThatCannotBePatchedAreErrors(t *testing.T) {
	type hidden struct{ query peft.Linear }
	type byValue struct{ Layers []peft.Linear }
	m := newNested()
	_, err := peft.FindSites(tensor.Shapes(), m)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		model any
		says  string
	}{
		"unexported": {&hidden{query: peft.NewLinear(1, 1, false, "")}, "query"},
		"none":       {&struct{ N int }{1}, "no sites"},
		"a copy":     {&struct{ A *inner }{copied(m.Layer[0])}, "copy"},
	} {
		_, err := peft.FindSites(tensor.Shapes(), c.model)
		require.ErrorContains(t, err, c.says, name)
	}
	_, err = peft.FindSites(tensor.Shapes(), &byValue{make([]peft.Linear, 0)})
	require.Error(t, err)
}

// copied is a copy of a block, as a loop over values makes by mistake.
func copied(x *inner) *inner {
	y := reflect.New(reflect.TypeFor[inner]())
	y.Elem().Set(reflect.ValueOf(x).Elem())
	return y.Interface().(*inner)
}
