package prefix_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/peft"
	"peft/peft/pefttest"
	"peft/prefix"
	"peft/tensor"
)

// The numbers of one row of keys and values, and of the head of the laws' model.
const (
	wide = 2 * pefttest.Layers * pefttest.Size
	head = pefttest.Classes * (pefttest.Size + 1)
)

// linear is the number of numbers in linear maps from one size to the next.
func linear(sizes ...int) (n int) {
	for i, out := range sizes[1:] {
		n += out * (sizes[i] + 1)
	}
	return n
}

// lstm is the number of numbers in a bidirectional LSTM of two layers.
func lstm(in, h int) int { return 2*4*h*(in+h+2) + 2*4*h*(2*h+h+2) }

func TestLaws(t *testing.T) {
	const d = pefttest.Size
	pefttest.Test(t, prefix.Adaption{Tokens: 3, Layers: 2}, pefttest.Want{Trained: 2 * (3*d + 1), Stays: true})
	for name, c := range map[string]struct {
		method  peft.Method
		trained int
	}{
		"flat":          {prefix.Config{Tokens: 3}, 3 * wide},
		"zero":          {prefix.Config{Tokens: 2, Zero: true}, 2 * wide},
		"head":          {prefix.Config{Tokens: 2, Head: true}, 2*wide + head},
		"projection":    {prefix.Config{Tokens: 3, Projection: true}, 3*d + linear(d, d, wide)},
		"narrow":        {prefix.Config{Tokens: 3, Projection: true, Hidden: 5, Head: true}, 3*d + linear(d, 5, wide) + head},
		"zero network":  {prefix.Config{Tokens: 2, Projection: true, Hidden: 4, Zero: true}, 2*d + linear(d, 4, wide)},
		"prompt":        {prefix.Prompt{Tokens: 4}, 4 * d},
		"vocabulary":    {prefix.Prompt{Tokens: 4, Init: prefix.SampleVocab, Head: true}, 4*d + head},
		"text":          {prefix.Prompt{Tokens: 4, Init: prefix.FromText, IDs: []int32{3, 1, 4}}, 4 * d},
		"P-tuning":      {prefix.PTuning{Tokens: 3}, 3*d + linear(d, d, d, d)},
		"P-tuning LSTM": {prefix.PTuning{Tokens: 3, Encoder: prefix.LSTM, Hidden: 5, Dropout: 0.3}, 3*d + lstm(d, 5) + linear(10, 10, d)},
		"context":       {prefix.Context{IDs: []int32{3, 1, 4, 1}, Types: []int{1, 2, 3, 4}, Input: 1}, 4 * d},
		"one task":      {prefix.Multitask{Prompt: prefix.Prompt{Tokens: 3}, Tasks: 1, Ranks: 2}, 3*d + 2*(3+d)},
		"hub":           {prefix.Hub{Tokens: 3, Hidden: 5, Activation: "gelu", Dropout: 0.2, Head: true}, 3*d + linear(d, 5, wide) + head},
		"hub flat":      {prefix.Hub{Tokens: 3, Flat: true, LeaveOut: []int{0}}, 3 * wide / 2},
		"hub gate":      {prefix.Hub{Tokens: 3, Flat: true, Gate: true}, 3*wide + pefttest.Layers*(d+1)},
		"hub gates":     {prefix.Hub{Tokens: 3, Flat: true, Gate: true, KeyGate: true}, 3*wide + 2*pefttest.Layers*(d+1)},
		"hub prompt":    {prefix.HubPrompt{Tokens: 3, AfterBOS: true, Head: true}, 3*d + head},
		"hub words":     {prefix.HubPrompt{Tokens: 3, IDs: []int32{1, 2}}, 3 * d},
	} {
		t.Run(name, func(t *testing.T) {
			pefttest.Test(t, c.method, pefttest.Want{Trained: c.trained, Different: true, Stays: true})
		})
	}
}

