package prefix_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/peft"
	"peft/peft/pefttest"
	"peft/prefix"
	"peft/tensor"
)

// TestStart wants rows to start as embeddings of tokens, over and over or cut.
func TestStart(t *testing.T) {
	model := pefttest.NewModel(1)
	table := model.Words.W.Values(tensor.Reference())
	row := func(id int) []float64 { return table[id*pefttest.Size : (id+1)*pefttest.Size] }
	for n, ids := range map[int][]int{2: {3, 1}, 5: {3, 1, 4, 3, 1}} {
		q, err := peft.Attach(tensor.Reference(), model, prefix.Prompt{Tokens: n, Init: prefix.FromText, IDs: []int32{3, 1, 4}}, 1)
		require.NoError(t, err)
		var want []float64
		for _, id := range ids {
			want = append(want, row(id)...)
		}
		require.Equal(t, want, values(q, "prompt/prompt_embeddings"))
	}
	q, err := peft.Attach(tensor.Reference(), model, prefix.Prompt{Tokens: 6, Init: prefix.SampleVocab}, 1)
	require.NoError(t, err)
	drawn, different := values(q, "prompt/prompt_embeddings"), map[int]bool{}
	for at := 0; at < len(drawn); at += pefttest.Size {
		for id := range pefttest.Words {
			if drawn[at] == row(id)[0] {
				require.Equal(t, row(id), drawn[at:at+pefttest.Size])
				different[id] = true
			}
		}
	}
	require.Greater(t, len(different), 2)
}

// tasks is multitask prompt tuning of three tasks.
var tasks = prefix.Multitask{Prompt: prefix.Prompt{Tokens: 2}, Tasks: 3, Ranks: 2}

// TestSources wants a task to start from others.
func TestSources(t *testing.T) {
	dir, q := saved(t, tasks)
	cols := values(q, "prompt/prefix_task_cols")
	third := len(cols) / 3
	mean := make([]float64, third)
	for i := range mean {
		mean[i] = (cols[i] + cols[third+i] + cols[2*third+i]) / 3
	}
	for init, want := range map[prefix.Init][]float64{prefix.AverageSourceTasks: mean, prefix.ExactSourceTask: cols[third : 2*third], prefix.OnlySourceShared: nil} {
		m := prefix.Multitask{Prompt: prefix.Prompt{Tokens: 2, Init: init}, Tasks: 1, Ranks: 2, Source: filepath.Join(dir, peft.WeightsFile), SourceTask: 1}
		one, err := peft.Attach(tensor.Reference(), pefttest.NewModel(1), m, 5)
		require.NoError(t, err)
		require.Equal(t, values(q, "prompt/prompt_embeddings"), values(one, "prompt/prompt_embeddings"))
		if want != nil {
			require.InDeltaSlice(t, want, values(one, "prompt/prefix_task_cols"), 1e-8, init)
		}
	}
	for says, m := range map[string]prefix.Multitask{
		"SourceTask is 7":             {Prompt: prefix.Prompt{Tokens: 2, Init: prefix.ExactSourceTask}, Tasks: 1, Ranks: 2, SourceTask: 7},
		"prefix_task_cols has shape":  {Prompt: prefix.Prompt{Tokens: 2, Init: prefix.AverageSourceTasks}, Tasks: 1, Ranks: 1},
		"prompt_embeddings has shape": {Prompt: prefix.Prompt{Tokens: 3, Init: prefix.OnlySourceShared}, Tasks: 1, Ranks: 2},
	} {
		m.Source = filepath.Join(dir, peft.WeightsFile)
		_, err := peft.Attach(tensor.Reference(), pefttest.NewModel(1), m, 5)
		require.ErrorContains(t, err, says)
	}
}
