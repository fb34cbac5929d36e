package prefix_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/peft"
	"peft/peft/pefttest"
	"peft/prefix"
	"peft/tensor"
)

// saved is the folder of a fresh patch of the laws' model, and the patch.
func saved(t *testing.T, m peft.Method) (dir string, q *peft.Patch) {
	q, err := peft.Attach(tensor.CPU(1), pefttest.NewModel(1), m, 3)
	require.NoError(t, err)
	dir = t.TempDir() + "/patch"
	require.NoError(t, peft.Save(dir, q, peft.Info{}))
	return dir, q
}

func values(q *peft.Patch, name string) []float64 { return q.Param(name).Tensor().Float64s() }

// TestConfigurations reads configurations that ask for what there is not.
func TestConfigurations(t *testing.T) {
	for text, says := range map[string]string{
		`{"method":"prefix","tokens":3}`:                                              `unknown field "tokens"`,
		`{"method":"prefix","init_weights":"one"}`:                                    `init_weights is "one"`,
		`{"method":"p_tuning","encoder_reparameterization_type":"GRU"}`:               `Encoder is "GRU"`,
		`{"method":"prompt","tokenizer_kwargs":{"a":1}}`:                              "tokenizer_kwargs is not supported",
		`{"method":"multitask_prompt_tuning","num_tasks":2,"num_virtual_tokens":"3"}`: `"num_virtual_tokens" is a string, expected a whole number`,
	} {
		_, err := peft.DecodeMethod([]byte(text))
		require.ErrorContains(t, err, says, text)
	}
}

// FuzzConfigurations attaches whatever a configuration says to a model, or is told why not.
func FuzzConfigurations(f *testing.F) {
	for _, text := range []string{
		`{"peft_type":"PREFIX_TUNING","num_virtual_tokens":3,"prefix_projection":true,"encoder_hidden_size":4,"inference_mode":true,"task_type":"SEQ_CLS"}`,
		`{"peft_type":"PREFIX_TUNING","num_virtual_tokens":2,"init_weights":true}`,
		`{"peft_type":"PROMPT_TUNING","num_virtual_tokens":2,"prompt_tuning_init":"SAMPLE_VOCAB","modules_to_save":["classifier"]}`,
		`{"peft_type":"P_TUNING","num_virtual_tokens":2,"encoder_reparameterization_type":"LSTM","encoder_hidden_size":3,"encoder_num_layers":1,"encoder_dropout":0.1}`,
		`{"peft_type":"MULTITASK_PROMPT_TUNING","num_virtual_tokens":2,"num_tasks":3,"num_ranks":2,"prompt_tuning_init":"EXACT_SOURCE_TASK"}`,
		`{"config":{"architecture":"prefix_tuning","prefix_length":2,"bottleneck_size":3,"use_gating":true,"leave_out":[0]},"name":"a"}`,
		`{"config":{"architecture":"prompt_tuning","prompt_length":2,"combine":"prefix_after_bos"},"name":"a","head":true}`,
		`{"method":"prefix","num_virtual_tokens":1099511627776}`,
	} {
		f.Add([]byte(text))
	}
	sites, err := peft.FindSites(tensor.Reference(), pefttest.NewModel(1))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := peft.DecodeMethod(text)
		if err != nil || len(text) > 1<<10 {
			return
		}
		q, err := peft.AttachTo(sites, m, 1)
		if err == nil {
			require.Positive(t, q.Trainable()+q.Taken())
		}
	})
}

// TestDefaults wants ten tokens where a configuration does not say how many, and the sizes it states to be the model's.
func TestDefaults(t *testing.T) {
	model := pefttest.NewModel(1)
	for name, rows := range map[string]string{
		"prefix": "prefix/prompt_embeddings", "prompt": "prompt/prompt_embeddings", "p_tuning": "prompt/embedding.weight", "multitask_prompt_tuning": "prompt/prompt_embeddings",
	} {
		m, err := peft.DecodeMethod([]byte(`{"method":"` + name + `"}`))
		require.NoError(t, err)
		q, err := peft.Attach(tensor.CPU(1), model, m, 1)
		require.NoError(t, err)
		require.Equal(t, 10, q.Param(rows).Tensor().Rows(), name)
		for _, field := range []string{"token_dim", "num_layers", "num_attention_heads", "num_transformer_submodules"} {
			m, err := peft.DecodeMethod([]byte(`{"method":"` + name + `","` + field + `":77}`))
			require.NoError(t, err)
			_, err = peft.Attach(tensor.CPU(1), model, m, 1)
			require.ErrorContains(t, err, field+" 77, the model has")
		}
	}
}

// TestConfigIsWritten saves what Hugging Face PEFT reads, and reads it back.
func TestConfigIsWritten(t *testing.T) {
	for name, m := range map[string]peft.FileMethod{
		"prefix":  prefix.Config{Tokens: 3, Projection: true, Hidden: 5, Zero: true, Head: true},
		"prompt":  prefix.Prompt{Tokens: 3, Init: prefix.FromText, IDs: []int32{1}, Text: "good", Tokenizer: "somewhere"},
		"ptuning": prefix.PTuning{Tokens: 3, Encoder: prefix.LSTM, Hidden: 5, Layers: 1, Dropout: 0.5}, "tasks": prefix.Multitask{Prompt: prefix.Prompt{Tokens: 2}, Tasks: 3, Ranks: 2},
	} {
		dir, q := saved(t, m)
		want, err := m.Config(q.Sites())
		require.NoError(t, err)
		again, _, err := peft.Load(q.Sites(), dir)
		require.NoError(t, err)
		got, err := again.Method().(peft.FileMethod).Config(q.Sites())
		require.NoError(t, err)
		require.Equal(t, want, got, name)
	}
}

// TestTextWithoutTokenizer is written as rows that start at random: Hugging Face PEFT wants a tokenizer to every text.
func TestTextWithoutTokenizer(t *testing.T) {
	m := prefix.Prompt{Tokens: 3, Init: prefix.FromText, IDs: []int32{1}}
	_, q := saved(t, m)
	config, err := m.Config(q.Sites())
	require.NoError(t, err)
	require.Equal(t, prefix.Random, config["prompt_tuning_init"])
}
