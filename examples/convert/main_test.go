package main

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
	"peft/internal/golden"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

// try runs the program.
func try(model, dir, to, out string) error {
	return run(context.Background(), cli.Env{Err: &bytes.Buffer{}}, []string{"-model", model, "-adapter", dir, "-to", to, "-out", out})
}

// logits are those of a case's batch with an adapter folder, which must fit whole.
func logits(t *testing.T, c golden.Case, dir string) []float64 {
	m, err := models.OpenFor(c.ModelDir(), dir)
	require.NoError(t, err)
	defer m.Close()
	var people bytes.Buffer
	patches, err := cli.Load(cli.Env{Err: &people}, tensor.Reference(), m, dir)
	require.NoError(t, err)
	require.Empty(t, people.String())
	in, err := models.ReadInputs(golden.Open(t, c.Path("batch.safetensors")))
	require.NoError(t, err)
	numbers := make([]int, in.Len())
	for i := range numbers {
		numbers[i] = i
	}
	b, err := in.Batch(m.Unwrap(), numbers...)
	require.NoError(t, err)
	pass := peft.With(tensor.Reference(), patches...).NoGrad()
	defer pass.Close()
	_, values := b.Unpack(m.Forward(pass, b))
	return values
}

// TestThereAndBack rewrites folders of AdapterHub's library and those rewritten: all compute the same.
func TestThereAndBack(t *testing.T) {
	cases := golden.Cases(t, "adapterhub", "bert-lora", "bert-lora-all", "bert-ia3", "gpt2-lora", "gpt2-ia3", "llama-lora", "llama-ia3")
	require.Len(t, cases, 7)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			there, back := filepath.Join(t.TempDir(), "there"), filepath.Join(t.TempDir(), "back")
			require.NoError(t, try(c.ModelDir(), c.Path("adapter"), huggingFace, there))
			require.NoError(t, try(c.ModelDir(), there, adapterHub, back))
			want := logits(t, c, c.Path("adapter"))
			golden.Near(t, "logits", want, logits(t, c, there), 1e-9)
			golden.Near(t, "logits", want, logits(t, c, back), 1e-9)
		})
	}
}

// TestSameNumbers wants a folder that went there and back to hold what it held.
func TestSameNumbers(t *testing.T) {
	c := golden.Cases(t, "adapterhub", "bert-lora-all")[0]
	there, back := filepath.Join(t.TempDir(), "there"), filepath.Join(t.TempDir(), "back")
	require.NoError(t, try(c.ModelDir(), c.Path("adapter"), huggingFace, there))
	require.NoError(t, try(c.ModelDir(), there, adapterHub, back))
	for _, file := range []string{peft.HubWeightsFile, peft.HubHeadFile} {
		f, g := golden.Open(t, filepath.Join(back, file)), golden.Open(t, c.Path("adapter", file))
		require.Equal(t, len(g.Names()), len(f.Names()))
		for x := range f.All() {
			values, err := x.Float64s()
			require.NoError(t, err)
			name := x.Name
			if file == peft.HubWeightsFile {
				name = renamed(name)
			}
			golden.Close(t, g, name, values, 0)
		}
	}
}

// renamed is a key under the name that the case's adapter has.
func renamed(key string) string {
	return string(bytes.Replace([]byte(key), []byte(".loras.lora."), []byte(".loras.tuned."), 1))
}

// TestFromHuggingFace rewrites folders of Hugging Face PEFT, or says why not.
func TestFromHuggingFace(t *testing.T) {
	for name, refusal := range map[string]string{
		"bert-cls.lora-qv": "", "bert-cls.lora-lookahead": "", "bert-cls.lora-rslora": "", "bert-cls.lora-layers": "", "llama-lm.lora-qv": "", "gpt2-lm.lora-c_attn": "",
		"bert-cls.lora-all-linear": "which AdapterHub's library does not adapt",
		"bert-cls.lora-patterns":   "attention.output.dense is adapted, which AdapterHub's library does not adapt",
		"bert-cls.dora":            "no DoRA",
		"bert-cls.lora-lora-bias":  "no biases on B",
		"bert-cls.lora-bias-all":   "has no place in the other format",
		"bert-cls.ia3":             "is scaled at its input",
		"bert-cls.lora-embedding":  "which AdapterHub's library does not adapt",
		"bert-cls.prefix":          "prefix tuning is not the same",
		"bert-cls.prompt":          "prompt tuning is not the same",
		"bert-cls.hra":             "no form of lora.HRA",
		"gpt2-lm.tokens":           "no form of lora.Tokens",
		"llama-lm.lora-tokens":     "has no place in the other format",
	} {
		found := golden.Cases(t, "hf", name)
		if len(found) == 0 {
			t.Errorf("no case %s", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			c, out := found[0], filepath.Join(t.TempDir(), "out")
			err := try(c.ModelDir(), c.Path("adapter"), adapterHub, out)
			if refusal != "" {
				require.ErrorContains(t, err, refusal)
				require.NotContains(t, err.Error(), "\n")
				return
			}
			require.NoError(t, err)
			golden.Near(t, "logits", logits(t, c, c.Path("adapter")), logits(t, c, out), 1e-6)
		})
	}
}

func TestRefusals(t *testing.T) {
	hub := func(name string) golden.Case { return golden.Cases(t, "adapterhub", name)[0] }
	for name, says := range map[string]string{
		"bert-dora": "AdapterHub's library scales biases too", "bert-lora-gated": "no gates", "bert-seq_bn": "bottleneck adapters have no form",
		"bert-prefix_tuning_flat": "prefix tuning is not the same", "bert-prompt_tuning": "prompt tuning is not the same", "bert-stack": "is a composition",
		"bert-mam": "has no form", "bert-flex_head": "builds itself",
	} {
		c := hub(name)
		err := try(c.ModelDir(), c.Path("adapter"), huggingFace, filepath.Join(t.TempDir(), "out"))
		require.ErrorContains(t, err, says, name)
		require.NotContains(t, err.Error(), "\n")
	}
	c := hub("bert-lora")
	require.ErrorContains(t, try(c.ModelDir(), c.Path("adapter"), adapterHub, t.TempDir()), "already")
	require.ErrorContains(t, try(c.ModelDir(), c.Path("adapter"), "keras", t.TempDir()), `-to is "keras"`)
	require.ErrorContains(t, run(context.Background(), cli.Env{}, []string{"-adapter", c.Path("adapter"), "-to", "peft", "-out", t.TempDir()}), "give it by -model")
	require.ErrorContains(t, run(context.Background(), cli.Env{}, []string{"-to", "peft"}), "-adapter is missing")
}
