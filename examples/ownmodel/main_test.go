package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestREADME wants the README to show this program as it is.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	program, err := os.ReadFile("main.go")
	require.NoError(t, err)
	require.Contains(t, string(readme), "```go\n"+string(program)+"```")
}

func Example() {
	main()
	// Output:
	//          2  [1 2]          Up/lora_A
	//          3  [3 1]          Up/lora_B
	//          3  [1 3]          Down/lora_A
	//          2  [2 1]          Down/lora_B
	// trained 10 of 22 (45.4545 %)
	// loss after 50 steps: 0.0019
}
