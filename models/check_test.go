package models_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/models"
	"peft/tensor"
)

// withClass is the configuration of a BERT with a head.
func withClass(class string) string {
	return `{"model_type":"bert","architectures":["` + class + `"],"hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,"intermediate_size":12,"vocab_size":20,
		"max_position_embeddings":6,"num_labels":3}`
}

func TestCheck(t *testing.T) {
	ids := [][]int32{{1, 2, 3}, {4, 5, 6}}
	for name, c := range map[string]struct {
		class string
		in    models.Inputs
		taken int
		says  string // empty: nothing is wrong
	}{
		"good":             {"BertForSequenceClassification", models.Inputs{IDs: ids, Labels: [][]int32{{2}, {tensor.Ignore}}}, 0, ""},
		"no labels":        {"BertForSequenceClassification", models.Inputs{IDs: ids}, 3, ""},
		"a negative token": {"BertModel", models.Inputs{IDs: [][]int32{{1}, {-5}}}, 0, "example 1: token 0 is -5, must be 0 to 19"},
		"a large token":    {"BertModel", models.Inputs{IDs: [][]int32{{1}, {1, 20}}}, 0, "example 1: token 1 is 20, must be 0 to 19"},
		"a type":           {"BertModel", models.Inputs{IDs: ids, Types: [][]int32{{0, 0, 0}, {0, 2, 0}}}, 0, "example 1: token type 1 is 2, must be 0 to 1"},
		"too long":         {"BertModel", models.Inputs{IDs: [][]int32{{1, 1, 1, 1, 1, 1, 1}}}, 0, "example 0: 7 tokens, the model has 6 positions"},
		"taken":            {"BertModel", models.Inputs{IDs: ids}, 4, "example 0: 3 tokens after 4 rows that the method puts in front, the model has 6 positions"},
		"all masked":       {"BertModel", models.Inputs{IDs: ids, Mask: [][]int32{{1, 1, 1}, {0, 0, 0}}}, 0, "example 1: it has no token that is not masked"},
		"a class":          {"BertForSequenceClassification", models.Inputs{IDs: ids, Labels: [][]int32{{2}, {3}}}, 0, "example 1: label 0 is 3, must be 0 to 2, or -100 for none"},
		"a negative class": {"BertForSequenceClassification", models.Inputs{IDs: ids, Labels: [][]int32{{-1}, {1}}}, 0, "example 0: label 0 is -1"},
		"labels of tokens": {"BertForSequenceClassification", models.Inputs{IDs: ids, Labels: [][]int32{{1, 1, 1}, {1, 1, 1}}}, 0, `example 0: 3 labels, the task "seqcls" wants 1`},
		"one for tokens":   {"BertForTokenClassification", models.Inputs{IDs: ids, Labels: [][]int32{{1}, {1}}}, 0, `example 0: 1 labels, the task "tokcls" wants 3`},
		"a token's class":  {"BertForTokenClassification", models.Inputs{IDs: ids, Labels: [][]int32{{1, 2, 0}, {1, 1, 3}}}, 0, "example 1: label 2 is 3, must be 0 to 2"},
		"a masked class":   {"BertForTokenClassification", models.Inputs{IDs: ids, Mask: [][]int32{{1, 1, 1}, {1, 1, 0}}, Labels: [][]int32{{1, 2, 0}, {1, 1, 9}}}, 0, ""},
		"words":            {"BertForMaskedLM", models.Inputs{IDs: ids, Labels: [][]int32{{1, 19, 0}, {1, 1, 3}}}, 0, ""},
		"no such word":     {"BertForMaskedLM", models.Inputs{IDs: ids, Labels: [][]int32{{1, 20, 0}, {1, 1, 3}}}, 0, "example 0: label 1 is 20, must be 0 to 19"},
	} {
		m, err := models.Blank([]byte(withClass(c.class)), models.Options{})
		require.NoError(t, err, name)
		err = m.Check(&c.in, c.taken)
		if c.says == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, "models: "+c.says, name)
		}
	}
}

