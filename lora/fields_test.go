package lora_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/tensor"
)

// TestFieldsThatOthersRead wants a configuration to have no field that Hugging Face's has not; where one is set that it has not, the sites are named one by one.
func TestFieldsThatOthersRead(t *testing.T) {
	s, err := peft.FindSites(tensor.Shapes(), pefttest.NewModel(1))
	require.NoError(t, err)
	for text, want := range map[string][]string{
		`{"method":"vera","target_modules":["Query","Value"],"r":2,"exclude_modules":["Layers.0.Query"]}`: {"Layers.0.Value", "Layers.1.Query", "Layers.1.Value"},
		`{"method":"road","target_modules":["Query"],"group_size":2}`:                                     {"Query"},
	} {
		m, err := peft.DecodeMethod([]byte(text))
		require.NoError(t, err, text)
		fields, err := m.(peft.FileMethod).Config(s)
		require.NoError(t, err, text)
		got, err := json.Marshal(fields["target_modules"])
		require.NoError(t, err)
		expected, err := json.Marshal(want)
		require.NoError(t, err)
		require.JSONEq(t, string(expected), string(got), text)
	}
	lacks := func(m peft.FileMethod, names ...string) {
		fields, err := m.Config(s)
		require.NoError(t, err)
		for _, n := range names {
			require.NotContains(t, fields, n)
		}
	}
	on := lora.Common{On: peft.Suffixes("Query")}
	lacks(lora.VeRA{Common: on, Rank: 2}, "exclude_modules")
	lacks(lora.IA3{Common: on}, "layers_to_transform", "layers_pattern")
	lacks(lora.RoAd{Common: on, Group: 2}, "exclude_modules", "layers_to_transform", "layers_pattern")
}
