package lora_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/tensor"
)

// refiled is a saved patch with other fields in its configuration, read again.
func refiled(t *testing.T, q *peft.Patch, info peft.Info, change map[string]any) (*peft.Patch, peft.Report, error) {
	dir := t.TempDir() + "/patch"
	require.NoError(t, peft.Save(dir, q, info))
	text, err := peft.ReadConfig(dir)
	require.NoError(t, err)
	var config map[string]any
	require.NoError(t, json.Unmarshal(text, &config))
	for field, v := range change {
		config[field] = v
	}
	text, err = json.Marshal(config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(dir+"/"+peft.ConfigFile, text, 0o644))
	return peft.Load(q.Sites(), dir)
}

// TestFiled reads patches as Hugging Face PEFT makes them, though nobody would ask for them: of starts that are made of data, and with α of 0, which leaves nothing of the update.
func TestFiled(t *testing.T) {
	d, model := tensor.Reference(), newEcho()
	q, err := peft.Attach(d, model, lora.Config{Rank: 2, Alpha: 6, On: peft.Suffixes("Word", "Out"), Init: lora.Random}, 1)
	require.NoError(t, err)
	for _, start := range []lora.Init{lora.EVA, lora.LoRAGA} {
		_, err := peft.Attach(d, model, lora.Config{Rank: 2, Init: start, On: peft.Suffixes("Out")}, 1)
		require.ErrorContains(t, err, "only a patch that has been made can be read")
		loaded, report, err := refiled(t, q, peft.Info{}, map[string]any{"init_lora_weights": start, "eva_config": map[string]any{"rho": 2}})
		require.NoError(t, err)
		require.Empty(t, report.Missing)
		require.InDeltaSlice(t, model.logits(d, q), model.logits(d, loaded), 1e-4)
		require.Equal(t, lora.Init(""), loaded.Method().(lora.Config).Init)
	}
	loaded, _, err := refiled(t, q, peft.Info{}, map[string]any{"lora_alpha": 0})
	require.NoError(t, err)
	require.Equal(t, model.logits(d), model.logits(d, loaded))
	again, _, err := refiled(t, loaded, peft.Info{}, nil)
	require.NoError(t, err)
	require.Equal(t, model.logits(d), model.logits(d, again))
}

// TestAnyRank reads a patch of a rank above both sides of its matrices, which is refused where it is not in a file.
func TestAnyRank(t *testing.T) {
	d, model := tensor.Reference(), newEcho()
	big := lora.Config{Rank: 9, Init: lora.Random, On: peft.Suffixes("Word", "Out")}
	_, err := peft.Attach(d, model, big, 1)
	require.ErrorContains(t, err, "above both sides")
	q, err := peft.Attach(d, model, big.Filed(), 1)
	require.NoError(t, err)
	loaded, report, err := refiled(t, q, peft.Info{}, nil)
	require.NoError(t, err)
	require.Empty(t, append(report.Missing, report.Unexpected...))
	require.InDeltaSlice(t, model.logits(d, q), model.logits(d, loaded), 1e-4)
}

// TestTokensHaveNoHead wants rows of an embedding to be trained and saved without the classifier that other methods of Hugging Face PEFT train too.
func TestTokensHaveNoHead(t *testing.T) {
	q, err := peft.Attach(tensor.Reference(), pefttest.NewModel(1), lora.Tokens{Rows: []int{1}}, 1)
	require.NoError(t, err)
	loaded, report, err := refiled(t, q, peft.Info{Task: "SEQ_CLS"}, nil)
	require.NoError(t, err)
	require.Empty(t, append(report.Missing, report.Unexpected...))
	require.Equal(t, q.Trainable(), loaded.Trainable())
}

// TestFiledSizes reads what files say otherwise than their configurations: Hugging Face PEFT makes BOFT of one factor on a processor, does not ask for HiRA's ranks by name, and takes names of
// feed-forward maps that it does not adapt.
func TestFiledSizes(t *testing.T) {
	model := newEcho()
	for field, c := range map[string]struct {
		method peft.Method
		value  any
	}{
		"boft_n_butterfly_factor": {lora.BOFT{BlockSize: 1, Common: lora.Common{On: peft.Suffixes("Out")}, Init: lora.Random}, 2},
		"rank_pattern":            {lora.HiRA{Rank: 2, Common: lora.Common{On: peft.Suffixes("Out", "Word")}, Init: lora.Random}, map[string]int{"Out": 1, "Word": 3}},
		"feedforward_modules":     {lora.IA3{Common: lora.Common{On: peft.Suffixes("Out")}, FeedForward: peft.Names{List: []string{}}, Init: lora.Random}, []string{"Down"}},
	} {
		q, err := peft.Attach(tensor.Reference(), model, c.method, 1)
		require.NoError(t, err)
		loaded, report, err := refiled(t, q, peft.Info{}, map[string]any{field: c.value})
		require.NoError(t, err, field)
		require.Empty(t, append(report.Missing, report.Unexpected...))
		require.InDeltaSlice(t, model.logits(tensor.Reference(), q), model.logits(tensor.Reference(), loaded), 1e-4)
	}
}
