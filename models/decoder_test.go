package models_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

// TestBatchLoss compares the loss that training calls, which never holds all logits, and its gradients.
func TestBatchLoss(t *testing.T) {
	for _, c := range append(golden.Cases(t, "hf", "gpt2-lm.full", "llama-lm.full", "bert-cls.full"), golden.Cases(t, "own", "full-gpt2", "full-llama")...) {
		for name, d := range devices {
			t.Run(c.Name+"/"+name, func(t *testing.T) {
				m, in := openCase(t, c), readCase(t, c)
				q, err := peft.Attach(d.dev, m.Model, peft.Full{}, 1)
				require.NoError(t, err)
				b, err := in.Batch(m.Model, all(in)...)
				require.NoError(t, err)
				p := peft.With(d.dev, q)
				t.Cleanup(p.Close)
				loss, err := models.BatchLoss(p, m.Model, b)
				require.NoError(t, err)
				want := golden.Open(t, c.Path("expect.safetensors"))
				golden.Close(t, want, "loss", loss.Float64s(), c.Tolerance()+d.logits)
				gradients(t, c, want, q, loss, c.Tolerance()+d.gradient)
			})
		}
	}
}

func readCase(t *testing.T, c golden.Case) *models.Inputs {
	in, err := models.ReadInputs(golden.Open(t, c.Path("batch.safetensors")))
	require.NoError(t, err)
	return in
}

func all(in *models.Inputs) (rows []int) {
	for i := range in.Len() {
		rows = append(rows, i)
	}
	return rows
}

// tiny is a configuration that tests change.
const tiny = `{"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_size":8,"intermediate_size":12,"num_hidden_layers":2,"num_attention_heads":4,"vocab_size":11}`

// with is tiny with other fields.
func with(t *testing.T, fields map[string]any) []byte {
	c := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(tiny), &c))
	for k, v := range fields {
		c[k] = v
	}
	return mustJSON(t, c)
}

func TestDecoderRefusals(t *testing.T) {
	for says, fields := range map[string]map[string]any{
		"no multiple of num_key_value_heads 3": {"num_key_value_heads": 3},
		"head_dim is -1":                       {"head_dim": -1},
		"1 layer_types for 2 layers":           {"layer_types": []string{"full_attention"}},
		`"linear_attention" is not supported`:  {"layer_types": []string{"full_attention", "linear_attention"}},
		"sliding_window is -4":                 {"sliding_window": -4},
		`rope_type "yarn" is not supported`:    {"rope_parameters": map[string]any{"rope_type": "yarn"}},
		"make no angles":                       {"rope_scaling": map[string]any{"type": "linear"}},
		"expected a positive base":             {"rope_theta": -1},
		"2 of a head's 2":                      {"rope_theta": -2},
		"final_logit_softcapping":              {"final_logit_softcapping": 30},
		"rotary positions":                     {"rope_scaling": "much"},
		"hidden_size 8 is no multiple":         {"model_type": "gpt_neox", "architectures": []string{"GPTNeoXForCausalLM"}, "num_attention_heads": 3},
		"norms after the sums":                 {"model_type": "opt", "architectures": []string{"OPTForCausalLM"}, "do_layer_norm_before": false},
		"LlamaModel, LlamaForCausalLM":         {"architectures": []string{"LlamaForNothing"}},
	} {
		_, err := models.Blank(with(t, fields), models.Options{})
		require.ErrorContains(t, err, says)
	}
	_, err := models.Blank(with(t, map[string]any{"rope_scaling": nil, "head_dim": nil, "sliding_window": nil, "pad_token_id": nil}), models.Options{})
	require.NoError(t, err)
}

// TestShift: the row of token t is scored with the label of token t+1, wherever padding is.
func TestShift(t *testing.T) {
	m, err := models.New([]byte(tiny), models.Options{})
	require.NoError(t, err)
	in := &models.Inputs{
		IDs: [][]int32{{1, 2, 3, 4}, {0, 5, 6, 7}, {8, 9, 0, 0}}, Mask: [][]int32{{1, 1, 1, 1}, {0, 1, 1, 1}, {1, 1, 0, 0}},
		Labels: [][]int32{{-100, 2, 3, 4}, {-100, -100, 6, 7}, {8, 9, -100, -100}},
	}
	b, err := in.Batch(m.Unwrap(), 0, 1, 2)
	require.NoError(t, err)
	require.Equal(t, []int32{2, 3, 4, -100, 6, 7, -100, 9, -100}, b.Labels)
	require.Equal(t, []int32{0, 1, 2, 3, 1, 2, 3, 0, 1}, b.Layout.Pos)
	require.Equal(t, 6, in.Targets(m.Unwrap()))
	require.Equal(t, 6, models.Targets(b.Labels))
}

// TestLastToken: a classifier sees the last token that is not padding, whether a mask says so or the token itself, and whatever comes after it.
func TestLastToken(t *testing.T) {
	m, err := models.New(with(t, map[string]any{"pad_token_id": 0}), models.Options{Task: models.SequenceClassification, Labels: 3})
	require.NoError(t, err)
	logits := func(s models.Sequence) []float64 {
		b, err := models.Pack(m.Unwrap(), s)
		require.NoError(t, err)
		p := peft.With(tensor.Reference()).NoGrad()
		defer p.Close()
		return m.Forward(p, b).Float64s()
	}
	want := logits(models.Sequence{IDs: []int32{4, 5, 6}})
	require.Len(t, want, 3)
	require.Equal(t, want, logits(models.Sequence{IDs: []int32{4, 5, 6, 0, 0}}))
	require.Equal(t, want, logits(models.Sequence{IDs: []int32{4, 5, 6, 7, 7}, Mask: []bool{true, true, true, false, false}}))
	require.NotEqual(t, want, logits(models.Sequence{IDs: []int32{4, 5, 7}}))
	require.Len(t, logits(models.Sequence{IDs: []int32{0, 0}}), 3)
}

// TestHeadless opens the base of a language model, and a base with a new head.
func TestHeadless(t *testing.T) {
	for _, c := range golden.Cases(t, "hf", "gpt2-lm.forward", "llama-lm.forward", "gemma3-lm.forward", "gpt-neox-lm.forward", "opt-lm.forward", "distilbert-cls.forward") {
		m, err := models.Open(c.ModelDir(), models.Options{Headless: true})
		require.NoError(t, err)
		require.Empty(t, m.Fresh)
		require.Equal(t, models.NoTask, m.Task())
		b, err := models.Pack(m.Unwrap(), models.Sequence{IDs: []int32{1, 2, 3}})
		require.NoError(t, err)
		p := peft.With(tensor.CPU(1)).NoGrad()
		require.Equal(t, []int{3, m.Config.Hidden}, m.Forward(p, b).Shape())
		p.Close()
		require.NoError(t, m.Close())
	}
	c := golden.Cases(t, "hf", "qwen3-lm.forward")[0]
	m, err := models.Open(c.ModelDir(), models.Options{Task: models.SequenceClassification, Labels: 5})
	require.NoError(t, err)
	require.Equal(t, []string{"score.weight"}, m.Fresh)
	require.NoError(t, m.Close())
}
