package adapter_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/adapter"
	"peft/internal/golden"
	"peft/peft"
	"peft/tensor"
)

// TestConfigurationsOfTheLibrary reads what AdapterHub's library has written, and writes the same.
func TestConfigurationsOfTheLibrary(t *testing.T) {
	files, err := filepath.Glob(golden.Shared(t, "golden", "adapterhub", "cases") + "/*/adapter/adapter_config.json")
	require.NoError(t, err)
	tried := 0
	for _, path := range files {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		if name, err := peft.MethodName(text); err != nil || name != peft.HubFormat("") {
			continue
		}
		m, err := peft.DecodeMethod(text)
		require.NoError(t, err, path)
		got, err := m.(adapter.Config).Config(nil)
		require.NoError(t, err)
		require.Equal(t, "tuned", m.(adapter.Config).HubName())
		require.Equal(t, sorted(t, text, "config"), encode(t, got), path)
		tried++
	}
	require.Greater(t, tried, 40)
}

// sorted is a field of a JSON object, its keys in order and its numbers as they were written.
func sorted(t *testing.T, text []byte, field string) string {
	var doc map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	require.NoError(t, d.Decode(&doc))
	if inner := doc[field].(map[string]any); inner["dropout"] == json.Number("0.0") {
		inner["dropout"], inner["stochastic_depth"] = json.Number("0"), json.Number("0") // zeros may lose their point, factors may not
	}
	return encode(t, doc[field])
}

func encode(t *testing.T, v any) string {
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

func TestNames(t *testing.T) {
	for text, want := range map[string]adapter.Config{
		`{"method":"adapter"}`:             adapter.Pfeiffer(),
		`{"method":"double_seq_bn"}`:       adapter.Houlsby(),
		`{"method":"parallel"}`:            adapter.Parallel(),
		`{"method":"scaled_par_bn"}`:       adapter.ScaledParallel(),
		`{"method":"compacter"}`:           adapter.Compacter(),
		`{"method":"compacter++"}`:         adapter.CompacterPlusPlus(),
		`{"method":"adapter_plus"}`:        adapter.Plus(),
		`{"method":"adapter","head":true}`: {Head: true},
		`{"method":"adapter","reduction_factor":{"1":2,"default":8},"name":"a"}`: {Name: "a", Reduction: 8, Reductions: map[int]float64{1: 2}},
		`{"config":{"output_adapter":true,"reduction_factor":8,"non_linearity":"gelu","residual_before_ln":false},"name":"b"}`: {
			Name: "b", Reduction: 8, Activation: "gelu_new", Input: adapter.Branch, Residual: adapter.ToInput,
		},
	} {
		m, err := peft.DecodeMethod([]byte(text))
		require.NoError(t, err, text)
		got, err := m.(adapter.Config).Config(nil)
		require.NoError(t, err)
		expected, err := want.Config(nil)
		require.NoError(t, err)
		require.Equal(t, expected, got, text)
		require.Equal(t, want.HubName(), m.(adapter.Config).HubName())
		require.Equal(t, want.Head, m.(adapter.Config).Head)
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	for text, says := range map[string]string{
		`{"method":"adapter","r":4}`:                                   `unknown field "r"`,
		`{"method":"adapter","reduction_factor":0}`:                    "reduction_factor is 0",
		`{"method":"adapter","reduction_factor":{"1":0}}`:              `"1": 0`,
		`{"method":"adapter","reduction_factor":{"one":2}}`:            `"one": 2`,
		`{"method":"adapter","reduction_factor":"x"}`:                  "expected a number",
		`{"method":"adapter","scaling":"much"}`:                        `Scaling is "much"`,
		`{"method":"adapter","scaling":0}`:                             "scaling is 0",
		`{"method":"adapter","residual_before_ln":3}`:                  "residual_before_ln is 3",
		`{"method":"adapter","inv_adapter":"glow"}`:                    `inv_adapter is "glow"`,
		`{"method":"adapter","inv_adapter":"nice"}`:                    "inv_adapter_reduction_factor is missing",
		`{"method":"compacter","phm_dim":0}`:                           "phm_dim is 0",
		`{"method":"compacter","phm_c_init":"ones"}`:                   `phm_c_init is "ones"`,
		`{"config":{"non_linearity":"step"},"name":"a","version":"x"}`: `Activation is "step"`,
		`{"config":{"architecture":"of tomorrow"},"name":"a"}`:         `no method "AdapterHub/of tomorrow"`,
		`{"config":[],"name":"a"}`:                                     "cannot unmarshal array",
		`{"config":{"reduction_factor":[]},"name":"a"}`:                "expected a number, or numbers of blocks",
	} {
		_, err := peft.DecodeMethod([]byte(text))
		require.ErrorContains(t, err, says, text)
	}
}

// TestFoldersOfOtherModels loads an adapter that was saved with the base's prefix before its names into a model without, and the other way round.
func TestFoldersOfOtherModels(t *testing.T) {
	type headed struct {
		Bert *stack `name:"bert"`
	}
	with, without := &headed{newStack(8, 2, 0)}, newStack(8, 2, 0)
	for from, to := range map[any]any{with: without, without: with} {
		q, err := peft.Attach(tensor.Reference(), from, adapter.Houlsby(), 1)
		require.NoError(t, err)
		dir := filepath.Join(t.TempDir(), "a")
		require.NoError(t, peft.Save(dir, q, peft.Info{}))
		sites, err := peft.FindSites(tensor.Reference(), to)
		require.NoError(t, err)
		_, report, err := peft.Load(sites, dir)
		require.NoError(t, err)
		require.Empty(t, report.Missing)
		require.Empty(t, report.Unexpected)
		require.Len(t, report.Loaded, 16)
	}
}

func TestPicklesAreNotRead(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "adapter_config.json"), []byte(`{"config":{"output_adapter":true,"non_linearity":"relu","reduction_factor":2},"name":"a"}`), 0o600))
	sites, err := peft.FindSites(tensor.Reference(), newStack(8, 1, 0))
	require.NoError(t, err)
	_, _, err = peft.Load(sites, dir)
	require.ErrorContains(t, err, "adapter.safetensors")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pytorch_adapter.bin"), nil, 0o600))
	_, _, err = peft.Load(sites, dir)
	require.ErrorContains(t, err, "pytorch_adapter.bin is a pickle")
}

