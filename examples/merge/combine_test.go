package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
	"peft/internal/golden"
	"peft/lora"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

// A mixture is a golden case of several adapters.
type mixture struct {
	golden.Case
	Adapters []string      `json:"adapters"`
	Weights  []float64     `json:"weights"`
	Hows     []string      `json:"how"`
	Density  float64       `json:"density"`
	Sign     lora.Majority `json:"sign"`
}

func mixtures(t *testing.T) (all []mixture) {
	for _, c := range golden.Cases(t, "hf", "*.combine*") {
		m := mixture{Case: c}
		c.Read(t, "case.json", &m)
		all = append(all, m)
	}
	return all
}

// flags are the adapters of a case with their weights.
func (c mixture) flags() (args []string) {
	for i, a := range c.Adapters {
		args = append(args, "-adapter", fmt.Sprintf("%s:%v", c.Path("adapters", a), c.Weights[i]))
	}
	return args
}

// load attaches the adapters of a case.
func (c mixture) load(t *testing.T, d *tensor.Device) (*models.Opened, []peft.Term) {
	var s shares
	for i, a := range c.Adapters {
		s = append(s, share{c.Path("adapters", a), c.Weights[i], true})
	}
	m, err := models.OpenFor(c.ModelDir(), s.dirs()...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	patches, err := cli.Load(cli.Env{Err: &bytes.Buffer{}}, d, m, s.dirs()...)
	require.NoError(t, err)
	return m, s.terms(patches)
}

// wants compares what a model computes with logits of the case.
func (c mixture) wants(t *testing.T, name string, m *models.Opened, tolerance float64, patches ...*peft.Patch) {
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
	golden.Close(t, golden.Masked(t, golden.Open(t, c.Path("expect.safetensors")), name, c.Path("batch.safetensors")), name, values, tolerance)
}

// way is how a case's way is called here, with the rank that "svd-full" was given.
func (c mixture) way(how string, terms []peft.Term) lora.Weighted {
	w := lora.Weighted{How: lora.How(how), Density: c.Density, Sign: c.Sign}
	if how == "svd-full" {
		w.How = lora.SVD
		for _, t := range terms {
			w.Rank += t.Patch.Method().(lora.Config).Rank
		}
	}
	return w
}

func TestCombinedAsHuggingFaceDoes(t *testing.T) {
	for _, c := range mixtures(t) {
		m, terms := c.load(t, tensor.Reference())
		for _, how := range c.Hows {
			t.Run(c.Name+"/"+how, func(t *testing.T) {
				q, err := c.way(how, terms).Of(terms...)
				require.NoError(t, err)
				c.wants(t, "logits."+how, m, 1e-9, q)
			})
		}
	}
}

func TestExactSums(t *testing.T) {
	for _, c := range mixtures(t) {
		m, terms := c.load(t, tensor.Reference())
		for _, how := range []lora.How{lora.Sum, lora.Cat} {
			q, err := lora.Weighted{How: how}.Of(terms...)
			require.NoError(t, err)
			c.wants(t, "logits.exact", m, 1e-9, q)
		}
		q, err := peft.MergeSum(tensor.Reference(), m.Unwrap(), terms...)
		require.NoError(t, err)
		c.wants(t, "logits.exact", m, 1e-9, q)
	}
}

// TestFolders combines and folds by the program, and computes with the folders that it wrote.
func TestFolders(t *testing.T) {
	for _, c := range mixtures(t) {
		for _, how := range []string{"", "sum", "cat", "svd"} {
			t.Run(c.Name+"/"+how, func(t *testing.T) {
				out := filepath.Join(t.TempDir(), "out")
				args := append(c.flags(), "-model", c.ModelDir(), "-out", out, "-f64")
				if how != "" {
					args = append(args, "-how", how)
				}
				require.NoError(t, run(context.Background(), cli.Env{Err: &bytes.Buffer{}}, args))
				name := "logits.exact"
				if how == "svd" {
					name = "logits.svd"
				}
				if how == "" {
					m, err := models.Open(out, models.Options{})
					require.NoError(t, err)
					defer m.Close()
					c.wants(t, name, m, 1e-6)
					return
				}
				m, err := models.OpenFor(c.ModelDir(), out)
				require.NoError(t, err)
				defer m.Close()
				var people bytes.Buffer
				patches, err := cli.Load(cli.Env{Err: &people}, tensor.Reference(), m, out)
				require.NoError(t, err)
				require.Empty(t, people.String())
				c.wants(t, name, m, 1e-6, patches...)
			})
		}
	}
}

func TestEveryWayWritesAFolder(t *testing.T) {
	c := mixtures(t)[1]
	require.Equal(t, "llama-lm.combine", c.Name)
	for _, how := range []string{"ties", "dare", "dare_svd", "dare_ties_svd", "linear", "magnitude_prune_svd"} {
		out := filepath.Join(t.TempDir(), "out")
		args := append(c.flags(), "-model", c.ModelDir(), "-out", out, "-how", how, "-density", "0.7", "-seed", "3")
		if strings.HasSuffix(how, "_svd") {
			args = append(args, "-rank", "6")
		}
		require.NoError(t, run(context.Background(), cli.Env{Err: &bytes.Buffer{}}, args), how)
		_, err := peft.ReadConfig(out)
		require.NoError(t, err)
	}
}

func TestCombineRefusals(t *testing.T) {
	adapter := func(name string) string { return golden.Cases(t, "hf", name)[0].Path("adapter") }
	model := golden.Cases(t, "hf", "bert-cls.lora-qv")[0].ModelDir()
	plain := adapter("bert-cls.lora-qv")
	for says, args := range map[string][]string{
		`no way to combine is called "mean"`:       {"-adapter", plain, "-how", "mean"},
		"only patches of LoRA can be combined":     {"-adapter", plain, "-adapter", adapter("bert-cls.ia3"), "-how", "cat"},
		"a patch of DoRA":                          {"-adapter", adapter("bert-cls.dora"), "-how", "sum"},
		"-rank does nothing without -how":          {"-adapter", plain, "-rank", "2"},
		"-density does nothing without -how":       {"-adapter", plain, "-density", "0.3"},
		"-sign does nothing without -how":          {"-adapter", plain, "-sign", "total"},
		"flag -adapter: the folder is empty":       {"-adapter", ""},
		"a rank is given, but the way":             {"-adapter", plain, "-how", "cat", "-rank", "2"},
		"rank is -1":                               {"-adapter", plain, "-how", "svd", "-rank", "-1"},
		"-density is 0":                            {"-adapter", plain, "-how", "ties", "-density", "0"},
		"density is 2":                             {"-adapter", plain, "-how", "ties", "-density", "2"},
		`the majority is found by "most"`:          {"-adapter", plain, "-how", "ties", "-sign", "most"},
		`the weight is "x"`:                        {"-adapter", plain + ":x"},
		`the weight is "NaN"`:                      {"-adapter", plain + ":NaN"},
		"cannot be folded into weights":            {"-adapter", adapter("bert-cls.prefix") + ":0.5"},
		"the patches disagree about classifier":    {"-adapter", plain, "-adapter", adapter("bert-cls.lora-all-linear"), "-how", "cat"},
		"which is the model's head and is not wei": {"-adapter", plain + ":1", "-adapter", adapter("bert-cls.lora-all-linear")},
	} {
		t.Run(says, func(t *testing.T) {
			var people bytes.Buffer
			err := run(context.Background(), cli.Env{Err: &people}, append(args, "-model", model, "-out", filepath.Join(t.TempDir(), "out")))
			require.ErrorContains(t, err, says)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

// TestWhatIsReadStays wants no folder that is read to be written to.
func TestWhatIsReadStays(t *testing.T) {
	c := golden.Cases(t, "hf", "bert-cls.lora-qv")[0]
	model, adapter := t.TempDir(), t.TempDir()
	require.NoError(t, os.CopyFS(model, os.DirFS(c.ModelDir())))
	require.NoError(t, os.CopyFS(adapter, os.DirFS(c.Path("adapter"))))
	for _, out := range []string{model, adapter + "/."} {
		err := run(context.Background(), cli.Env{Err: &bytes.Buffer{}}, []string{"-model", model, "-adapter", adapter, "-out", out})
		require.ErrorContains(t, err, "is the folder")
	}
	require.NoFileExists(t, filepath.Join(adapter, "config.json"))
}

// TestWhyNot wants the reason for which something cannot fold.
func TestWhyNot(t *testing.T) {
	for name, says := range map[string]string{
		"bert-lora-gated": "LoRA with a gate, which differs from sequence to sequence,", "bert-unipelt": "LoRA with a gate, which differs from sequence to sequence,",
		"bert-seq_bn": "a bottleneck adapter, which has a function between its maps,", "bert-seq_bn_inv": "an invertible adapter, which has a function between its maps,",
		"bert-fuse": "a fusion of adapters, which weighs them for each token,", "bert-loreft": "ReFT, which edits some positions and not others,",
		"bert-prefix_tuning": "rows that are put in front",
	} {
		c := golden.Cases(t, "adapterhub", name)[0]
		err := run(context.Background(), cli.Env{Err: &bytes.Buffer{}}, []string{"-model", c.ModelDir(), "-adapter", c.Path("adapter"), "-out", filepath.Join(t.TempDir(), "out")})
		require.ErrorContains(t, err, says+" cannot be folded into weights", name)
	}
}
