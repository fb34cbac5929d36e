package hybrid_test

import (
	"testing"

	"peft/hybrid"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/tensor"
)

// FuzzDecode wants any configuration to be attached, counted and described, or refused.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{
		`{"method":"mam","prefix_tuning":{"flat":true,"prefix_length":3},"adapter":{"scaling":"learned","reduction_factor":{"default":4,"1":2}}}`,
		`{"method":"unipelt","lora":{"r":2,"attn_matrices":["k"]},"adapter":null,"head":true}`,
		`{"method":"adamix","experts":3,"share":"down","of":{"method":"adapter","phm_layer":true,"phm_dim":2,"reduction_factor":6}}`,
		`{"config":{"architecture":"union","configs":[{"architecture":"lora","composition_mode":"scale","r":1},{"architecture":"prefix_tuning","prefix_length":2}]},"name":"x"}`,
	} {
		f.Add([]byte(text))
	}
	model := pefttest.NewModel(1)
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := peft.DecodeMethod(text)
		if err != nil {
			return
		}
		if h, ok := m.(peft.HubMethod); ok {
			_, _ = h.Config(nil)
		}
		if _, ours := m.(hybrid.AdaMix); ours {
			_, _ = peft.Attach(tensor.Shapes(), model, m, 1)
		}
	})
}
