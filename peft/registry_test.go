package peft_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/peft"
	"peft/tensor"
)

// TestHeadOfBaselines wants each baseline to say whether it trains the head.
func TestHeadOfBaselines(t *testing.T) {
	for config, want := range map[string]peft.Method{
		`{"method":"full"}`:                              peft.Full{},
		`{"method":"full","head":true}`:                  peft.Full{},
		`{"method":"full","head":false}`:                 peft.Full{NoHead: true},
		`{"method":"head","head":true}`:                  peft.Heads{},
		`{"method":"last","layers":2,"head":false}`:      peft.LastLayers{K: 2, NoHead: true},
		`{"method":"last","base_model_name_or_path":""}`: peft.LastLayers{K: 1},
	} {
		m, err := peft.DecodeMethod([]byte(config))
		require.NoError(t, err, config)
		require.Equal(t, want, m, config)
	}
}

// TestFieldsThatAskForNothing wants fields that a method has not to be let through where they are as if absent.
func TestFieldsThatAskForNothing(t *testing.T) {
	for _, v := range []string{"null", "false", "0", "0.0", `""`, "[]", "{}"} {
		_, err := peft.DecodeMethod([]byte(`{"method":"full","some_field":` + v + `,"other":null,"peft_version":"0.21.0"}`))
		require.NoError(t, err, v)
	}
	for _, v := range []string{"true", "0.5", `"x"`, "[0]", `{"a":0}`} {
		_, err := peft.DecodeMethod([]byte(`{"method":"full","some_field":` + v + `}`))
		require.ErrorContains(t, err, `unknown field "some_field"`, v)
	}
}

// TestBaselinesOfNothing wants a model without a head, or without blocks, to be told so.
func TestBaselinesOfNothing(t *testing.T) {
	model := &struct{ Up peft.Linear }{peft.LinearOf([]float32{1}, nil, 1)}
	for says, m := range map[string]peft.Method{"no head to train": peft.Heads{}, "has no blocks": peft.LastLayers{K: 1}} {
		_, err := peft.Attach(tensor.Shapes(), model, m, 1)
		require.ErrorContains(t, err, says)
	}
}

func TestBadConfigurations(t *testing.T) {
	for config, says := range map[string]string{
		`{"method":"head","head":false}`: "head is false, must be true",
		`{"method":"full","head":"yes"}`: "head: found a string, expected true or false",
		`{"method":"last","layers":"2"}`: `"layers" is a string, expected a whole number`,
		`{"method":3}`:                   `"method" is a number, expected a string`,
		`[]`:                             "found a list, expected an object",
		`{"method":"magic"}`:             `no method "magic"; there are: `,
		`{"peft_type":"MAGIC"}`:          `no method "MAGIC"; there are: `,
	} {
		_, err := peft.DecodeMethod([]byte(config))
		require.ErrorContains(t, err, says, config)
	}
}
