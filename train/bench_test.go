package train_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor"
	"peft/train"
)

// BenchmarkStep is what a step costs beside the model, which is next to nothing here. The loop over b.N is Run's own.
func BenchmarkStep(b *testing.B) {
	j := newTiny(64).job(b, tensor.CPU(1))
	j.Eval = nil
	b.ReportAllocs()
	b.ResetTimer()
	_, err := train.Run(b.Context(), j, train.Config{Steps: b.N, Batch: 8, LR: 1e-3, Clip: 1})
	require.NoError(b, err)
}
