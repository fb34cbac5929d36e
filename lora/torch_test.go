package lora

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
)

// The first draws of torch.manual_seed(0), as VeRA's files hold them.
func TestTorchUniform(t *testing.T) {
	for _, c := range golden.Cases(t, "hf", "bert-cls.vera", "gpt2-lm.vera") {
		f, g := golden.Open(t, c.Path("adapter", "adapter_model.safetensors")), newTorch(0)
		for _, name := range []string{"base_model.vera_A", "base_model.vera_B"} {
			x, ok := f.Tensor(name)
			require.True(t, ok)
			want, err := x.Float64s()
			require.NoError(t, err)
			require.Equal(t, want, g.uniform(len(want), math.Sqrt(6/float64(x.Shape[1]))), name)
		}
	}
}

// A permutation of few numbers, drawn whole and in part.
func TestTorchPermutation(t *testing.T) {
	all := newTorch(777).permutation(20, 20)
	seen := map[int32]bool{}
	for _, v := range all {
		seen[v] = true
	}
	require.Len(t, seen, 20)
	require.Equal(t, all[:7], newTorch(777).permutation(20, 7))
}
