package main

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMemory wants people to be told how much memory a step will take, whatever is trained.
func TestMemory(t *testing.T) {
	told := regexp.MustCompile(`a step will take at most about [\d.]+ MB: [\d.]+ for frozen weights`)
	for _, method := range []string{"lora", "full", "bitfit", "prefix", "adapter", "fish"} {
		s := newScene(t)
		_, text, err := runProgram(t, "-model", s.model, "-data", s.data, "-out", s.dir+"/out", "-method", method, "-steps", "1")
		require.NoError(t, err)
		require.Regexp(t, told, text)
	}
}
