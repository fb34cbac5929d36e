package lora_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
)

// TestCONTRIBUTING wants the guide to show a method as it is, and its line of laws to hold.
func TestCONTRIBUTING(t *testing.T) {
	guide, err := os.ReadFile("../CONTRIBUTING.md")
	require.NoError(t, err)
	method, err := os.ReadFile("hira.go")
	require.NoError(t, err)
	require.Contains(t, string(guide), "```go\n"+string(method)+"```")
	pefttest.Test(t, lora.HiRA{Rank: 3, Common: lora.Common{On: peft.Named("*.Query", "*.Value")}}, pefttest.Want{Trained: 288})
}
