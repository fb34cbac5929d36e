package lora_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/lora"
	"peft/peft"
	"peft/tensor"
)

// TestDoRALengths wants the lengths that DoRA trains to be those of the folded matrix: of its rows, or of a table's columns.
func TestDoRALengths(t *testing.T) {
	w := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13}
	for _, start := range []lora.Init{lora.Random, lora.PiSSA, lora.OLoRA} {
		model := &struct {
			Map   peft.Linear
			Table peft.Embedding
		}{peft.LinearOf(w, nil, 4), peft.NewEmbedding(4, 3)}
		model.Table.W.W = tensor.WeightOf(w, 4, 3)
		d := tensor.Reference()
		q, err := peft.Attach(d, model, lora.Config{Rank: 2, Alpha: 3, DoRA: true, Init: start, On: peft.Suffixes("Map", "Table")}, 1)
		require.NoError(t, err)
		want := []float64{2, 5, 7}
		q.Param("Map/lora_magnitude_vector").Tensor().Assign(want)
		q.Param("Table/lora_magnitude_vector").Tensor().Assign(want)
		merged, err := peft.Merge(d, model, q)
		require.NoError(t, err)
		rows, table := make([]float64, 3), make([]float64, 3)
		for i, v := range merged.Param("Map.weight").Tensor().Float64s() {
			rows[i/4] = math.Hypot(rows[i/4], v)
		}
		for i, v := range merged.Param("Table.weight").Tensor().Float64s() {
			table[i%3] = math.Hypot(table[i%3], v)
		}
		require.InDeltaSlice(t, want, rows, 1e-9, start)
		require.InDeltaSlice(t, want, table, 1e-9, start)
	}
}
