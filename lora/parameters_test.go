package lora_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/tensor"
)

// TestParameters tries the laws on updates of weights: of maps, whose are those of the maps as modules, and of a table, whose has the other shape.
func TestParameters(t *testing.T) {
	ends := []string{"Query.weight", "Words.weight"}
	trained := pefttest.Layers*2*perRank + 2*(pefttest.Words+pefttest.Size)
	pefttest.Test(t, lora.Config{Rank: 2, Alpha: 6, Parameters: ends}, pefttest.Want{Trained: trained})
	beside := lora.Config{Rank: 2, On: peft.Named("*.Value"), Parameters: ends[:1], Head: true}
	pefttest.Test(t, beside, pefttest.Want{Trained: maps*2*perRank + head})
}

// TestTransposedParameters wants factors of a weight to be those of how the checkpoint holds it.
func TestTransposedParameters(t *testing.T) {
	model := &struct{ Map peft.Linear }{peft.LinearOf([]float32{1, 2, 3, 4, 5, 6}, nil, 3)}
	model.Map.W.Transposed = true
	q, err := peft.Attach(tensor.Reference(), model, lora.Config{Rank: 1, Alpha: 2, Parameters: []string{"Map.weight"}}, 1)
	require.NoError(t, err)
	q.Param("Map/lora_A").Tensor().Assign([]float64{1, 10})
	q.Param("Map/lora_B").Tensor().Assign([]float64{1, 2, 3})
	merged, err := peft.Merge(tensor.Reference(), model, q)
	require.NoError(t, err)
	require.Equal(t, []float64{1 + 2, 2 + 4, 3 + 6, 4 + 20, 5 + 40, 6 + 60}, merged.Param("Map.weight").Tensor().Float64s())
	loaded, report, err := refiled(t, q, peft.Info{}, nil)
	require.NoError(t, err)
	require.Empty(t, append(report.Missing, report.Unexpected...))
	require.Equal(t, []float64{1, 10}, loaded.Param("Map/lora_A").Tensor().Float64s())
}

func TestParametersRefuse(t *testing.T) {
	for says, c := range map[string]lora.Config{
		"no DoRA, no OwnBias":               {Rank: 1, DoRA: true, Parameters: []string{"Query.weight"}},
		"names the weight of no linear map": {Rank: 1, Parameters: []string{"Query"}},
		"not of a *peft.Norm":               {Rank: 1, Parameters: []string{"Norm1.weight"}},
		"both as a module and for its":      {Rank: 1, On: peft.Named("*.Query"), Parameters: []string{"Query.weight"}},
	} {
		_, err := peft.Attach(tensor.Reference(), pefttest.NewModel(1), c, 1)
		require.ErrorContains(t, err, says)
	}
}
