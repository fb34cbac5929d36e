package prefix_test

import (
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/models"
	"peft/peft"
	_ "peft/prefix"
	"peft/tensor"
	"peft/tensor/optim"
	"peft/tensor/safetensors"
)

// networkCases are those with the network that made their rows.
var networkCases = []string{"bert-cls.ptuning-mlp", "gpt2-lm.ptuning-mlp", "gpt2-lm.ptuning-lstm", "gpt2-lm.prefix-projection", "llama-lm.prefix-projection"}

// TestNetworks trains networks that make rows as Hugging Face PEFT does, and compares what they are after ten steps, and the rows that they make then.
func TestNetworks(t *testing.T) {
	for _, c := range golden.Cases(t, "hf", networkCases...) {
		t.Run(c.Name, func(t *testing.T) {
			o, err := models.OpenFor(c.ModelDir(), c.Path("adapter"))
			require.NoError(t, err)
			t.Cleanup(func() { o.Close() })
			n := network{t, c, o, networkPatch(t, c, o)}
			n.gradients()
			n.trajectory()
			n.after()
		})
	}
}

// networkPatch is a patch with the network of a case, which its configuration does not say is saved.
func networkPatch(t *testing.T, c golden.Case, m *models.Opened) *peft.Patch {
	text, err := peft.ReadConfig(c.Path("adapter"))
	require.NoError(t, err)
	var config map[string]any
	require.NoError(t, json.Unmarshal(text, &config))
	config["inference_mode"] = false
	text, err = json.Marshal(config)
	require.NoError(t, err)
	method, err := peft.DecodeMethod(text)
	require.NoError(t, err)
	q, err := peft.Attach(tensor.Reference(), m.Unwrap(), method, 1)
	require.NoError(t, err)
	assign(t, q, golden.Open(t, c.Path("encoder.safetensors")), golden.Open(t, c.Path("adapter", peft.WeightsFile)))
	return q
}

// assign gives the parameters of a patch the values of files.
func assign(t *testing.T, q *peft.Patch, files ...*safetensors.File) {
	for key, x := range q.Keyed {
		for _, f := range files {
			if v, ok := f.Tensor(key); ok {
				values, err := v.Float64s()
				require.NoError(t, err)
				require.Equal(t, v.Shape, x.Tensor().Shape(), key)
				x.Tensor().Assign(values)
			}
		}
	}
}

// A network is a case in work.
type network struct {
	*testing.T
	c golden.Case
	m *models.Opened
	q *peft.Patch
}

// step is the loss of some examples, and what is to be done with its gradients.
func (n network) step(file string, rows []int, use func(tensor.Grads)) float64 {
	in, err := models.ReadInputs(golden.Open(n, n.c.Path(file)))
	require.NoError(n, err)
	b, err := in.Batch(n.m.Unwrap(), rows...)
	require.NoError(n, err)
	p := peft.With(tensor.Reference(), n.q)
	defer p.Close()
	loss, err := models.BatchLoss(p, n.m.Unwrap(), b)
	require.NoError(n, err)
	g := tensor.Backward(loss)
	defer g.Release()
	use(g)
	return loss.Item()
}

func (n network) gradients() {
	want := golden.Open(n, n.c.Path("expect.safetensors"))
	loss := n.step("batch.safetensors", n.rows(0), func(g tensor.Grads) {
		for key, x := range n.q.Keyed {
			if name := "encoder.grad." + key; !strings.HasPrefix(key, "base_model.") {
				golden.Close(n, want, name, g.Of(x.Tensor()).Float64s(), 1e-9)
			}
		}
	})
	golden.Close(n, want, "encoder.loss", []float64{loss}, 1e-9)
}

// rows are the examples of a step.
func (n network) rows(step int) (rows []int) {
	for i := range n.c.Batch {
		rows = append(rows, (step*n.c.Batch+i)%(2*n.c.Batch))
	}
	return rows
}

func (n network) trajectory() {
	text, err := os.ReadFile(n.c.Path("encoder_trajectory.json"))
	require.NoError(n, err)
	var want struct{ Losses []float64 }
	require.NoError(n, json.Unmarshal(text, &want))
	all := optim.Group{Rule: optim.AdamW{LR: n.c.Optimizer.LR, Decay: n.c.Optimizer.WeightDecay}}
	for x := range n.q.Params() {
		all.Params = append(all.Params, optim.Param{Name: x.Name, Value: x.Tensor()})
	}
	o, err := optim.New(all)
	require.NoError(n, err)
	for i, loss := range want.Losses {
		got := n.step("data.safetensors", n.rows(i), func(g tensor.Grads) {
			_, err := o.Step(g, 1)
			require.NoError(n, err)
		})
		require.InEpsilon(n, loss, got, 1e-8, "step %d", i+1)
	}
}

// after compares the network, and its rows in the final form of the patch.
func (n network) after() {
	want := golden.Open(n, n.c.Path("encoder_after.safetensors"))
	final, err := peft.Collapse(n.q)
	require.NoError(n, err)
	all := maps.Collect(n.q.Keyed)
	maps.Copy(all, maps.Collect(final.Keyed))
	require.NotNil(n, all["prompt_embeddings"])
	for key, x := range all {
		if !strings.HasPrefix(key, "base_model.") {
			golden.Close(n, want, key, x.Tensor().Float64s(), 1e-8)
		}
	}
}
