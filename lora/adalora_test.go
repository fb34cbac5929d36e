package lora_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/tensor"
)

// TestAdaLoRAFile saves a patch one of whose maps has lost all of its components, with biases and rows of tokens that are trained beside.
func TestAdaLoRAFile(t *testing.T) {
	lost := map[string][]bool{"Layers.0.Query.lora_E": {false, false}, "Layers.1.Query.lora_E": {true, false}}
	c := lora.AdaLoRA{Common: lora.Common{On: peft.Named("*.Query"), Bias: lora.OnlyLoRA}, InitRank: 2, RankPattern: lost, Tokens: lora.TokenRows{"": {1, 4}}}
	q, err := peft.Attach(tensor.Reference(), pefttest.NewModel(1), c, 1)
	require.NoError(t, err)
	require.Equal(t, (2*pefttest.Size+1)+2*pefttest.Size+2*pefttest.Size, q.Trainable())
	dir := t.TempDir() + "/patch"
	require.NoError(t, peft.Save(dir, q, peft.Info{}))
	names := golden.Open(t, dir+"/"+peft.WeightsFile).Names()
	require.Contains(t, names, "base_model.model.Layers.0.Query.base_layer.bias")
	require.Contains(t, names, "base_model.model.Words.token_adapter.trainable_tokens_delta")
	_, report, err := peft.Load(q.Sites(), dir)
	require.NoError(t, err)
	require.Empty(t, append(report.Missing, report.Unexpected...))
}
