package train_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	_ "peft/lora"
	"peft/models"
	"peft/peft"
	"peft/tensor"
	"peft/train"
)

// The families of which steps are predicted.
const (
	bertOfTest = `{"model_type":"bert","architectures":["BertForSequenceClassification"],"hidden_size":128,"num_hidden_layers":4,"num_attention_heads":4,"intermediate_size":512,"vocab_size":1000,
		"max_position_embeddings":128,"type_vocab_size":2,"num_labels":2}`
	gpt2OfTest = `{"model_type":"gpt2","architectures":["GPT2LMHeadModel"],"n_embd":128,"n_layer":4,"n_head":4,"n_positions":128,"vocab_size":3000}`
)

// modelJob is a job on a device: ragged batches of random tokens for a model.
func modelJob(t *testing.T, d *tensor.Device, m *models.Opened, config string) train.Job {
	method, err := peft.DecodeMethod([]byte(config))
	require.NoError(t, err)
	patch, err := peft.Attach(d, m.Unwrap(), method, 1)
	require.NoError(t, err)
	in := &models.Inputs{}
	for i := range 12 {
		ids, labels := make([]int32, 128-8*i), []int32{int32(i % 2)}
		for at := range ids {
			ids[at] = int32(5 + (7*at+i)%900)
		}
		if m.Task() == models.CausalLM {
			labels = ids
		}
		in.IDs, in.Labels = append(in.IDs, ids), append(in.Labels, labels)
	}
	return train.Job{
		Patch: patch, Examples: in.Len(), Length: func(row int) int { return len(in.IDs[row]) },
		Loss: func(p *peft.Pass, rows []int) (train.Loss, error) {
			b, err := in.Batch(m.Unwrap(), rows...)
			if err != nil {
				return train.Loss{}, err
			}
			loss, err := models.BatchLoss(p, m.Unwrap(), b)
			return train.Loss{Value: loss, Targets: models.Targets(b.Labels), Tokens: len(b.IDs)}, err
		},
	}
}

// The memory that a step is predicted to take is what it takes, up to the temporaries of a few small operations.
// The longest examples come twice, so that once there are moments.
func TestPeakMemory(t *testing.T) {
	for name, c := range map[string]struct {
		config, method string
	}{
		"bert lora": {bertOfTest, `{"method":"lora","target_modules":["query","value"],"head":true}`},
		"bert full": {bertOfTest, `{"method":"full"}`},
		"gpt2 lora": {gpt2OfTest, `{"method":"lora","target_modules":["c_attn"]}`},
		"top lora":  {bertOfTest, `{"method":"lora","target_modules":["query"],"layers_to_transform":[3]}`},
	} {
		for _, recompute := range []bool{false, true} {
			for accumulate := 1; accumulate <= 2; accumulate++ {
				t.Run(fmt.Sprint(name, recompute, accumulate), func(t *testing.T) {
					m, err := models.New([]byte(c.config), models.Options{Seed: 1})
					require.NoError(t, err)
					config := train.Config{Steps: 4, Batch: 4, Accumulate: accumulate, LR: 1e-3, Recompute: recompute, InOrder: true}
					predicted, err := train.PeakMemory(modelJob(t, tensor.Shapes(), m, c.method), config)
					require.NoError(t, err)

					d := tensor.CPU(2)
					_, err = train.Run(t.Context(), modelJob(t, d, m, c.method), config)
					require.NoError(t, err)
					live, peak := d.Memory()
					t.Logf("predicted %+v, measured %d kept, %d at most", predicted, live, peak)
					require.InEpsilon(t, live, predicted.Kept, 0.1)
					require.InEpsilon(t, peak, predicted.Buffers(), 0.1)
				})
			}
		}
	}
}

// Weights count as they are stored, or as products read them where those are float32.
func TestPeakMemoryOfWeights(t *testing.T) {
	var stored []int64
	for _, storage := range []models.Storage{models.Storage("fp32"), models.Storage("bf16"), models.Storage("int8")} {
		m, err := models.New([]byte(bertOfTest), models.Options{Seed: 1, Storage: storage})
		require.NoError(t, err)
		got, err := train.PeakMemory(modelJob(t, tensor.Shapes(), m, `{"method":"lora","target_modules":["query"]}`), train.Config{Steps: 1, Batch: 2, LR: 1})
		require.NoError(t, err)
		stored = append(stored, got.Weights+got.Prepared)
		const matrices = 4 * 4 * (4*128*128 + 2*128*512) // bytes of all blocks' as float32
		if storage == "fp32" {
			require.InEpsilon(t, matrices, got.Prepared, 0.1)
		}
		require.Equal(t, got.Total(), got.Weights+got.Prepared+got.Buffers()+got.Idle)
	}
	require.Greater(t, stored[0], stored[1])
	require.Greater(t, stored[1], stored[2])
}

func TestPeakMemoryRefuses(t *testing.T) {
	m := newTiny(8)
	_, err := train.PeakMemory(m.job(t, tensor.CPU(1)), train.Config{LR: 1})
	require.ErrorContains(t, err, "tensor.Shapes")
	_, err = train.PeakMemory(m.job(t, tensor.Shapes()), train.Config{LR: 1, EvalEvery: -1})
	require.ErrorContains(t, err, "EvalEvery is -1")
	j := m.job(t, tensor.Shapes())
	j.Loss = func(*peft.Pass, []int) (train.Loss, error) { return train.Loss{}, nil }
	_, err = train.PeakMemory(j, train.Config{LR: 1})
	require.ErrorContains(t, err, "no targets")
}
