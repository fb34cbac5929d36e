package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
		"a field of none":      {nil, []string{"-method", `{"method":"lora","rank":4}`}, []string{`unknown field "rank"`}},
		"a word for a number":  {nil, []string{"-method", `{"method":"lora","r":"four"}`}, []string{`"r" is a string, expected a whole number`}},
		"a rank too large":     {nil, []string{"-method", `{"method":"lora","r":64}`}, []string{"rank is 64", "[32 32]"}},
		"a method of a file":   {nil, []string{"-method", "./nowhere.json"}, []string{"-method", "nowhere.json"}},
		"a label too large":    {func(s scene) { s.write(s.data, `{"text":"good","label":7}`) }, nil, []string{":1:", "label 7", "0 to 2"}},
		"a label far too large": {func(s scene) {
			s.config("BertForSequenceClassification", "BertModel")
			s.write(s.data, `{"text":"good","label":2000000000}`)
		}, nil, []string{":1:", "label 2000000000", "0 to 131071"}},
		"no examples":        {func(s scene) { s.write(s.data, "\n\n") }, nil, []string{"data.jsonl", "no examples"}},
		"broken JSON":        {func(s scene) { s.write(s.data, `{"text":"good","label":1}`+"\n"+`{"text":"bad",`) }, nil, []string{"data.jsonl:2:", "JSON"}},
		"only texts":         {func(s scene) { s.write(s.data, `{"text":"good"}`) }, []string{"-task", "tokcls"}, []string{"data.jsonl", "a label for each token"}},
		"prompts":            {func(s scene) { s.write(s.data, `{"prompt":"good","completion":"book"}`) }, nil, []string{"data.jsonl", `"prompt"`, "lm"}},
		"pairs":              {func(s scene) { s.write(s.data, `{"input":"good","target":"book"}`) }, nil, []string{"data.jsonl", `"input" and "target"`, "yet"}},
		"pictures":           {func(s scene) { s.write(s.data, `{"image":"a.png","label":1}`) }, nil, []string{"data.jsonl", `"image"`, "yet"}},
		"no labels":          {func(s scene) { s.write(s.data, `{"text":"good"}`) }, nil, []string{"data.jsonl", "labels"}},
		"a rate of infinity": {nil, []string{"-lr", "1e38", "-steps", "20", "-schedule", "constant"}, []string{"finite"}},
		"a folder in a file": {nil, []string{"-out", "/dev/null/out"}, []string{"/dev/null"}},
		"a wrong flag":       {nil, []string{"-rank", "3"}, []string{"-rank"}},
		"a wrong value":      {nil, []string{"-seed", "-1"}, []string{"-seed", "-1"}},
		"a task to come":     {nil, []string{"-task", "seq2seq"}, []string{"seq2seq is not there yet", "seqcls, tokcls, mlm, lm"}},
		"no task":            {nil, []string{"-task", "chess"}, []string{`"chess"`, "seqcls, tokcls, mlm, lm"}},
		"no head for it":     {nil, []string{"-task", "lm"}, []string{`no head for the task "lm"`, "seqcls, tokcls, mlm"}},
		"a pool":             {nil, []string{"-pool", "max"}, []string{`"max"`, "head or mean"}},
		"a storage to come":  {nil, []string{"-quantize", "nf4"}, []string{"nf4 is not there yet; there is int8"}},
		"a storage":          {nil, []string{"-quantize", "int3"}, []string{`"int3"`, "int8 or nf4"}},
		"negative steps":     {nil, []string{"-steps", "-1"}, []string{"Steps is -1"}},
		"a rate of nothing":  {nil, []string{"-lr", "nan"}, []string{"NaN", "0 or more"}},
		"a schedule":         {nil, []string{"-schedule", "round"}, []string{`"round"`, "cosine"}},
		"negative threads":   {nil, []string{"-threads", "-1"}, []string{"-threads is -1"}},
		"an unwritable copy": {nil, []string{"-save-f64", "/dev/null/copy"}, []string{"-save-f64 /dev/null/copy"}},
		"an unwritable log":  {nil, []string{"-log", "/dev/null/log"}, []string{"/dev/null/log"}},
		"rows in all places": {nil, []string{"-method", `{"method":"prompt","num_virtual_tokens":33}`}, []string{"example 0", "33 rows", "35 positions"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			if c.spoil != nil {
				c.spoil(s)
			}
			args := append([]string{"-model", s.model, "-data", s.data, "-out", s.dir + "/out", "-steps", "2"}, c.args...)
			_, people, err := runProgram(t, args...)
			if name != "a rate of infinity" { // which is seen when it has trained a while
				require.Empty(t, people)
			}
			var line bytes.Buffer
			require.Equal(t, 1, cli.Status(err, &line))
			require.Equal(t, 1, strings.Count(line.String(), "\n"), line.String())
			for _, part := range c.says {
				require.Contains(t, line.String(), part)
			}
		})
	}
}

// TestTheModelStays wants the model's folder not to be written into.
func TestTheModelStays(t *testing.T) {
	s := newScene(t)
	_, people, err := runProgram(t, "-model", s.model, "-data", s.data, "-out", s.model+"/.", "-steps", "1")
	require.ErrorContains(t, err, "-out is the model's folder")
	require.Empty(t, people)
}

