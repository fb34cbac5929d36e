package lora_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/tensor"
)

// The number of query and value maps of the laws' model, and of numbers per rank in each.
const (
	maps    = 2 * pefttest.Layers
	perRank = 2 * pefttest.Size
	head    = pefttest.Classes * (pefttest.Size + 1)
)

func TestLaws(t *testing.T) {
	queryValue := peft.Named("*.Query", "*.Value")
	for name, c := range map[string]struct {
		method  lora.Config
		trained int
	}{
		"plain":     {lora.Config{Rank: 4, Alpha: 8, On: queryValue}, maps * 4 * perRank},
		"dropout":   {lora.Config{Rank: 2, On: queryValue, Dropout: 0.3}, maps * 2 * perRank},
		"rslora":    {lora.Config{Rank: 3, Alpha: 6, RSLoRA: true, On: queryValue}, maps * 3 * perRank},
		"gaussian":  {lora.Config{Rank: 3, Init: lora.Gaussian, On: queryValue}, maps * 3 * perRank},
		"own bias":  {lora.Config{Rank: 1, OwnBias: true, On: queryValue}, maps * (perRank + pefttest.Size)},
		"lora_only": {lora.Config{Rank: 1, Bias: lora.OnlyLoRA, On: queryValue}, maps * (perRank + pefttest.Size)},
		"head":      {lora.Config{Rank: 1, Head: true, On: queryValue}, maps*perRank + head},
		"embedding": {lora.Config{Rank: 2, On: peft.Named("Words")}, 2 * (pefttest.Words + pefttest.Size)},
		"all bias":  {lora.Config{Rank: 1, Bias: lora.AllBias, Head: true, On: queryValue}, maps*perRank + head + pefttest.Layers*(7*pefttest.Size+pefttest.Inner)},
		"tokens":    {lora.Config{Rank: 1, Tokens: lora.TokenRows{"": {1, 4}, "Places": {2}}, On: queryValue}, maps*perRank + 3*pefttest.Size},
		"all-linear": {
			lora.Config{Rank: 1, On: peft.AllLinear()},
			pefttest.Layers * (4*2*pefttest.Size + 2*(pefttest.Size+pefttest.Inner)),
		},
	} {
		t.Run(name, func(t *testing.T) { pefttest.Test(t, c.method, pefttest.Want{Trained: c.trained}) })
	}
}

// Invoked by a word, LoRA acts on some rows, and so is no part of weights.
func TestLawsOfInvocation(t *testing.T) {
	for name, c := range map[string]struct {
		method  lora.Config
		trained int
	}{
		"plain":    {lora.Config{Rank: 3, Alpha: 5, Dropout: 0.3}, maps * 3 * perRank},
		"own bias": {lora.Config{Rank: 1, OwnBias: true}, maps * (perRank + pefttest.Size)},
	} {
		c.method.Invocation, c.method.On = []int32{5}, peft.Named("*.Query", "*.Value")
		t.Run(name, func(t *testing.T) { pefttest.Test(t, c.method, pefttest.Want{Trained: c.trained, Stays: true}) })
	}
}

func TestDoRA(t *testing.T) {
	want := pefttest.Want{Trained: maps * (3*perRank + pefttest.Size), Detached: []string{"lora_A", "lora_B"}}
	for name, dropout := range map[string]float64{"plain": 0, "dropout": 0.3} {
		t.Run(name, func(t *testing.T) {
			pefttest.Test(t, lora.Config{Rank: 3, Alpha: 5, DoRA: true, Dropout: dropout, On: peft.Named("*.Query", "*.Value")}, want)
		})
	}
	t.Run("embedding", func(t *testing.T) {
		trained := 2*(pefttest.Words+pefttest.Size) + pefttest.Size
		pefttest.Test(t, lora.Config{Rank: 2, Alpha: 5, DoRA: true, On: peft.Named("Words")}, pefttest.Want{Trained: trained, Detached: []string{"lora_embedding_A", "lora_embedding_B"}})
	})
	for _, start := range []lora.Init{lora.PiSSA, lora.OLoRA} {
		t.Run(string(start), func(t *testing.T) {
			want.Nearly = true
			pefttest.Test(t, lora.Config{Rank: 3, Alpha: 5, DoRA: true, Init: start, On: peft.Named("*.Query", "*.Value")}, want)
		})
	}
}

// What starts with numbers that cancel out changes the model by rounding errors.
func TestStarts(t *testing.T) {
	for _, start := range []lora.Init{lora.PiSSA, lora.OLoRA, lora.Orthogonal} {
		for name, dropout := range map[string]float64{"": 0, " dropout": 0.3} {
			t.Run(string(start)+name, func(t *testing.T) {
				method := lora.Config{Rank: 4, Alpha: 6, Init: start, Dropout: dropout, On: peft.Named("*.Query", "*.Value")}
				pefttest.Test(t, method, pefttest.Want{Trained: maps * 4 * perRank, Nearly: true})
			})
		}
	}
}

func TestRefusals(t *testing.T) {
	model := pefttest.NewModel(1)
	for name, c := range map[string]struct {
		method lora.Config
		says   string
	}{
		"rank":     {lora.Config{}, "Rank is 0, must be at least 1"},
		"dropout":  {lora.Config{Rank: 1, Dropout: 1}, "Dropout is 1"},
		"bias":     {lora.Config{Rank: 1, Bias: "some"}, `Bias is "some"`},
		"init":     {lora.Config{Rank: 1, Init: "ones"}, `Init is "ones"`},
		"nothing":  {lora.Config{Rank: 1, On: peft.Named("*.nowhere")}, "Layers.N.Query"},
		"no place": {lora.Config{Rank: 1, On: peft.Named("*.Norm1")}, "not a *peft.Norm"},
	} {
		_, err := peft.Attach(tensor.Reference(), model, c.method, 1)
		require.ErrorContains(t, err, c.says, name)
	}
}

func TestConfigurations(t *testing.T) {
	for text, says := range map[string]string{
		`{"method":"lora","r":0}`:                               "Rank is 0",
		`{"method":"lora","rank":3}`:                            `unknown field "rank"`,
		`{"peft_type":"LORA","use_dora":true,"lora_bias":true}`: "DoRA has no bias",
		`{"peft_type":"LORA","loftq_config":{"a":1}}`:           "loftq_config is not supported",
		`{"method":"lora","init_lora_weights":"nope"}`:          `Init is "nope"`,
	} {
		_, err := peft.DecodeMethod([]byte(text))
		require.ErrorContains(t, err, says, text)
	}
	for _, text := range []string{
		`{"peft_type":"LORA","from_the_future":1,"r":2,"target_modules":["query"]}`,
		`{"method":"lora","r":2,"megatron_core":"megatron.core","megatron_config":null,"loftq_config":{},"qalora_group_size":16,"runtime_config":{"ephemeral_gpu_offload":false}}`,
	} {
		_, err := peft.DecodeMethod([]byte(text))
		require.NoError(t, err, text)
	}
}