func TestClasses(t *testing.T) {
	require.Equal(t, 0, (&models.Inputs{}).Classes())
	require.Equal(t, 5, (&models.Inputs{Labels: [][]int32{{-100, 4}, {1, 0}}}).Classes())
}

func TestBadConfigurations(t *testing.T) {
	for says, change := range map[string][2]string{
		`"hidden_size" is a string, expected a whole number`:         {`"hidden_size":8`, `"hidden_size":"8"`},
		`"num_hidden_layers" is 1.5, expected a whole number`:        {`"num_hidden_layers":1`, `"num_hidden_layers":1.5`},
		`"architectures" is a string, expected a list`:               {`["BertModel"]`, `"BertModel"`},
		"hidden_dropout_prob is 1.5, must be at least 0 and below 1": {`"num_labels":3`, `"hidden_dropout_prob":1.5`},
		"classifier_dropout is -1, must be at least 0 and below 1":   {`"num_labels":3`, `"classifier_dropout":-1`},
		"layer_norm_eps is -1, expected a small number":              {`"num_labels":3`, `"layer_norm_eps":-1`},
	} {
		_, err := models.Blank([]byte(strings.Replace(withClass("BertModel"), change[0], change[1], 1)), models.Options{})
		require.ErrorContains(t, err, says)
	}
	_, err := models.Blank([]byte(`{"model_type":"gpt2","architectures":["GPT2Model"],"n_embd":8,"n_layer":1,"n_head":2,"n_positions":6,"vocab_size":20,"attn_pdrop":1}`), models.Options{})
	require.ErrorContains(t, err, "attn_pdrop is 1, must be")
	_, err = models.Blank([]byte("[]"), models.Options{})
	require.ErrorContains(t, err, "found a list, expected an object")
	_, err = models.Blank([]byte(withClass("BertModel")), models.Options{Task: "seq2seq"})
	require.ErrorContains(t, err, `bert has no head for the task "seq2seq"; it has heads for: seqcls, tokcls, mlm`)
}

func TestWhatIsNoModelFolder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.gguf")
	require.NoError(t, os.WriteFile(file, []byte("GGUF"), 0o666))
	text := filepath.Join(t.TempDir(), "config.json")
	require.NoError(t, os.WriteFile(text, []byte("{}"), 0o666))
	for path, says := range map[string]string{
		dir: "GGUF files are not supported yet", file: "GGUF files are not supported yet", text: "found a file, expected a folder", dir + "/x": "no such file", t.TempDir(): "config.json: no such file",
	} {
		_, err := models.Open(path, models.Options{})
		require.ErrorContains(t, err, says, path)
		_, err = models.ReadConfig(path)
		require.ErrorContains(t, err, says, path)
	}
}

// TestAdaptersThatAgree wants folders of two formats, and such as leave something open, to suit one model, and others to be told apart in words.
func TestAdaptersThatAgree(t *testing.T) {
	folder := func(config string) string {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "adapter_config.json"), []byte(config), 0o666))
		return dir
	}
	hub, plain, open := folder(`{"model_class":"BertForSequenceClassification","config":{}}`), folder(`{"peft_type":"LORA","task_type":"SEQ_CLS"}`), folder(`{"peft_type":"LORA"}`)
	for _, pair := range [][]string{{hub, plain}, {plain, hub}, {open, plain}, {plain, open}, {hub, open, plain}} {
		o, err := models.For(pair...)
		require.NoError(t, err)
		require.True(t, o.Task == models.SequenceClassification || o.Class == "BertForSequenceClassification", o)
	}
	_, err := models.For(plain, folder(`{"peft_type":"LORA","task_type":"CAUSAL_LM"}`))
	require.ErrorContains(t, err, "is for the task seqcls, ")
	require.ErrorContains(t, err, " for the task lm")
	_, err = models.For(hub, folder(`{"peft_type":"LORA","task_type":"SEQ_CLS","pool":"mean"}`))
	require.ErrorContains(t, err, "for the task seqcls on the mean")
	_, err = models.For(folder(`[]`))
	require.ErrorContains(t, err, "found a list, expected an object")
}