func TestRefusals(t *testing.T) {
	model := pefttest.NewModel(1)
	for name, c := range map[string]struct {
		method peft.Method
		says   string
	}{
		"tokens":    {prefix.Config{}, "Tokens is 0, must be at least 1"},
		"many":      {prefix.Prompt{Tokens: 1 << 40}, "must be at most 8192"},
		"hidden":    {prefix.Config{Tokens: 1, Hidden: -1}, "Hidden is -1"},
		"init":      {prefix.Prompt{Tokens: 1, Init: "ONES"}, `Init is "ONES"`},
		"no ids":    {prefix.Prompt{Tokens: 1, Init: prefix.FromText}, "IDs is empty"},
		"ids":       {prefix.Prompt{Tokens: 1, Init: prefix.FromText, IDs: []int32{99}}, "token 99 of IDs is not in the table of 13 tokens"},
		"encoder":   {prefix.PTuning{Tokens: 1, Encoder: "GRU"}, `Encoder is "GRU"`},
		"dropout":   {prefix.PTuning{Tokens: 1, Dropout: 1}, "Dropout is 1"},
		"tasks":     {prefix.Multitask{Prompt: prefix.Prompt{Tokens: 1}, Ranks: 1}, "Tasks is 0"},
		"one of":    {prefix.Multitask{Prompt: prefix.Prompt{Tokens: 1, Init: prefix.AverageSourceTasks}, Tasks: 2, Ranks: 1}, "starts one task from others"},
		"hub":       {prefix.Hub{}, "Tokens is 0"},
		"function":  {prefix.Hub{Tokens: 1, Activation: "step"}, `Activation is "step"`},
		"nowhere":   {prefix.Hub{Tokens: 1, LeaveOut: []int{0, 1}}, "no peft.Attention, or none is left in"},
		"hub ids":   {prefix.HubPrompt{Tokens: 1, Text: "good"}, "IDs is empty"},
		"adaption":  {prefix.Adaption{Tokens: 1, Layers: 9}, "Layers is 9, must be at most 2"},
		"types":     {prefix.Context{IDs: []int32{1, 2}, Types: []int{4}}, "1 Types for 2 IDs"},
		"no answer": {prefix.Context{IDs: []int32{1}, Types: []int{3}}, "must end with an answer"},
		"decay":     {prefix.Context{IDs: []int32{1}, Types: []int{4}, Decay: 2}, "Decay is 2"},
		"no source": {prefix.Multitask{Prompt: prefix.Prompt{Tokens: 1, Init: prefix.AverageSourceTasks}, Tasks: 1, Ranks: 1}, "no such file"},
	} {
		_, err := peft.Attach(tensor.Reference(), model, c.method, 1)
		require.ErrorContains(t, err, c.says, name)
	}
}

// TestModelsWithoutPlaces wants a model that has no site where rows could be put in to be told so.
func TestModelsWithoutPlaces(t *testing.T) {
	type attending struct{ Self peft.Attention }
	for says, c := range map[string]struct {
		model  any
		method peft.Method
	}{
		"no peft.Sequence before its attentions": {&attending{}, prefix.Config{Tokens: 1}},
		"no peft.Sequence with attentions":       {&struct{ Input peft.Sequence }{}, prefix.Prompt{Tokens: 1}},
		"no peft.Sublayer":                       {&attending{}, prefix.Hub{Tokens: 1}},
		"no peft.Attention":                      {&struct{ Up peft.Linear }{peft.LinearOf([]float32{1}, nil, 1)}, prefix.Hub{Tokens: 1}},
		"no peft.Hidden after its embeddings":    {&attending{}, prefix.HubPrompt{Tokens: 1}},
	} {
		_, err := peft.Attach(tensor.Reference(), c.model, c.method, 1)
		require.ErrorContains(t, err, says)
	}
}

// TestTaken wants rows to say how many positions they take.
func TestTaken(t *testing.T) {
	for n, m := range map[int]peft.Method{
		3: prefix.Config{Tokens: 3}, 4: prefix.Prompt{Tokens: 4}, 5: prefix.Multitask{Prompt: prefix.Prompt{Tokens: 5}, Tasks: 1, Ranks: 1}, 0: prefix.Hub{Tokens: 2},
	} {
		q, err := peft.Attach(tensor.Reference(), pefttest.NewModel(1), m, 1)
		require.NoError(t, err)
		require.Equal(t, n, q.Taken())
	}
}
