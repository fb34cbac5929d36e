package bitfit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/bitfit"
	"peft/internal/golden"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/tensor"
)

const (
	size, inner, layers = pefttest.Size, pefttest.Inner, pefttest.Layers
	head                = pefttest.Classes * (size + 1)
	linears, norms      = layers * (5*size + inner), layers * 2 * size
)

func TestLaws(t *testing.T) {
	for name, c := range map[string]struct {
		method peft.Method
		want   int
	}{
		"all":              {bitfit.Config{}, linears + norms},
		"all and head":     {bitfit.Config{Head: true}, linears + norms + head},
		"without norms":    {bitfit.Config{Norms: new(false)}, linears},
		"half":             {bitfit.Config{Terms: []peft.Role{peft.Query, peft.Up}}, layers * (size + inner)},
		"half and norms":   {bitfit.Config{Terms: []peft.Role{peft.Query, peft.Up}, Norms: new(true)}, layers*(size+inner) + norms},
		"norm tuning":      {bitfit.NormTuning{}, 2 * norms},
		"some norms, head": {bitfit.NormTuning{Targeted: peft.Targeted{On: peft.Named("*.Norm2"), Head: true}}, norms + head},
		"value bias":       {bitfit.ValueBias{}, layers * size},
		"value bias, head": {bitfit.ValueBias{Targeted: peft.Targeted{Head: true}}, layers*size + head},
	} {
		t.Run(name, func(t *testing.T) { pefttest.Test(t, c.method, pefttest.Want{Trained: c.want}) })
	}
	t.Run("random", func(t *testing.T) {
		pefttest.Test(t, bitfit.ValueBias{Random: true, Targeted: peft.Targeted{On: peft.Named("*.Query")}}, pefttest.Want{Trained: layers * size, Different: true})
	})
}

// bare is a model without biases, whose query, key and value are one map.
type bare struct {
	QKV, Down peft.Linear
	Norm      peft.Norm
	Out       peft.Linear
}

func newBare() *bare {
	w := []float32{1, 2, -1, 3, 2, 1, 0, -2, 1, 4, 1, -3}
	m := &bare{QKV: peft.LinearOf(w, nil, 2), Down: peft.LinearOf(w, nil, 6), Norm: peft.NewNorm(2, 1e-6, true), Out: peft.LinearOf(w[:4], nil, 2)}
	m.QKV.Role, m.QKV.Parts = peft.Fused, []peft.Part{{Role: peft.Query, Lo: 0, Hi: 2}, {Role: peft.Key, Lo: 2, Hi: 4}, {Role: peft.Value, Lo: 4, Hi: 6}}
	m.Down.Role, m.Out.IsHead = peft.Down, true
	m.Norm.W.W = tensor.WeightOf([]float32{1, 2}, 1, 2)
	return m
}

func (m *bare) Forward(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	return m.Out.Apply(p, m.Norm.Apply(p, m.Down.Apply(p, m.QKV.Apply(p, x))))
}

// names are the parameters that a configuration trains in the bare model.
func names(t *testing.T, c bitfit.Config) (all []string, q *peft.Patch) {
	q, err := peft.Attach(tensor.Reference(), newBare(), c, 1)
	require.NoError(t, err)
	for x := range q.Params() {
		all = append(all, x.Name)
	}
	return all, q
}

func TestAdd(t *testing.T) {
	got, q := names(t, bitfit.Config{Add: true})
	require.Equal(t, []string{"QKV.bias", "Down.bias", "Norm.bias"}, got)
	require.Equal(t, 10, q.Trainable())
	require.Equal(t, 30+10, q.Summary().Total, "what the base has none of counts beside it")
	got, _ = names(t, bitfit.Config{Add: true, Norms: new(false)})
	require.Equal(t, []string{"QKV.bias", "Down.bias"}, got)
	got, q = names(t, bitfit.Config{Add: true, Terms: []peft.Role{peft.Value, peft.Query}})
	require.Equal(t, []string{"QKV.bias"}, got)
	require.Equal(t, []int32{0, 1, 4, 5}, q.Param("QKV.bias").Places)
	got, q = names(t, bitfit.Config{Add: true, Terms: []peft.Role{peft.Value, peft.Query, peft.Key}})
	require.Equal(t, []string{"QKV.bias"}, got)
	require.Nil(t, q.Param("QKV.bias").Places)
}

