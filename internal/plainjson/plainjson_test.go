package plainjson_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/plainjson"
)

// Common is embedded, as in configurations.
type Common struct {
	Rank int `json:"r"`
}

type config struct {
	Common
	Alpha   float64           `json:"alpha"`
	Names   map[string]string `json:"names"`
	Targets []string          `json:"targets"`
	Head    *bool             `json:"head"`
	Task    string            `json:"task"`
	Inner   struct {
		Size uint `json:"size"`
	} `json:"inner"`
}

func TestError(t *testing.T) {
	for text, want := range map[string]string{
		`{"r":"x"}`:             `"r" is a string, expected a whole number`,
		`{"r":2.5}`:             `"r" is 2.5, expected a whole number`,
		`{"alpha":[1]}`:         `"alpha" is a list, expected a number`,
		`{"names":{"0":5}}`:     `"names" is a number, expected a string`,
		`{"names":[]}`:          `"names" is a list, expected an object`,
		`{"targets":"q"}`:       `"targets" is a string, expected a list`,
		`{"head":"yes"}`:        `"head" is a string, expected true or false`,
		`{"task":true}`:         `"task" is true or false, expected a string`,
		`{"inner":{"size":-1}}`: `"size" is -1, expected a whole number`,
		`[]`:                    `found a list, expected an object`,
		`{"rank":1}`:            `unknown field "rank"`,
	} {
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		err := d.Decode(&config{})
		require.Error(t, err, text)
		wrapped := fmt.Errorf("config.json: %w", err)
		require.EqualError(t, plainjson.Error(wrapped), "config.json: "+want)
		require.ErrorIs(t, plainjson.Error(wrapped), err)
	}
}

func TestOtherErrors(t *testing.T) {
	require.NoError(t, plainjson.Error(nil))
	other := errors.New("no space left on device")
	require.Same(t, other, plainjson.Error(other))
}