// A stack is the sublayers of a published model.
type stack struct {
	Embedded peft.Hidden
	Encoder  []*sublayers
	Decoder  []*sublayers
}

type sublayers struct{ Attended, Fed peft.Sublayer }

func newStack(size, encoder, decoder int) *stack {
	s := &stack{Embedded: peft.Hidden{Size: size}}
	for i := range encoder + decoder {
		b := &sublayers{peft.Sublayer{Role: peft.SelfBlock, Size: size}, peft.Sublayer{Role: peft.FFN, Size: size}}
		if i < encoder {
			s.Encoder = append(s.Encoder, b)
		} else {
			s.Decoder = append(s.Decoder, b)
		}
	}
	return s
}

// TestPublishedCounts counts what is trained of published models.
func TestPublishedCounts(t *testing.T) {
	var counts map[string]map[string]*int
	text, err := os.ReadFile(golden.Shared(t, "golden", "adapterhub", "counts.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &counts))
	for name, model := range map[string]*stack{
		"bert-base-uncased": newStack(768, 12, 0), "bert-large-uncased": newStack(1024, 24, 0), "bart-large": newStack(1024, 12, 12), "distilbert-base-uncased": newStack(768, 6, 0),
		"gpt2": newStack(768, 12, 0), "gpt2-medium": newStack(1024, 24, 0), "roberta-base": newStack(768, 12, 0), "roberta-large": newStack(1024, 24, 0), "t5-base": newStack(768, 12, 12),
	} {
		for _, method := range []string{"seq_bn", "double_seq_bn", "par_bn", "scaled_par_bn", "seq_bn_inv", "double_seq_bn_inv", "compacter", "compacter++"} {
			m, err := peft.DecodeMethod([]byte(`{"method":"` + method + `"}`))
			require.NoError(t, err)
			q, err := peft.Attach(tensor.CPU(1), model, m, 1)
			require.NoError(t, err)
			require.NotNil(t, counts[name][method], "%s of %s", method, name)
			require.Equal(t, *counts[name][method], q.Trainable(), "%s of %s", method, name)
		}
	}
}

func TestBlocksAreCountedThroughBothStacks(t *testing.T) {
	model := newStack(8, 2, 2)
	q, err := peft.Attach(tensor.Reference(), model, adapter.Config{LeaveOut: []int{0, 3}}, 1)
	require.NoError(t, err)
	require.Nil(t, q.Param("Encoder.0.Fed/adapter_up.bias"))
	require.NotNil(t, q.Param("Encoder.1.Fed/adapter_up.bias"))
	require.NotNil(t, q.Param("Decoder.0.Fed/adapter_up.bias"))
	require.Nil(t, q.Param("Decoder.1.Fed/adapter_up.bias"))
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"method":"adapter","reduction_factor":{"1":2,"default":8}}`))
	f.Add([]byte(`{"config":{"phm_layer":true,"scaling":"learned"},"name":"a"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := peft.DecodeMethod(text)
		c, ok := m.(adapter.Config)
		if err != nil || !ok {
			return
		}
		written, err := c.Config(nil)
		require.NoError(t, err)
		again, err := peft.DecodeMethod([]byte(encode(t, map[string]any{"config": written, "name": c.Name, "version": "adapters.1", "head": c.Head})))
		require.NoError(t, err)
		require.Equal(t, encode(t, written), encode(t, must(again.(adapter.Config).Config(nil))))
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestPHMWords reads words of files that do not mean what they say: rules that are not to be learned are trained by the library all the same, and "phm" is a normal start.
func TestPHMWords(t *testing.T) {
	m, err := peft.DecodeMethod([]byte(`{"config":{"architecture":null,"mh_adapter":false,"output_adapter":true,"reduction_factor":4,"non_linearity":"leaky_relu","phm_layer":true,"phm_dim":2,"phm_rank":1,` +
		`"factorized_phm_W":true,"shared_phm_rule":true,"learn_phm":false,"phm_c_init":"normal","hypercomplex_nonlinearity":"phm","phm_bias":true},"name":"x","version":"adapters.1.3.0"}`))
	require.NoError(t, err)
	c := m.(adapter.Config)
	require.False(t, c.PHM.FixedRules)
	require.Equal(t, adapter.GlorotNormal, c.PHM.Weights)
}
