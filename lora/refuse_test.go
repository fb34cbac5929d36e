package lora_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/tensor"
)

func TestFamilyRefuses(t *testing.T) {
	model, at := pefttest.NewModel(1), lora.Common{On: peft.Named("*.Query")}
	for says, m := range map[string]peft.Method{
		"Rank is 0":                                lora.LoHa{Common: at},
		"Rank is 1073741824, must be at most":      lora.LoHa{Common: at, Rank: 1 << 30},
		"rank is 500, above both sides":            lora.Config{Rank: 500, On: at.On},
		"rank is 600, above both sides":            lora.Hub{Rank: 600},
		"Vectors is 1048576, must be at most":      lora.VBLoRA{Common: at, Rank: 1, Vectors: 1 << 20},
		"DoRA has no bias":                         lora.Config{Rank: 1, DoRA: true, OwnBias: true, On: at.On},
		"Tie must be false":                        lora.Config{Rank: 1, DoRA: true, Tie: true, On: at.On},
		"rank is 13, above the smaller side":       lora.Config{Rank: 13, Init: lora.OLoRA, On: peft.Named("*.Up")},
		"rank is 3, but must be even":              lora.Config{Rank: 3, Init: lora.Orthogonal, On: at.On},
		`FeedForward holds "Down"`:                 lora.IA3{Common: at, FeedForward: peft.Names{List: []string{"Down"}}},
		"IA3 trains no biases":                     lora.IA3{Common: lora.Common{On: at.On, Bias: lora.AllBias}},
		"VERA adapts linear maps, not a *peft.Emb": lora.VeRA{Common: lora.Common{On: peft.Named("Words")}, Rank: 1},
		`Init is "nope"`:                           lora.HRA{Common: at, Rank: 2, Init: "nope"},
		"leaves no step between":                   lora.AdaLoRA{Common: at, InitRank: 2, Total: 5, Warmup: 3, Last: 2},
		"TargetRank is 3":                          lora.AdaLoRA{Common: at, InitRank: 2, TargetRank: 3},
		"Blocks is 2 and BlockSize 3":              lora.OFT{Common: at, Blocks: 2, BlockSize: 3},
		"do not make an input of 12":               lora.BOFT{Common: at, BlockSize: 5},
		"3 blocks of 4 do not make butterflies":    lora.BOFT{Common: at, BlockSize: 4, Factors: 2},
		"4 blocks of 3 do not make butterflies":    lora.BOFT{Common: at, BlockSize: 3, Factors: 2},
		"frequencies are 145":                      lora.FourierFT{Common: at, Frequencies: 145},
		"does not divide both sides":               lora.MiSS{Common: at, Rank: 5, Init: lora.Bat},
		"columns are 5":                            lora.MiSS{Common: at, Rank: 2, Init: lora.Mini, Columns: 5},
		`Variant is "road_3"`:                      lora.RoAd{Common: at, Group: 4, Variant: "road_3"},
		"groups of 8":                              lora.RoAd{Common: at, Group: 8},
		"blocks of 5 do not make":                  lora.C3A{Common: at, Block: 5},
		"vectors of 5 numbers":                     lora.VBLoRA{Common: at, Rank: 1, Length: 5},
		"TopK is above":                            lora.VBLoRA{Common: at, Rank: 1, Vectors: 3, TopK: 4},
		"must be a multiple of Blocks":             lora.GraLoRA{Common: at, Rank: 3, Blocks: 2},
		"row 13 is trained twice, or not one":      lora.Tokens{Rows: []int{1, 13}},
		"row 1 is trained twice":                   lora.Tokens{Rows: []int{1, 1}},
		"Rows names no row":                        lora.Tokens{},
		"rows of an embedding are trained":         lora.Tokens{Rows: []int{1}, Common: at},
		"not so many blocks":                       lora.ReFT{Rank: 1, First: 1, Layers: []int{1, 7}},
		"First + Last is 0":                        lora.ReFT{Rank: 1},
	} {
		_, err := peft.Attach(tensor.Reference(), model, m, 1)
		require.ErrorContains(t, err, says, "%T", m)
	}
}

