package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	_ "peft/adapter"
	_ "peft/bitfit"
	_ "peft/hybrid"
	_ "peft/lora"
	"peft/peft"
	_ "peft/prefix"
	_ "peft/sparsemask"
)

// script is a program in the place of finetune and of Python: it writes the log that finetune is asked for, and says what a method came to.
func script(t *testing.T, dir, name, text string) string {
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755))
	return path
}

// PyTorch is asked for those that stay behind LoRA alone, with the same learning rate, and the table tells of all.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	finetune := script(t, dir, "finetune", `while [ "$1" != -log ]; do
case "$1$2" in *prompt*) accuracy=0.5;; *lora*) accuracy=0.71;; esac; shift
done
echo '{"step":1,"lr":0.01}' > "$2"; echo "{\"trainable\":7,\"percent\":12.5,\"eval_accuracy\":${accuracy:-0.7}}"
`)
	python := script(t, dir, "python", `echo "$*" > `+filepath.Join(dir, "asked")+"\necho '{\"eval_accuracy\":0.48}'\n")
	rows := chosen(regexp.MustCompile(`^(lora|ia3|prompt)$`))
	require.Len(t, rows, 3)
	require.NoError(t, run(t.Context(), options{python: python, data: "data", epochs: 2}, finetune, rows, &bytes.Buffer{}))
	require.Equal(t, `| method | trained | of the model | learning rate | accuracy | PyTorch |
|---|---:|---:|---:|---:|---:|
| **LoRA and its kin** | | | | | |
| `+"`lora`"+` | 7 | 12.50 % | 0.01 | 71.0 % |  |
| **scales and rotations of activations** | | | | | |
| `+"`ia3`"+` | 7 | 12.50 % | 0.01 | 70.0 % |  |
| **prefixes and prompts** | | | | | |
| `+"`prompt`"+` | 7 | 12.50 % | 0.01 | 50.0 % | 48.0 % |
`, table(rows))
	asked, err := os.ReadFile(filepath.Join(dir, "asked"))
	require.NoError(t, err)
	require.Contains(t, string(asked), `{"method":"prompt"} -epochs 2`)
	require.Contains(t, string(asked), "-data data -lr 0.01")
}

// Configurations are such as the library reads.
func TestSpecs(t *testing.T) {
	for _, r := range chosen(regexp.MustCompile("")) {
		require.True(t, json.Valid([]byte(r.spec())), r.name)
		_, err := peft.DecodeMethod([]byte(r.spec()))
		require.NoError(t, err, r.name)
	}
}

func TestFlags(t *testing.T) {
	_, err := parse([]string{"-epochs", "0"}, &bytes.Buffer{})
	require.ErrorContains(t, err, "-epochs is 0")
	require.ErrorContains(t, try(t.Context(), options{only: regexp.MustCompile("nothing")}), `matches "nothing"`)
}
