package hybrid_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/adapter"
	"peft/hybrid"
	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/prefix"
	"peft/tensor"
)

// The numbers of a bottleneck of width r, of a gate, and of a prefix of v rows that an MLP of width m makes.
func bottleneck(r int) int { return 2*r*d + r + d }
func mlp(v, m int) int     { return v*d + d*m + m + (m+1)*2*layers*d }

const gate = d + 1

func TestUnions(t *testing.T) {
	for name, c := range map[string]struct {
		method  peft.Method
		trained int
	}{
		"mam": {hybrid.MAM{Prefix: prefix.Hub{Tokens: 4, Hidden: 5}, Adapter: adapter.Config{Activation: "tanh"}, Head: true}, head + mlp(4, 5) + layers*bottleneck(d/2)},
		"mam, flat": {
			hybrid.MAM{Prefix: prefix.Hub{Flat: true}, Adapter: adapter.Config{Activation: "tanh", Reduction: 4, Scaling: adapter.Learned}}, 30*2*layers*d + layers*(bottleneck(3)+1),
		},
		"apl": {
			hybrid.UniPELT{Prefix: prefix.Hub{Hidden: 5}, Adapter: adapter.Config{Activation: "tanh", Reduction: 4}, Head: true},
			head + mlp(10, 5) + layers*(gate+bottleneck(3)+gate+2*(2*8*d+gate)),
		},
		"ap": {hybrid.UniPELT{Prefix: prefix.Hub{Flat: true}, Adapter: adapter.Config{Activation: "tanh"}, NoLoRA: true}, 10*2*layers*d + layers*(gate+bottleneck(1)+gate)},
		"al": {hybrid.UniPELT{Adapter: adapter.Config{Activation: "tanh"}, LoRA: lora.Hub{Rank: 2}, NoPrefix: true}, layers * (bottleneck(1) + gate + 2*(2*2*d+gate))},
	} {
		t.Run(name, func(t *testing.T) {
			pefttest.Test(t, c.method, pefttest.Want{Trained: c.trained, Different: true, Stays: true})
		})
	}
}

func TestUnionConfigurations(t *testing.T) {
	for text, want := range map[string]peft.Recipe{
		`{"method":"mam"}`:     hybrid.MAM{},
		`{"method":"unipelt"}`: hybrid.UniPELT{},
		`{"method":"mam","name":"x","head":true,"prefix_tuning":{"prefix_length":16,"flat":true},"adapter":{"reduction_factor":48,"scaling":2.0}}`: hybrid.MAM{
			Name: "x", Prefix: prefix.Hub{Tokens: 16, Flat: true}, Adapter: adapter.Config{Reduction: 48, Scale: 2}, Head: true,
		},
		`{"method":"unipelt","lora":null,"prefix_tuning":{"shared_gating":false}}`: hybrid.UniPELT{Prefix: prefix.Hub{KeyGate: true}, NoLoRA: true},
		`{"method":"unipelt","lora":{"r":4,"attn_matrices":["q","k"]}}`:            hybrid.UniPELT{LoRA: lora.Hub{Rank: 4, Attention: []peft.Role{peft.Query, peft.Key}}},
	} {
		m, err := peft.DecodeMethod([]byte(text))
		require.NoError(t, err, text)
		got, err := m.(peft.HubMethod).Config(nil)
		require.NoError(t, err)
		expected, err := want.Recipe().(peft.HubMethod).Config(nil)
		require.NoError(t, err)
		require.Equal(t, expected, got, text)
		require.Equal(t, want.Recipe().(peft.HubMethod).HubName(), m.(peft.HubMethod).HubName())
	}
	for text, says := range map[string]string{
		`{"method":"mam","rank":3}`:                                                      `unknown field "rank"`,
		`{"method":"mam","lora":{"r":3}}`:                                                "lora: mam has no such part",
		`{"method":"mam","adapter":{"r":3}}`:                                             `adapter: unknown field "r"; there are: adapter_residual_before_ln, `,
		`{"method":"mam","adapter":3}`:                                                   "adapter: expected a configuration or null",
		`{"method":"mam","adapter":null,"prefix_tuning":null}`:                           "all parts are left out",
		`{"method":"unipelt","lora":{"r":0}}`:                                            "lora: peft: configuration of AdapterHub/lora: lora: Rank is 0",
		`{"config":{"architecture":"union","configs":[]},"name":"x"}`:                    "configs is empty",
		`{"config":{"architecture":"union","configs":[{"architecture":"y"}]}}`:           `configs[0]: peft: configuration: no method "AdapterHub/y"`,
		`{"config":{"architecture":"union","configs":{}},"name":"x"}`:                    `"configs" is an object, expected a list`,
		`{"config":{"architecture":"union","configs":[{"mh_adapter":"yes"}]}}`:           "configs[0]: ",
		`{"config":{"architecture":"union","configs":[{"architecture":"lora","r":-1}]}}`: "configs[0]: ",
	} {
		_, err := peft.DecodeMethod([]byte(text))
		require.ErrorContains(t, err, says, text)
	}
}

func TestUnionRefusals(t *testing.T) {
	for says, m := range map[string]peft.Method{
		"union: found no methods":                                                      hybrid.UniPELT{NoPrefix: true, NoAdapter: true, NoLoRA: true},
		`one method names the adapter "a", another "adapter"`:                          peft.Union(prefix.Hub{Name: "a", Tokens: 2}, adapter.Config{}),
		"adapter.Config and adapter.Config both have a parameter Layers.0.Fed/adapter": peft.Combine(adapter.Config{}, adapter.Parallel()),
	} {
		_, err := peft.Attach(tensor.Reference(), pefttest.NewModel(1), m, 1)
		require.ErrorContains(t, err, says)
	}
}
