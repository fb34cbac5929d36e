//go:build !race

package train_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/models"
	"peft/peft"
	"peft/tensor"
	"peft/tensor/safetensors"
	"peft/train"
)

// largerBert is a model whose memory stands out from that of the program.
const largerBert = `{"model_type":"bert","architectures":["BertForSequenceClassification"],"hidden_size":256,"num_hidden_layers":8,"num_attention_heads":4,"intermediate_size":1024,"vocab_size":20000,
	"max_position_embeddings":128,"type_vocab_size":2,"num_labels":2}`

// alone is the variable by which the test's own program is told what to train, with what model.
const alone = "PEFT_TEST_PEAK"

// TestPeakMemoryMeasured trains in a process of its own and compares what the system says that it took with what was predicted.
func TestPeakMemoryMeasured(t *testing.T) {
	if method := os.Getenv(alone); method != "" {
		takeMemory(t, method)
		return
	}
	dir := t.TempDir()
	saveRandom(t, dir, largerBert)
	for _, method := range []string{`{"method":"lora","target_modules":["query","value"],"head":true}`, `{"method":"full"}`, `{"method":"lora","target_modules":"all-linear"}`} {
		t.Run(method, func(t *testing.T) {
			child := exec.Command(os.Args[0], "-test.run", "^TestPeakMemoryMeasured$")
			child.Env = append(os.Environ(), alone+"="+method)
			child.Dir = dir
			out, err := child.CombinedOutput()
			require.NoError(t, err, string(out))
			var predicted, measured float64
			text, err := os.ReadFile(filepath.Join(dir, "peak"))
			require.NoError(t, err)
			_, err = fmt.Sscan(string(text), &predicted, &measured)
			require.NoError(t, err)
			t.Logf("predicted %.0f MB, measured %.0f", predicted/1e6, measured/1e6)
			require.InEpsilon(t, measured, predicted, 0.15)
		})
	}
}

// saveRandom writes a model of random weights to a folder.
func saveRandom(t *testing.T, dir, config string) {
	m, err := models.New([]byte(config), models.Options{Seed: 1})
	require.NoError(t, err)
	sites, err := peft.FindSites(tensor.Reference(), m.Unwrap())
	require.NoError(t, err)
	var all []safetensors.Tensor
	for f := range sites.Params() {
		data, _ := f.W.Data()
		all = append(all, safetensors.Tensor{Name: f.Name, DType: safetensors.Float32, Shape: f.Shape, Data: data})
	}
	require.NoError(t, safetensors.Write(filepath.Join(dir, "model.safetensors"), all, nil))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o644))
}

// takeMemory trains a few steps and leaves the predicted and the measured bytes in a file.
func takeMemory(t *testing.T, method string) {
	debug.SetGCPercent(10)
	before := train.PeakRSS()
	m, err := models.Open(".", models.Options{})
	require.NoError(t, err)
	defer m.Close()
	config := train.Config{Steps: 3, Batch: 12, LR: 1e-3}
	predicted, err := train.PeakMemory(modelJob(t, tensor.Shapes(), m, method), config)
	require.NoError(t, err)
	_, err = train.Run(context.Background(), modelJob(t, tensor.CPU(2), m, method), config)
	require.NoError(t, err)
	text := fmt.Sprint(predicted.Total(), train.PeakRSS()-before)
	require.NoError(t, os.WriteFile("peak", []byte(text), 0o644))
}
