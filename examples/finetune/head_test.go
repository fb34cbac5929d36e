package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
	"peft/internal/golden"
	"peft/models"
	"peft/tensor"
	"peft/tensor/safetensors"
)

// TestFreshHeads wants a head that a model has not to have as many classes as the data, or the model's configuration, asks for.
func TestFreshHeads(t *testing.T) {
	for name, c := range map[string]struct {
		names   string // id2label of config.json
		labels  []int64
		classes int
	}{
		"the data has more": {`"0": "a"`, []int64{0, 4, 1}, 5}, "the configuration has more": {`"0": "a", "1": "b", "2": "c", "3": "d"`, []int64{0, 1, 1}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.config("BertForSequenceClassification", "BertModel")
			s.config(`"0": "LABEL_0",
    "1": "LABEL_1",
    "2": "LABEL_2"`, c.names)
			s.weights(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(`"classifier.`), []byte(`"xlassifier.`)) })
			path := s.dir + "/data.safetensors"
			ids := []int64{2, 5, 3, 2, 6, 3, 2, 7, 3}
			require.NoError(t, safetensors.Write(path, []safetensors.Tensor{safetensors.I64("input_ids", []int{3, 3}, ids), safetensors.I64("labels", []int{3}, c.labels)}, nil))
			_, _, err := runProgram(t, "-model", s.model, "-data", path, "-steps", "1", "-out", s.dir+"/out")
			require.NoError(t, err)
			head, ok := golden.Open(t, s.dir+"/out/adapter_model.safetensors").Tensor("base_model.model.classifier.weight")
			require.True(t, ok)
			require.Equal(t, []int{c.classes, 32}, head.Shape)
			_, _, err = runProgram(t, "-model", s.model, "-data", path, "-steps", "1", "-out", s.dir+"/out", "-method", `{"method":"lora","head":false}`)
			require.ErrorContains(t, err, "a fresh one must be trained")
			_, _, err = runProgram(t, "-model", s.model, "-data", path, "-steps", "1", "-out", s.dir+"/again", "-method", `{"peft_type":"LORA","r":2}`)
			require.NoError(t, err)
			_, ok = golden.Open(t, s.dir+"/again/adapter_model.safetensors").Tensor("base_model.model.classifier.weight")
			require.True(t, ok, "also where the configuration is in the words of Hugging Face PEFT")
		})
	}
}

// TestHeadsOfWords wants the fresh head of a language model to be trained and saved with the adapter, which then finds its way back to the model.
func TestHeadsOfWords(t *testing.T) {
	model := golden.Shared(t, "golden", "hf", "models", "bert-base")
	path, out := filepath.Join(t.TempDir(), "data.safetensors"), filepath.Join(t.TempDir(), "out")
	ids := []int64{2, 5, 3, 2, 6, 3, 2, 7, 3}
	require.NoError(t, safetensors.Write(path, []safetensors.Tensor{safetensors.I64("input_ids", []int{3, 3}, ids), safetensors.I64("labels", []int{3, 3}, ids)}, nil))
	args := []string{"-model", model, "-task", "mlm", "-data", path, "-steps", "1", "-out", out}
	_, _, err := runProgram(t, args...)
	require.NoError(t, err)
	require.Empty(t, reload(t, model, out))
	_, ok := golden.Open(t, out+"/adapter_model.safetensors").Tensor("base_model.model.cls.predictions.transform.dense.weight")
	require.True(t, ok)
	_, _, err = runProgram(t, append(args, "-method", "bitfit")...)
	require.ErrorContains(t, err, "the model has no head for the task mlm")
}

// TestHeadsThatStay wants a classifier's head that is not trained to be in the file nevertheless: Hugging Face PEFT looks for it there.
func TestHeadsThatStay(t *testing.T) {
	for model, method := range map[string]string{"bert-tok": "lora", "bert-cls": `{"method":"prefix","head":false}`} {
		model := golden.Shared(t, "golden", "hf", "models", model)
		path, out := filepath.Join(t.TempDir(), "data.safetensors"), filepath.Join(t.TempDir(), "out")
		labels := safetensors.I64("labels", []int{3, 3}, []int64{0, 1, 2, 2, 1, 0, 0, 0, 0})
		if strings.HasSuffix(model, "cls") {
			labels = safetensors.I64("labels", []int{3}, []int64{0, 1, 2})
		}
		require.NoError(t, safetensors.Write(path, []safetensors.Tensor{safetensors.I64("input_ids", []int{3, 3}, []int64{2, 5, 3, 2, 6, 3, 2, 7, 3}), labels}, nil))
		_, _, err := runProgram(t, "-model", model, "-data", path, "-steps", "1", "-out", out, "-method", method)
		require.NoError(t, err)
		require.Empty(t, reload(t, model, out))
		w := golden.Open(t, out+"/adapter_model.safetensors")
		require.True(t, slices.ContainsFunc(w.Names(), func(n string) bool { return strings.HasSuffix(n, "classifier.weight") }), w.Names())
	}
}

