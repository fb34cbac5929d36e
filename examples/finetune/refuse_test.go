package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
	"peft/internal/golden"
	"peft/tensor/safetensors"
)

// A scene is a model folder and data that are right, until a test spoils something.
type scene struct {
	*testing.T
	dir, model, data string
}

func newScene(t *testing.T) scene {
	s := scene{t, t.TempDir(), filepath.Join(t.TempDir(), "model"), filepath.Join(t.TempDir(), "data.jsonl")}
	require.NoError(t, os.CopyFS(s.model, os.DirFS(golden.Shared(t, "golden", "hf", "models", "bert-cls"))))
	words := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "book"}
	s.write(filepath.Join(s.model, "vocab.txt"), strings.Join(words, "\n"))
	s.write(filepath.Join(s.model, "tokenizer.json"), tokenizerJSON(words))
	s.write(s.data, `{"text":"good book","label":0}`+"\n"+`{"text":"bad book","label":1}`+"\n")
	return s
}

// tokenizerJSON is a WordPiece tokenizer of a few words.
func tokenizerJSON(words []string) string {
	var vocab []string
	for i, w := range words {
		vocab = append(vocab, fmt.Sprintf("%q:%d", w, i))
	}
	return `{"version":"1.0","added_tokens":[],"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},
		"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]},"decoder":{"type":"WordPiece","prefix":"##","cleanup":true},
		"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{` + strings.Join(vocab, ",") + `}}}`
}

func (s scene) write(path, text string) {
	require.NoError(s, os.WriteFile(path, []byte(text), 0o666))
}

// weights changes the model's file of weights.
func (s scene) weights(change func([]byte) []byte) {
	path := filepath.Join(s.model, "model.safetensors")
	old, err := os.ReadFile(path)
	require.NoError(s, err)
	s.write(path, string(change(old)))
}

// config replaces text in config.json.
func (s scene) config(old, new string) {
	path := filepath.Join(s.model, "config.json")
	text, err := os.ReadFile(path)
	require.NoError(s, err)
	require.Contains(s, string(text), old)
	s.write(path, strings.Replace(string(text), old, new, 1))
}

func TestGoodInput(t *testing.T) {
	s := newScene(t)
	out, _, err := runProgram(t, "-model", s.model, "-data", s.data, "-eval", s.data, "-steps", "2", "-out", s.dir+"/out", "-json")
	require.NoError(t, err)
	require.Contains(t, out, `"steps":2`)
	require.FileExists(t, s.dir+"/out/adapter_config.json")
}

func TestBadInput(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(s scene)
		args  []string
		says  []string // what the one line holds
	}{
		"no model":             {func(s scene) { os.RemoveAll(s.model) }, nil, []string{"config.json"}},
		"no weights":           {func(s scene) { os.Remove(s.model + "/model.safetensors") }, nil, []string{"model"}},
		"truncated weights":    {func(s scene) { s.weights(func(b []byte) []byte { return b[:len(b)-100] }) }, nil, []string{"model.safetensors"}},
		"a lying header":       {func(s scene) { s.weights(func(b []byte) []byte { b[6] = 0x7f; return b }) }, nil, []string{"model.safetensors", "header"}},
		"unknown architecture": {func(s scene) { s.config(`"model_type": "bert"`, `"model_type": "perceiver"`) }, nil, []string{`"perceiver"`, "bert, ", "roberta"}},
		"shapes do not fit":    {func(s scene) { s.config(`"intermediate_size": 56`, `"intermediate_size": 57`) }, nil, []string{"intermediate.dense.weight", "[56 32]", "[57 32]"}},
		"a negative size":      {func(s scene) { s.config(`"hidden_size": 32`, `"hidden_size": -32`) }, nil, []string{"hidden_size is -32"}},
		"a target of nothing":  {nil, []string{"-method", `{"method":"lora","target_modules":["q_proj"]}`}, []string{"q_proj", "encoder.layer.N.attention.self.query"}},
		"rank 0":               {nil, []string{"-method", `{"method":"lora","r":0}`}, []string{"Rank is 0", "at least 1"}},
		"an unknown method":    {nil, []string{"-method", "magic"}, []string{`"magic"`, "lora"}},
		"a label too large":    {func(s scene) { s.write(s.data, `{"text":"good","label":7}`) }, nil, []string{":1:", "label 7", "0 to 2"}},
		"no examples":          {func(s scene) { s.write(s.data, "\n\n") }, nil, []string{"data.jsonl", "no examples"}},
		"broken JSON":          {func(s scene) { s.write(s.data, `{"text":"good","label":1}`+"\n"+`{"text":"bad",`) }, nil, []string{"data.jsonl:2:", "JSON"}},
		"no labels":            {func(s scene) { s.write(s.data, `{"text":"good"}`) }, nil, []string{"data.jsonl", "labels"}},
		"a rate of infinity":   {nil, []string{"-lr", "1e38", "-steps", "20", "-schedule", "constant"}, []string{"finite"}},
		"a folder in a file":   {nil, []string{"-out", "/dev/null/out"}, []string{"/dev/null"}},
		"a wrong flag":         {nil, []string{"-rank", "3"}, []string{"-rank"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			if c.spoil != nil {
				c.spoil(s)
			}
			args := append([]string{"-model", s.model, "-data", s.data, "-out", s.dir + "/out", "-steps", "2"}, c.args...)
			_, _, err := runProgram(t, args...)
			var line bytes.Buffer
			require.Equal(t, 1, cli.Status(err, &line))
			require.Equal(t, 1, strings.Count(line.String(), "\n"), line.String())
			for _, part := range c.says {
				require.Contains(t, line.String(), part)
			}
		})
	}
}

