package models_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/models"
	"peft/peft"
)

// TestFlexibleHeads opens models for heads of AdapterHub's library, or says what is wrong with these.
func TestFlexibleHeads(t *testing.T) {
	bert := golden.Shared(t, "golden", "adapterhub", "models", "bert")
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
		`{"head_type":"masked_lm","layers":2}`:                                                        {class: "BertAdapterModel", says: `head_type is "masked_lm"`},
		`{"head_type":"tagging","layers":1000000000,"num_labels":2}`:                                  {class: "BertAdapterModel", says: "layers is 1000000000"},
		`{"head_type":"tagging","layers":1,"num_labels":0}`:                                           {class: "BertAdapterModel", says: "num_labels is 0"},
		`{"head_type":"tagging","layers":1,"num_labels":2,"activation_function":"prelu"}`:             {class: "BertAdapterModel", says: "prelu"},
		`{"head_type":"tagging","layers":1,"num_labels":2}`:                                           {class: "GPT2AdapterModel", says: `no class "GPT2AdapterModel"`},
		`{"head_type":"tagging","layers":1,"num_labels":2,"activation_function":null,"bias":"maybe"}`: {class: "BertAdapterModel", says: "bias"},
	} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, peft.ConfigFile), []byte(`{"config":{},"name":"x","model_class":"`+want.class+`"}`), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, peft.HubHeadConfigFile), []byte(`{"name":"x","config":`+head+`}`), 0o600))
		m, err := models.OpenFor(bert, dir)
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
