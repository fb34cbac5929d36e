package models_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

// TestFlexibleHeads opens models for heads of AdapterHub's library, or says what is wrong with these.
func TestFlexibleHeads(t *testing.T) {
	for head, want := range map[string]struct {
		class, says string
		shapes      map[string][]int
	}{
		`{"head_type":"tagging","layers":1,"num_labels":5,"activation_function":"tanh","dropout_prob":null}`: {
			class: "BertAdapterModel", shapes: map[string][]int{"heads.x.1.weight": {5, 32}, "heads.x.1.bias": {5}},
		},
		`{"head_type":"classification","layers":2,"num_labels":5,"activation_function":null,"use_pooler":true,"bias":false}`: {
			class: "BertAdapterModel", shapes: map[string][]int{"heads.x.1.weight": {32, 32}, "heads.x.1.bias": {32}, "heads.x.3.weight": {5, 32}},
		},
		`{"head_type":"classification","layers":2,"num_labels":4,"activation_function":"tanh"}`: {
			class: "GPT2AdapterModel", shapes: map[string][]int{"heads.x.1.weight": {36, 36}, "heads.x.1.bias": {36}, "heads.x.4.weight": {4, 36}, "heads.x.4.bias": {4}},
		},
		`{"head_type":"tagging","layers":1,"num_labels":3,"activation_function":"tanh"}`: {
			class: "LlamaAdapterModel", shapes: map[string][]int{"heads.x.1.weight": {3, 36}, "heads.x.1.bias": {3}},
		},
		`{"head_type":"masked_lm","layers":2}`:                                                        {class: "BertAdapterModel", says: `head_type is "masked_lm"`},
		`{"head_type":"tagging","layers":1000000000,"num_labels":2}`:                                  {class: "BertAdapterModel", says: "layers is 1000000000"},
		`{"head_type":"tagging","layers":1,"num_labels":0}`:                                           {class: "BertAdapterModel", says: "num_labels is 0"},
		`{"head_type":"tagging","layers":1,"num_labels":2,"activation_function":"prelu"}`:             {class: "BertAdapterModel", says: "prelu"},
		`{"head_type":"tagging","layers":1,"num_labels":2}`:                                           {class: "OPTAdapterModel", says: `no class "OPTAdapterModel"`},
		`{"head_type":"tagging","layers":1,"num_labels":2,"activation_function":null,"bias":"maybe"}`: {class: "BertAdapterModel", says: "bias"},
	} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, peft.ConfigFile), []byte(`{"config":{},"name":"x","model_class":"`+want.class+`"}`), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, peft.HubHeadConfigFile), []byte(`{"name":"x","config":`+head+`}`), 0o600))
		family := strings.ToLower(strings.TrimSuffix(strings.Replace(want.class, "OPT", "Bert", 1), "AdapterModel"))
		m, err := models.OpenFor(golden.Shared(t, "golden", "adapterhub", "models", family), dir)
		if want.says != "" {
			require.ErrorContains(t, err, want.says)
			continue
		}
		require.NoError(t, err)
		defer m.Close()
		sites, err := peft.FindSites(nil, m.Unwrap())
		require.NoError(t, err)
		got := map[string][]int{}
		for l := range sites.Linears() {
			for _, f := range l.Frozen() {
				if l.Role == peft.Head && !f.Absent {
					got[f.Name] = f.Shape
				}
			}
		}
		require.Equal(t, want.shapes, got)
	}
}

// TestFlexibleCausal wants a head of one map on a decoder to be the decoder's own classifier.
func TestFlexibleCausal(t *testing.T) {
	for family, own := range map[string]string{"gpt2": "GPT2", "llama": "Llama"} {
		dir := golden.Shared(t, "golden", "adapterhub", "models", family)
		logits := func(o models.Options, weight string) []float64 {
			m, err := models.Open(dir, o)
			require.NoError(t, err)
			defer m.Close()
			sites, err := peft.FindSites(tensor.Reference(), m.Unwrap())
			require.NoError(t, err)
			q, err := peft.AttachTo(sites, peft.Heads{}, 1)
			require.NoError(t, err)
			x := q.Param(weight).Tensor()
			x.Assign(ramp(x.Len()))
			p := peft.With(tensor.Reference(), q).NoGrad()
			defer p.Close()
			return m.Forward(p, &models.Batch{IDs: []int32{5, 6, 7, 8, 9}, Layout: tensor.NewLayout(3, 2)}).Float64s()
		}
		head := models.FlexibleHead{Name: "x", Type: "classification", Layers: 1, Labels: 3}
		want := logits(models.Options{Task: models.SequenceClassification, Labels: 3}, "score.weight")
		require.Equal(t, want, logits(models.Options{Class: own + "AdapterModel", Flexible: head}, "heads.x.1.weight"), family)
	}
}

func ramp(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = float64(i%7) - 3
	}
	return v
}