// TestLastGoodState wants an adapter whose training diverged to be saved as the last good step left it.
func TestLastGoodState(t *testing.T) {
	s := newScene(t)
	_, _, err := runProgram(t, "-model", s.model, "-data", s.data, "-out", s.dir+"/out", "-lr", "1e38", "-steps", "20", "-schedule", "constant")
	require.ErrorContains(t, err, "finite")
	f, err := safetensors.Open(s.dir + "/out/adapter_model.safetensors")
	require.NoError(t, err)
	defer f.Close()
	require.NotZero(t, f.Len())
}

// TestOldAdapterStays wants a failed run to leave what an earlier one saved.
func TestOldAdapterStays(t *testing.T) {
	s := newScene(t)
	args := []string{"-model", s.model, "-data", s.data, "-out", s.dir + "/out", "-steps", "1"}
	_, _, err := runProgram(t, args...)
	require.NoError(t, err)
	before, err := os.ReadFile(s.dir + "/out/adapter_model.safetensors")
	require.NoError(t, err)
	s.write(s.data, "{")
	_, _, err = runProgram(t, args...)
	require.Error(t, err)
	after, err := os.ReadFile(s.dir + "/out/adapter_model.safetensors")
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// TestLanguageModels wants texts, and prompts with completions, to train language models.
func TestLanguageModels(t *testing.T) {
	for name, c := range map[string]struct{ model, method, data string }{
		"masked": {"bert-mlm", "lora", `{"text":"good book"}`},
		"causal": {"gpt2-lm", `{"method":"lora","target_modules":["c_attn"]}`, `{"text":"good book bad book"}`},
		"prompt": {"gpt2-lm", `{"method":"lora","target_modules":["c_attn"]}`, `{"prompt":"good","completion":"book"}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			require.NoError(t, os.RemoveAll(filepath.Join(s.model, "model.safetensors")))
			from := golden.Shared(t, "golden", "hf", "models", c.model)
			for _, file := range []string{"config.json", "model.safetensors"} {
				text, err := os.ReadFile(filepath.Join(from, file))
				require.NoError(t, err)
				s.write(filepath.Join(s.model, file), string(text))
			}
			s.write(filepath.Join(s.model, "tokenizer_config.json"), `{"mask_token":"[MASK]"}`)
			s.write(s.data, strings.Repeat(c.data+"\n", 8))
			out, _, err := runProgram(t, "-model", s.model, "-method", c.method, "-data", s.data, "-steps", "3", "-batch", "8", "-out", s.dir+"/out", "-json")
			require.NoError(t, err)
			require.Contains(t, out, `"steps":3`)
		})
	}
}
