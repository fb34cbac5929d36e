package peft_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/tensor"
	"peft/tensor/safetensors"
)

// saved is an adapter folder of LoRA on queries.
func saved(t *testing.T) (*peft.Patch, string) {
	q, err := peft.Attach(tensor.Reference(), pefttest.NewModel(1), lora.Config{Rank: 2, On: peft.Suffixes("Query")}, 1)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "adapter")
	require.NoError(t, peft.Save(dir, q, peft.Info{BaseModel: "base", Task: "FEATURE_EXTRACTION", Extra: map[string]any{"pool": "mean"}}))
	return q, dir
}

func TestSavedConfiguration(t *testing.T) {
	_, dir := saved(t)
	text, err := peft.ReadConfig(dir)
	require.NoError(t, err)
	var c map[string]any
	require.NoError(t, json.Unmarshal(text, &c))
	require.Equal(t, "LORA", c["peft_type"])
	require.Equal(t, "base", c["base_model_name_or_path"])
	require.Equal(t, "FEATURE_EXTRACTION", c["task_type"])
	require.Equal(t, "mean", c["pool"])
	require.Equal(t, []any{"Query"}, c["target_modules"])
}

// rewrite changes the tensors of an adapter folder.
func rewrite(t *testing.T, dir string, change func([]safetensors.Tensor) []safetensors.Tensor) {
	path := filepath.Join(dir, peft.WeightsFile)
	f, err := safetensors.Open(path)
	require.NoError(t, err)
	var all []safetensors.Tensor
	for x := range f.All() {
		v, err := x.Float32s()
		require.NoError(t, err)
		all = append(all, safetensors.F32(x.Name, x.Shape, append([]float32(nil), v...)))
	}
	require.NoError(t, f.Close())
	require.NoError(t, safetensors.Write(path, change(all), nil))
}

func TestLoadReportsEveryKey(t *testing.T) {
	q, dir := saved(t)
	rewrite(t, dir, func(all []safetensors.Tensor) []safetensors.Tensor {
		all[0].Name = "base_model.model.elsewhere"
		return all
	})
	_, report, err := peft.Load(q.Sites(), dir)
	require.NoError(t, err)
	require.Len(t, report.Loaded, 3)
	require.Equal(t, []string{"base_model.model.Layers.0.Query.lora_A.weight"}, report.Missing)
	require.Equal(t, []string{"base_model.model.elsewhere"}, report.Unexpected)
}

func TestLoadRefuses(t *testing.T) {
	q, dir := saved(t)
	rewrite(t, dir, func(all []safetensors.Tensor) []safetensors.Tensor {
		all[0].Shape = []int{all[0].Shape[1], all[0].Shape[0]}
		return all
	})
	_, _, err := peft.Load(q.Sites(), dir)
	require.ErrorContains(t, err, "has shape [12 2], expected [2 12]")
	rewrite(t, dir, func(all []safetensors.Tensor) []safetensors.Tensor {
		return []safetensors.Tensor{safetensors.F32("something", []int{1}, []float32{1})}
	})
	_, _, err = peft.Load(q.Sites(), dir)
	require.ErrorContains(t, err, "no tensor of the file fits")
	require.NoError(t, os.WriteFile(filepath.Join(dir, peft.ConfigFile), []byte(`{"peft_type":"UNHEARD_OF"}`), 0o666))
	_, _, err = peft.Load(q.Sites(), dir)
	require.ErrorContains(t, err, `no method "UNHEARD_OF"; there are: `)
	require.NoError(t, os.WriteFile(filepath.Join(dir, peft.ConfigFile), []byte(`{`), 0o666))
	_, _, err = peft.Load(q.Sites(), dir)
	require.ErrorContains(t, err, "is not JSON")
}

func TestMergeRefusesWhatIsNotFinite(t *testing.T) {
	q, _ := saved(t)
	for x := range q.Params() {
		v := x.Tensor().Float64s()
		for i := range v {
			v[i] = 1e200
		}
		x.Tensor().Assign(v)
	}
	_, err := peft.Merge(q.Sites().Device(), q.Sites().Model(), q)
	require.ErrorContains(t, err, "Layers.0.Query")
	require.ErrorContains(t, err, "not finite")
}

func TestShapesPanicNothingElse(t *testing.T) {
	q, _ := saved(t)
	m := q.Sites().Model().(*pefttest.Model)
	p := peft.With(q.Sites().Device(), q)
	defer p.Close()
	err := tensor.Try(func() error {
		m.Layers[0].Query.Apply(p, p.Scope().Tensor(make([]float64, 6), 2, 3))
		return nil
	})
	var shape *tensor.ShapeError
	require.ErrorAs(t, err, &shape)
}
