// Package golden reads the files in which trusted programs say what is right, for tests.
package golden

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor/safetensors"
)

// Shared is the path of something in the folder of shared test data beside the module. The test is skipped where that is absent.
func Shared(t testing.TB, path ...string) string {
	dir, err := os.Getwd()
	require.NoError(t, err)
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	p := filepath.Join(append([]string{dir, "..", "shared"}, path...)...)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("shared test data is absent: %v", err)
	}
	return p
}

// A Case is one case of the golden files.
type Case struct {
	Dir           string
	Name          string   `json:"case"`
	Model         string   `json:"model"`
	Kind          string   `json:"kind"`
	Method        string   `json:"method"`
	Precision     string   `json:"precision"`
	Trainable     int      `json:"trainable"`
	Total         int      `json:"total"`
	Batch         int      `json:"batch"`
	ZeroGradients []string `json:"zero_gradients"`
	Optimizer     struct {
		LR          float64   `json:"lr"`
		WeightDecay float64   `json:"weight_decay"`
		Betas       []float64 `json:"betas"`
		Eps         float64   `json:"eps"`
		Ratio       float64   `json:"loraplus_lr_ratio"`
		EmbeddingLR float64   `json:"loraplus_lr_embedding"`
	} `json:"optimizer"`
}

// Cases are the cases below golden/SET/cases whose folder matches one of the patterns.
func Cases(t testing.TB, set string, patterns ...string) (all []Case) {
	root := Shared(t, "golden", set)
	for _, p := range patterns {
		dirs, err := filepath.Glob(filepath.Join(root, "cases", p))
		require.NoError(t, err)
		require.NotEmpty(t, dirs, p)
		for _, dir := range dirs {
			c := Case{Dir: dir}
			readJSON(t, filepath.Join(dir, "case.json"), &c)
			c.Name = filepath.Base(dir)
			all = append(all, c)
		}
	}
	return all
}

func readJSON(t testing.TB, path string, v any) {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, v))
}

// ModelDir is the case's model folder.
func (c Case) ModelDir() string { return filepath.Join(c.Dir, "..", "..", "models", c.Model) }

// Path is a file or folder of the case.
func (c Case) Path(name ...string) string { return filepath.Join(append([]string{c.Dir}, name...)...) }

// Tolerance is the error, relative to a tensor's largest entry, that float64 arithmetic may have.
func (c Case) Tolerance() float64 {
	if c.Precision == "float32" {
		return 1e-5
	}
	return 1e-9
}

// Read reads a JSON file of the case.
func (c Case) Read(t testing.TB, name string, v any) { readJSON(t, c.Path(name), v) }

// Losses are those of the case's trajectory.
func (c Case) Losses(t testing.TB) (losses []float64, final float64) {
	var j struct {
		Losses []float64 `json:"losses"`
		Final  float64   `json:"final_loss"`
	}
	readJSON(t, c.Path("trajectory.json"), &j)
	return j.Losses, j.Final
}

// Open opens a file of tensors until the test ends.
func Open(t testing.TB, path string) *safetensors.File {
	f, err := safetensors.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

// Close compares values with a tensor of a file: no entry may be further off than tolerance times the tensor's largest entry.
func Close(t testing.TB, f *safetensors.File, name string, got []float64, tolerance float64) {
	t.Helper()
	want, ok := f.Tensor(name)
	require.True(t, ok, "no %s in the file", name)
	values, err := want.Float64s()
	require.NoError(t, err)
	require.Len(t, got, len(values), name)
	Near(t, name, values, got, tolerance)
}

// Near compares values: no entry may be further off than tolerance times the largest entry.
func Near(t testing.TB, name string, want, got []float64, tolerance float64) {
	t.Helper()
	size, worst, at := 0.0, 0.0, 0
	for i, w := range want {
		size = max(size, math.Abs(w))
		if d := math.Abs(w - got[i]); !(d <= worst) {
			worst, at = d, i
		}
	}
	if !(worst <= tolerance*size) {
		t.Errorf("%s: entry %d is %v, expected %v; largest entry %.3g, off by %.3g of it", name, at, got[at], want[at], size, worst/size)
	}
}

// Masked is a file with one tensor of another, whose entries are zero where the batch's attention mask is: logits mean nothing there. Rows beyond the mask stand before it, and sequences may be there several times.
func Masked(t testing.TB, f *safetensors.File, name, batch string) *safetensors.File {
	x, ok := f.Tensor(name)
	require.True(t, ok, name)
	values, err := x.Float64s()
	require.NoError(t, err)
	if m, ok := Open(t, batch).Tensor("attention_mask"); ok && len(x.Shape) == 3 && x.Shape[1] >= m.Shape[1] {
		values = append([]float64(nil), values...)
		mask, err := m.Ints()
		require.NoError(t, err)
		for i := range x.Shape[0] / m.Shape[0] * len(mask) {
			if row := i + (i/m.Shape[1]+1)*(x.Shape[1]-m.Shape[1]); mask[i%len(mask)] == 0 {
				clear(values[row*x.Shape[2] : (row+1)*x.Shape[2]])
			}
		}
	}
	path := filepath.Join(t.TempDir(), "masked.safetensors")
	require.NoError(t, safetensors.Write(path, []safetensors.Tensor{safetensors.F64(name, x.Shape, values)}, nil))
	return Open(t, path)
}