// TestParts moves a part of a fused bias and wants the function to move there alone, saved, loaded and merged too.
func TestParts(t *testing.T) {
	m, d := newBare(), tensor.CPU(1)
	q, err := peft.Attach(d, m, bitfit.Config{Add: true, Terms: []peft.Role{peft.Key}}, 1)
	require.NoError(t, err)
	fused := func(patches ...*peft.Patch) []float64 {
		p := peft.With(d, patches...)
		defer p.Close()
		return m.QKV.Apply(p, p.Scope().Tensor([]float64{1, 1}, 1, 2)).Float64s()
	}
	base := fused()
	require.Equal(t, base, fused(q))
	q.Param("QKV.bias").Tensor().Assign([]float64{10, 20})
	want := []float64{base[0], base[1], base[2] + 10, base[3] + 20, base[4], base[5]}
	require.Equal(t, want, fused(q))
	merged, err := peft.Merge(d, m, q)
	require.NoError(t, err)
	require.Equal(t, want, fused(merged))

	dir := t.TempDir() + "/patch"
	require.NoError(t, peft.Save(dir, q, peft.Info{}))
	require.Equal(t, []string{"QKV.bias.indices", "QKV.bias.values"}, golden.Open(t, dir+"/"+peft.WeightsFile).Names())
	loaded, report, err := peft.Load(q.Sites(), dir)
	require.NoError(t, err)
	require.Empty(t, report.Unexpected)
	require.Equal(t, want, fused(loaded))
}

func TestRefusals(t *testing.T) {
	for says, c := range map[string]peft.Method{
		`kind "gate" has a bias (Add puts`:                    bitfit.Config{Terms: []peft.Role{"gate"}},
		`there are biases of: fused, query, key, value, down`: bitfit.Config{Terms: []peft.Role{"gate"}, Add: true},
		"has no biases to train (Add puts zero biases":        bitfit.Config{},
		"Norm: a bias is added":                               bitfit.ValueBias{Targeted: peft.Targeted{On: peft.Named("Norm")}},
		"not a *peft.Linear":                                  bitfit.NormTuning{Targeted: peft.Targeted{On: peft.Named("QKV")}},
	} {
		_, err := peft.Attach(tensor.Reference(), newBare(), c, 1)
		require.ErrorContains(t, err, says)
	}
	for text, says := range map[string]string{
		`{"method":"bitfit","terms":["all","query"]}`: "not both",
		`{"method":"bitfit","terms":[]}`:              "terms is empty",
		`{"method":"bitfit","term":"all"}`:            `unknown field "term"`,
		`{"method":"bitfit","terms":3}`:               `"terms" is a number, expected a string`,
	} {
		_, err := peft.DecodeMethod([]byte(text))
		require.ErrorContains(t, err, says, text)
	}
}

// TestFiledNorms reads a patch that trains a linear map as norms are trained, which Hugging Face PEFT makes, and which is refused where it is not in a file.
func TestFiledNorms(t *testing.T) {
	m, d := newBare(), tensor.Reference()
	q, err := peft.Attach(d, m, bitfit.NormTuning{Targeted: peft.Targeted{On: peft.Named("QKV")}}.Filed(), 1)
	require.NoError(t, err)
	dir := t.TempDir() + "/patch"
	require.NoError(t, peft.Save(dir, q, peft.Info{}))
	require.Contains(t, golden.Open(t, dir+"/"+peft.WeightsFile).Names(), "base_model.model.QKV.ln_tuning_layers.weight")
	loaded, report, err := peft.Load(q.Sites(), dir)
	require.NoError(t, err)
	require.Empty(t, append(report.Missing, report.Unexpected...))
	require.Equal(t, q.Trainable(), loaded.Trainable())
}
