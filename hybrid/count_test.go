package hybrid_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/hybrid"
	"peft/internal/golden"
	"peft/lora"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

// published are the sizes of published models: class, width, blocks.
var published = map[string]struct {
	kind, class   string
	width, blocks int
}{
	"bert-base-uncased": {"bert", "BertForSequenceClassification", 768, 12}, "bert-large-uncased": {"bert", "BertForSequenceClassification", 1024, 24},
	"roberta-base": {"roberta", "RobertaForSequenceClassification", 768, 12}, "roberta-large": {"roberta", "RobertaForSequenceClassification", 1024, 24},
	"gpt2": {"gpt2", "GPT2LMHeadModel", 768, 12}, "gpt2-medium": {"gpt2", "GPT2LMHeadModel", 1024, 24},
}

// blank is a published model without weights, under each family's names for its sizes.
func blank(t *testing.T, name string) models.Model {
	p := published[name]
	text, err := json.Marshal(map[string]any{
		"model_type": p.kind, "architectures": []string{p.class}, "vocab_size": 500, "max_position_embeddings": 514, "type_vocab_size": 2, "n_positions": 514,
		"hidden_size": p.width, "n_embd": p.width, "num_hidden_layers": p.blocks, "n_layer": p.blocks, "num_attention_heads": p.width / 64, "n_head": p.width / 64, "intermediate_size": 4 * p.width,
	})
	require.NoError(t, err)
	m, err := models.Blank(text, models.Options{})
	require.NoError(t, err)
	return m.Unwrap()
}

// TestPublishedCounts counts what is trained of published models. No weight is made.
func TestPublishedCounts(t *testing.T) {
	var counts map[string]map[string]*int
	text, err := os.ReadFile(golden.Shared(t, "golden", "adapterhub", "counts.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &counts))
	ia3 := lora.Hub{Rescale: true, Attention: []peft.Role{peft.Key, peft.Value}, Intermediate: true}
	for name := range published {
		m := blank(t, name)
		for method, of := range map[string]peft.Method{"mam": hybrid.MAM{}, "unipelt": hybrid.UniPELT{}, "lora": lora.Hub{Rank: 8}, "ia3": ia3, "dora": lora.Hub{Rank: 8, DoRA: true}} {
			if counts[name][method] == nil {
				continue
			}
			q, err := peft.Attach(tensor.Shapes(), m, of, 1)
			require.NoError(t, err)
			require.Equal(t, *counts[name][method], q.Trainable(), "%s of %s", method, name)
		}
	}
}

// TestAdaMixCounts are the numbers of the paper's settings.
func TestAdaMixCounts(t *testing.T) {
	for _, c := range []struct {
		model          string
		reduction      float64
		trained, final int
	}{
		{"bert-base-uncased", 16, 2_223_360, 894_528},               // r = 48
		{"bert-large-uncased", 64, 1_992_192, 811_392},              // r = 16; RoBERTa-large's blocks are as large
		{"gpt2-medium", 128, 24 * (5*8*1024 + 4*8 + 1024), 417_984}, // r = 8
	} {
		m := blank(t, c.model)
		of := hybrid.Sequential()
		of.Reduction = c.reduction
		many, err := peft.Attach(tensor.Shapes(), m, hybrid.AdaMix{Of: of}, 1)
		require.NoError(t, err)
		require.Equal(t, c.trained, many.Trainable(), c.model)
		one, err := peft.Attach(tensor.Shapes(), m, of, 1)
		require.NoError(t, err)
		require.Equal(t, c.final, one.Trainable(), c.model)
	}
}
