package lora_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/bitfit"
	"peft/internal/golden"
	"peft/lora"
	"peft/peft"
	"peft/sparsemask"
	"peft/tensor"
)

// speaker is a model whose output shares the table of its input, with a map in between, under the names of Llama's.
type speaker struct {
	Word peft.Embedding `name:"embed_tokens"`
	Up   peft.Linear    `name:"up_proj"`
	Out  peft.Linear    `name:"lm_head"`
}

func newSpeaker() *speaker {
	m := &speaker{Word: peft.NewEmbedding(4, 2), Up: peft.LinearOf([]float32{1, 2, 3, 4}, nil, 2), Out: peft.NewLinear(2, 4, false, peft.Head)}
	m.Word.W.W = tensor.WeightOf([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 4, 2)
	m.Out.W = m.Word.W
	return m
}

func (m *speaker) logits(patches ...*peft.Patch) []float64 {
	p := peft.With(tensor.Reference(), patches...)
	defer p.Close()
	return m.Out.Apply(p, m.Up.Apply(p, m.Word.Apply(p, []int32{2, 0}, tensor.Singles(2)))).Float64s()
}

// TestModulesApart wants a module that is trained whole to be a copy, which the base's ties do not reach, unless ties are to be kept. A row of tens in place of the first one of the table, at
// the input or at the output or at both, says which.
func TestModulesApart(t *testing.T) {
	for name, c := range map[string]struct {
		method lora.Config
		param  string
		logits []float64 // of the words 2 and 0
	}{
		"input":  {lora.Config{Save: []string{"embed_tokens"}}, "embed_tokens.weight", []float64{95, 207, 319, 431, 170, 370, 570, 770}},
		"output": {lora.Config{Save: []string{"lm_head"}}, "lm_head.weight", []float64{560, 207, 319, 431, 160, 59, 91, 123}},
		"head":   {lora.Config{Head: true}, "lm_head.weight", []float64{560, 207, 319, 431, 160, 59, 91, 123}},
		"tied":   {lora.Config{Save: []string{"lm_head"}, Tie: true}, "embed_tokens.weight", []float64{560, 207, 319, 431, 1000, 370, 570, 770}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newSpeaker()
			c.method.Rank, c.method.On = 1, peft.Suffixes("up_proj")
			q, err := peft.Attach(tensor.Reference(), m, c.method, 1)
			require.NoError(t, err)
			require.Equal(t, m.logits(), m.logits(q))
			require.Equal(t, 4+8, q.Trainable())
			require.Equal(t, 8+4+4+8, q.Summary().Total)
			q.Param(c.param).Tensor().Assign([]float64{10, 10, 3, 4, 5, 6, 7, 8})
			require.Equal(t, c.logits, m.logits(q))
			rereads(t, m, q, c.logits)

			_, err = peft.Merge(tensor.Reference(), m, q)
			if c.method.Tie {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.param+" is trained as a copy")
			}
		})
	}
}

// rereads wants a saved patch to compute the same once it is read, alone and as part of a composition.
func rereads(t *testing.T, m *speaker, q *peft.Patch, logits []float64) {
	dir := t.TempDir() + "/patch"
	require.NoError(t, peft.Save(dir, q, peft.Info{}))
	loaded, report, err := peft.Load(q.Sites(), dir)
	require.NoError(t, err)
	require.Empty(t, append(report.Missing, report.Unexpected...))
	require.Equal(t, logits, m.logits(loaded))
	both, err := peft.Average(nil, loaded, q)
	require.NoError(t, err)
	require.Equal(t, logits, m.logits(both))
}

// deep is a model whose head has a map within.
type deep struct {
	Up   peft.Linear `name:"up_proj"`
	Head peft.Linear `name:"classifier.dense"`
}

// TestDeepBias wants the key of a bias that is one of all biases and deep in a module that is trained whole to be that of Hugging Face PEFT, with the name of the adapter.
func TestDeepBias(t *testing.T) {
	m := &deep{peft.LinearOf([]float32{1, 2, 3, 4}, []float32{1, 2}, 2), peft.LinearOf([]float32{1, 2, 3, 4}, []float32{1, 2}, 2)}
	q, err := peft.Attach(tensor.Reference(), m, lora.Config{Rank: 1, On: peft.Suffixes("up_proj"), Save: []string{"classifier"}, Bias: lora.AllBias}, 1)
	require.NoError(t, err)
	dir := t.TempDir() + "/patch"
	require.NoError(t, peft.Save(dir, q, peft.Info{}))
	names := golden.Open(t, dir+"/"+peft.WeightsFile).Names()
	require.Contains(t, names, "base_model.model.classifier.modules_to_save.default.dense.bias")
	require.Contains(t, names, "base_model.model.classifier.original_module.dense.bias")
	require.Contains(t, names, "base_model.model.classifier.dense.bias")
}

// TestTables wants the base's tables in the file of a patch that adapts them, where their names or a pattern say so.
func TestTables(t *testing.T) {
	const in, out = "base_model.model.embed_tokens.base_layer.weight", "base_model.model.lm_head.base_layer.weight"
	for name, c := range map[string]struct {
		method peft.Method
		tables []string
	}{
		"names":     {lora.Config{Rank: 1, On: peft.Suffixes("lm_head", "up_proj")}, []string{out}},
		"both":      {lora.Config{Rank: 1, On: peft.Suffixes("lm_head", "embed_tokens")}, []string{in, out}},
		"pattern":   {lora.Config{Rank: 1, On: peft.FullMatch("embed.*")}, []string{in}},
		"elsewhere": {lora.Config{Rank: 1, On: peft.FullMatch("up.*")}, nil},
		"tokens":    {lora.Config{Rank: 1, On: peft.Suffixes("lm_head"), Tokens: lora.TokenRows{"": {1}}}, nil},
		"shira":     {sparsemask.SHiRA{Rank: 1, Targeted: peft.Targeted{On: peft.Suffixes("lm_head")}}, []string{out}},
		"beft":      {bitfit.ValueBias{Targeted: peft.Targeted{On: peft.Suffixes("lm_head")}}, []string{out}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newSpeaker()
			m.Out.W = peft.LinearOf([]float32{1, 2, 3, 4, 5, 6, 7, 8}, nil, 2).W
			q, err := peft.Attach(tensor.Reference(), m, c.method, 1)
			require.NoError(t, err)
			dir := t.TempDir() + "/patch"
			require.NoError(t, peft.Save(dir, q, peft.Info{}))
			names := slices.DeleteFunc(golden.Open(t, dir+"/"+peft.WeightsFile).Names(), func(n string) bool { return !strings.Contains(n, "base_layer") })
			require.ElementsMatch(t, c.tables, names)
		})
	}
}
