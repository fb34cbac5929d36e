package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
	"peft/internal/golden"
)

// TestActive computes with two adapters, in either order. The tensor without their names is that of the first order.
func TestActive(t *testing.T) {
	for _, c := range golden.Cases(t, "hf", "*.active*") {
		want := golden.Open(t, c.Path("expect.safetensors"))
		for name, adapters := range map[string][]string{"logits": {"one", "two"}, "logits.one+two": {"one", "two"}, "logits.two+one": {"two", "one"}} {
			t.Run(c.Name+"/"+name, func(t *testing.T) {
				out := filepath.Join(t.TempDir(), "out.safetensors")
				args := []string{"-f64", "-model", c.ModelDir(), "-in", c.Path("batch.safetensors"), "-out", out}
				for _, a := range adapters {
					args = append(args, "-adapter", c.Path("adapters", a))
				}
				require.NoError(t, run(t.Context(), cli.Env{}, args))
				x, _ := golden.Open(t, out).Tensor("logits")
				values, err := x.Float64s()
				require.NoError(t, err)
				golden.Close(t, golden.Masked(t, want, name, c.Path("batch.safetensors")), name, values, c.Tolerance())
			})
		}
	}
}
