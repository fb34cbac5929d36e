package models_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/lora"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

// TestRepeatedLayers wants layers that stand in a model more than once to have one set of numbers, and sites of their own.
func TestRepeatedLayers(t *testing.T) {
	config := []byte(`{"model_type":"bert","architectures":["BertModel"],"hidden_size":8,"intermediate_size":12,"num_hidden_layers":3,"num_attention_heads":2,"max_position_embeddings":6,"vocab_size":20,"type_vocab_size":2}`)
	plain, err := models.Blank(config, models.Options{})
	require.NoError(t, err)
	m, err := models.Blank(config, models.Options{Layers: []int{0, 2, 2, 1, 0}})
	require.NoError(t, err)
	sites := find(t, m)
	require.Equal(t, find(t, plain).Count(), sites.Count())
	at := func(name string) *peft.Linear { return sites.Find(name).(*peft.Linear) }
	require.Same(t, at("encoder.layer.1.attention.self.query").W, at("encoder.layer.2.attention.self.query").W)
	require.NotSame(t, at("encoder.layer.1.attention.self.query").W, at("encoder.layer.3.attention.self.query").W)
	require.Equal(t, "encoder.layer.2.output.dense.bias", at("encoder.layer.1.output.dense").B.Name)

	require.ErrorContains(t, m.Export(t.TempDir()+"/out", nil), "cannot say that a model has the layers [0 2 2 1 0]")

	c := lora.Config{Rank: 1, On: peft.Suffixes("query"), Replication: [][2]int{{0, 1}, {2, 3}, {2, 3}, {1, 2}, {0, 1}}}
	q, err := peft.AttachTo(sites, c, 1)
	require.NoError(t, err)
	require.Equal(t, 5*2*8, q.Trainable())
	_, err = peft.AttachTo(find(t, plain), c, 1)
	require.ErrorContains(t, err, "Replication is of 5 layers, the model has 3")
}

func find(t *testing.T, m *models.Opened) *peft.Sites {
	sites, err := peft.FindSites(tensor.Shapes(), m.Unwrap())
	require.NoError(t, err)
	return sites
}

func TestRepeatedLayersRefuse(t *testing.T) {
	_, err := models.Blank([]byte(`{"model_type":"gpt2","architectures":["GPT2Model"],"n_embd":8,"n_layer":1,"n_head":2,"n_positions":6,"vocab_size":20}`), models.Options{Layers: []int{0, 0}})
	require.ErrorContains(t, err, `of type "gpt2" cannot be repeated`)
	_, err = models.Blank([]byte(`{"model_type":"bert","architectures":["BertModel"],"hidden_size":8,"intermediate_size":12,"num_hidden_layers":1,"num_attention_heads":2,"max_position_embeddings":6,"vocab_size":20}`), models.Options{Layers: []int{0, 1}})
	require.ErrorContains(t, err, "must be of the 1 there are")
	for config, says := range map[string]string{
		`{"peft_type":"LORA","layer_replication":[[3,1]]}`:         "holds [3 1], must be ascending from 0",
		`{"peft_type":"LORA","layer_replication":[[0,1000000]]}`:   "not more than 4096 layers",
		`{"peft_type":"LORA","layer_replication":[[-1,1],[0,1]]}`:  "holds [-1 1], must be ascending from 0",
		`{"peft_type":"LORA","layer_replication":{"first":[0,1]}}`: "layer_replication",
	} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(dir+"/"+peft.ConfigFile, []byte(config), 0o644))
		_, err := models.For(dir)
		require.ErrorContains(t, err, says)
	}
}