// TestNamesStay wants classes that have names to keep their numbers when training goes on, whichever comes first in the data, and in the names of a model's own head.
func TestNamesStay(t *testing.T) {
	s := newScene(t)
	good, bad := `{"text":"good book","label":"good"}`+"\n", `{"text":"bad book","label":"bad"}`+"\n"
	labels := func(dir string) []string { return cli.Labels(s.dir + dir) }
	args := []string{"-model", s.model, "-data", s.data, "-steps", "1"}
	s.write(s.data, good+bad)
	_, _, err := runProgram(t, append(args, "-out", s.dir+"/first")...)
	require.NoError(t, err)
	require.Equal(t, []string{"good", "bad"}, labels("/first"))
	s.write(s.data, bad+good)
	_, _, err = runProgram(t, append(args, "-out", s.dir+"/second", "-init", s.dir+"/first")...)
	require.NoError(t, err)
	require.Equal(t, []string{"good", "bad"}, labels("/second"))

	s.config(`"0": "LABEL_0",
    "1": "LABEL_1",
    "2": "LABEL_2"`, `"0": "bad", "1": "good", "2": "ugly"`)
	s.write(s.data, good+bad)
	_, _, err = runProgram(t, append(args, "-out", s.dir+"/third")...)
	require.NoError(t, err)
	require.Equal(t, []string{"bad", "good", "ugly"}, labels("/third"))
	s.write(s.data, good+`{"text":"bad book","label":"worse"}`)
	_, _, err = runProgram(t, append(args, "-out", s.dir+"/fourth")...)
	require.ErrorContains(t, err, `data.jsonl:2: label "worse" is one more than the 3 classes of the model`)
}

// reload loads an adapter and returns what there was to complain of.
func reload(t *testing.T, model, adapter string) string {
	m, err := models.OpenFor(model, adapter)
	require.NoError(t, err)
	defer m.Close()
	var people bytes.Buffer
	_, err = cli.Load(cli.Env{Err: &people}, tensor.Reference(), m, adapter)
	require.NoError(t, err)
	return people.String()
}

// TestFreshPooler wants a pooler that the file has not to be trained and saved with the head, where -pool asks for it, and the adapter to find its way back.
func TestFreshPooler(t *testing.T) {
	s := newScene(t)
	s.config("BertForSequenceClassification", "BertModel")
	s.weights(func(b []byte) []byte {
		b = bytes.ReplaceAll(b, []byte(`"classifier.`), []byte(`"xlassifier.`))
		return bytes.ReplaceAll(b, []byte(".pooler."), []byte(".xooler."))
	})
	args := []string{"-model", s.model, "-data", s.data, "-steps", "1", "-seed", "5", "-out", s.dir + "/out"}
	for _, pool := range []string{"head", "mean"} {
		_, _, err := runProgram(t, append(args, "-pool", pool)...)
		require.NoError(t, err)
		require.Empty(t, reload(t, s.model, s.dir+"/out"), pool)
		_, ok := golden.Open(t, s.dir+"/out/adapter_model.safetensors").Tensor("base_model.model.bert.pooler.dense.weight")
		require.Equal(t, pool == "head", ok)
	}
	_, _, err := runProgram(t, append(args, "-pool", "head", "-method", "bitfit")...)
	require.ErrorContains(t, err, "the model has no head for the task seqcls")
	_, _, err = runProgram(t, append(args, "-method", `{"method":"fish","samples":1,"keep":0.1}`)...)
	require.NoError(t, err)
	require.Empty(t, reload(t, s.model, s.dir+"/out"), "a mask is of the model whatever its head")
}