// TestBadTensors wants the example that does not suit the model to be named before any is trained on, however late it comes.
func TestBadTensors(t *testing.T) {
	ids, labels := []int64{2, 5, 3, 2, 6, 3, 2, 7, 3}, []int64{0, 2, 1}
	for says, spoil := range map[string]func(ids, labels []int64){
		"example 2: token 1 is -7, must be 0 to 78":                  func(ids, _ []int64) { ids[7] = -7 },
		"example 2: token 1 is 79, must be 0 to 78":                  func(ids, _ []int64) { ids[7] = 79 },
		"example 2: label 0 is 3, must be 0 to 2, or -100 for none":  func(_, labels []int64) { labels[2] = 3 },
		"example 1: label 0 is -1, must be 0 to 2, or -100 for none": func(_, labels []int64) { labels[1] = -1 },
	} {
		s := newScene(t)
		x, y := slices.Clone(ids), slices.Clone(labels)
		spoil(x, y)
		path := s.dir + "/data.safetensors"
		require.NoError(t, safetensors.Write(path, []safetensors.Tensor{safetensors.I64("input_ids", []int{3, 3}, x), safetensors.I64("labels", []int{3}, y)}, nil))
		_, people, err := runProgram(t, "-model", s.model, "-data", path, "-shuffle=false", "-batch", "1", "-out", s.dir+"/out")
		require.ErrorContains(t, err, path+": models: "+says)
		require.Empty(t, people)
		require.NoDirExists(t, s.dir+"/out")
	}
}

// TestFilesOfExamplesStay wants none to be written over.
func TestFilesOfExamplesStay(t *testing.T) {
	s := newScene(t)
	for _, flag := range []string{"-log", "-save-f64"} {
		_, _, err := runProgram(t, "-model", s.model, "-data", s.data, "-steps", "1", "-out", s.dir+"/out", flag, s.data)
		require.ErrorContains(t, err, flag+" is a file of examples")
	}
}

// TestCheckpointBeside wants the checkpoint to be beside the folder, however that is written.
func TestCheckpointBeside(t *testing.T) {
	s := newScene(t)
	_, _, err := runProgram(t, "-model", s.model, "-data", s.data, "-steps", "1", "-out", s.dir+"/out/", "-checkpoint", "1")
	require.NoError(t, err)
	require.FileExists(t, s.dir+"/out.checkpoint")
}

// TestMethodsAreFound wants -method to be a name, JSON, a file of it or a folder, whatever its path looks like.
func TestMethodsAreFound(t *testing.T) {
	s := newScene(t)
	t.Chdir(s.dir)
	s.write("ranks.json", `{"method":"lora","r":2}`)
	s.write("lora", `{"method":"nothing of the kind"}`) // a method's name is no path
	for _, method := range []string{"lora", `{"method":"lora","r":2}`, "ranks.json", "./ranks.json", filepath.Join(s.dir, "ranks.json"), "first", "./first"} {
		_, _, err := runProgram(t, "-model", s.model, "-data", s.data, "-steps", "1", "-out", "first", "-method", method)
		require.NoError(t, err, method)
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

// TestInterruptedAtOnce wants a run that is interrupted before its first step to leave what an earlier one saved.
func TestInterruptedAtOnce(t *testing.T) {
	s := newScene(t)
	args := []string{"-model", s.model, "-data", s.data, "-out", s.dir + "/out", "-steps", "1"}
	_, _, err := runProgram(t, args...)
	require.NoError(t, err)
	before, err := os.ReadFile(s.dir + "/out/adapter_model.safetensors")
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("stop")
	cancel(stop)
	require.ErrorIs(t, run(ctx, cli.Env{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}, append(args, "-seed", "9")), stop)
	after, err := os.ReadFile(s.dir + "/out/adapter_model.safetensors")
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// TestQuantize wants a base of int8 to learn nearly as the file's own does, and its adapter to be of use on that.
func TestQuantize(t *testing.T) {
	s := newScene(t)
	var first []float64
	for _, more := range [][]string{nil, {"-quantize", "int8"}} {
		_, _, err := runProgram(t, append(more, "-model", s.model, "-data", s.data, "-steps", "3", "-seed", "2", "-out", s.dir+"/out", "-log", s.dir+"/log")...)
		require.NoError(t, err)
		got := losses(t, s.dir+"/log")
		if first == nil {
			first = got
		}
		require.InDeltaSlice(t, first, got, 0.05)
		require.Empty(t, reload(t, s.model, s.dir+"/out"))
	}
	require.NotEqual(t, first, losses(t, s.dir+"/log"))
	_, _, err := runProgram(t, "-quantize", "int8", "-method", `{"method":"fish","samples":1,"keep":0.1}`, "-model", s.model, "-data", s.data, "-steps", "1", "-out", s.dir+"/out")
	require.NoError(t, err)
	require.Empty(t, reload(t, s.model, s.dir+"/out"))
}

// TestLanguageModels wants texts, and prompts with completions, to train language models.
func TestLanguageModels(t *testing.T) {
	for name, c := range map[string]struct{ model, method, data string }{
		"masked":                    {"bert-mlm", "lora", `{"text":"good book"}`},
		"masked, of labelled texts": {"bert-mlm", "lora", `{"text":"good book bad book","label":1}`},
		"causal":                    {"gpt2-lm", `{"method":"lora","target_modules":["c_attn"]}`, `{"text":"good book bad book"}`},
		"prompt":                    {"gpt2-lm", `{"method":"lora","target_modules":["c_attn"]}`, `{"prompt":"good","completion":"book"}`},
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
