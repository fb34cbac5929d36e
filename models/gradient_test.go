package models_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/peft"
	"peft/tensor"
	"peft/tensor/safetensors"
)

// gradients compares the gradient of loss by each parameter of a patch with the expected one, and wants one for each that is expected.
func gradients(t *testing.T, c golden.Case, want *safetensors.File, q *peft.Patch, loss *tensor.Tensor, tolerance float64) {
	g := tensor.Backward(loss)
	defer g.Release()
	seen := map[string]bool{}
	for key, x := range q.Keyed {
		if x.Fixed {
			continue
		}
		for _, key := range append([]string{key}, q.Aliases(x)...) {
			seen["grad."+key] = true
			got := q.AsStored(x, g.Of(x.Tensor())).Float64s()
			if slices.Contains(c.ZeroGradients, key) || strings.HasSuffix(key, "self.key.bias") {
				// A softmax does not see what is added to all scores of a row, so this gradient is zero in exact arithmetic and noise in any other.
				require.InDeltaSlice(t, make([]float64, len(got)), got, tolerance, key)
				continue
			}
			golden.Close(t, want, "grad."+key, got, tolerance)
		}
	}
	for _, name := range want.Names() {
		if strings.HasPrefix(name, "grad.") {
			require.True(t, seen[name], "no gradient %s", name)
		}
	}
}
