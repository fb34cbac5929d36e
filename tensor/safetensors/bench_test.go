package safetensors

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkOpen opens a model of 200 tensors, 26 MB, and reads them all as float32: those of F32 are views, those of BF16 are converted.
func BenchmarkOpen(b *testing.B) {
	values := make([]float32, 1<<15)
	for name, build := range map[string]func(string, []int, []float32) Tensor{"F32": F32, "BF16": BF16} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "x.safetensors")
			var tensors []Tensor
			for i := range 200 {
				tensors = append(tensors, build(fmt.Sprintf("layer.%d.weight", i), []int{1 << 15}, values))
			}
			require.NoError(b, Write(path, tensors, nil))
			for b.Loop() {
				openAndRead(b, path)
			}
			b.ReportMetric(200*float64(b.N)/b.Elapsed().Seconds(), "tensors/s")
		})
	}
}

func openAndRead(b *testing.B, path string) {
	f, err := Open(path)
	require.NoError(b, err)
	for t := range f.All() {
		if _, err := t.Float32s(); err != nil {
			b.Fatal(err)
		}
	}
	require.NoError(b, f.Close())
}

// BenchmarkWrite writes 26 MB to the disk, synced.
func BenchmarkWrite(b *testing.B) {
	path := filepath.Join(b.TempDir(), "x.safetensors")
	tensors := []Tensor{F32("x", []int{200 << 15}, make([]float32, 200<<15))}
	b.SetBytes(int64(len(tensors[0].Data)))
	for b.Loop() {
		require.NoError(b, Write(path, tensors, nil))
	}
}