// Options of Hugging Face PEFT that are not there are refused by name, and so are fields that a person misspelt.
func TestFamilyConfigurations(t *testing.T) {
	for text, says := range map[string]string{
		`{"peft_type":"LOHA","rank_dropout":1}`:                        "RankDropout is 1",
		`{"peft_type":"LOKR","module_dropout":-0.1}`:                   "ModuleDropout is -0.1",
		`{"peft_type":"OFT","module_dropout":1}`:                       "Dropout is 1",
		`{"peft_type":"BOFT","boft_dropout":1}`:                        "Dropout is 1",
		`{"peft_type":"ADALORA","use_dora":true}`:                      "use_dora is not supported",
		`{"method":"adalora","use_rslora":true}`:                       "use_rslora is not supported",
		`{"method":"adalora","init_lora_weights":"gaussian"}`:          `Init is "gaussian"`,
		`{"peft_type":"RANDLORA","save_projection":false}`:             "save_projection that is false is not supported",
		`{"peft_type":"LORA","init_lora_weights":"corda"}`:             `Init is "corda"`,
		`{"peft_type":"LORA","init_lora_weights":"pissa_niter_4"}`:     `Init is "pissa_niter_4"`,
		`{"peft_type":"HIRA","bias":"all"}`:                            "HIRA trains no biases",
		`{"method":"oft","r":4}`:                                       "Blocks is 4 and BlockSize 32",
		`{"method":"hra","rank":4}`:                                    `unknown field "rank"`,
		`{"method":"ia3","init_ia3_weights":3}`:                        "expected true, false or a word",
		`{"method":"loreft","non_linearity":"step"}`:                   `Activation is "step"`,
		`{"config":{"architecture":"reft","r":1,"output_reft":false}}`: "output_reft that is false is not supported",
	} {
		_, err := peft.DecodeMethod([]byte(text))
		require.ErrorContains(t, err, says, text)
	}
	for _, text := range []string{
		`{"peft_type":"LOHA","rank_dropout":0.0,"module_dropout":0.0,"r":4,"from_the_future":1}`, `{"method":"ia3","target_modules":["key"],"feedforward_modules":[]}`,
		`{"method":"vera","bias":"vera_only","fan_in_fan_out":true}`, `{"method":"trainable_tokens","token_indices":[3]}`, `{"method":"dora","r":4}`,
		`{"peft_type":"ADALORA","use_rslora":true,"lora_bias":true,"alpha_pattern":{"a":2},"init_lora_weights":"gaussian"}`,
		`{"method":"adalora","rank_pattern":{"a.lora_E":[true,false]}}`, `{"method":"lora","trainable_token_indices":{"embed_tokens":[1]}}`,
	} {
		_, err := peft.DecodeMethod([]byte(text))
		require.NoError(t, err, text)
	}
}

// FuzzConfigurations reads configurations that may be broken: a method or an error comes of each.
func FuzzConfigurations(f *testing.F) {
	for _, name := range []string{
		"LORA", "ADALORA", "IA3", "LOHA", "LOKR", "VERA", "OFT", "BOFT", "HRA", "FOURIERFT", "RANDLORA", "MISS", "ROAD", "C3A", "VBLORA", "DELORA", "HIRA", "GRALORA", "TRAINABLE_TOKENS",
	} {
		f.Add(`{"peft_type":"` + name + `","r":2,"bias":"all","init_weights":false,"target_modules":["q"],"rank_pattern":{"a":3},"token_indices":[1]}`)
	}
	f.Add(`{"config":{"architecture":"reft","r":1,"layers":[0,2]},"name":"x"}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := peft.DecodeMethod([]byte(text))
		if err == nil {
			require.NotNil(t, m)
		}
	})
}
