package lora_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/lora"
	"peft/peft"
	"peft/tensor"
)

// TestTwoBats wants the second of two patches to update what the first has made of the matrix, in one pass as merged one after the other.
func TestTwoBats(t *testing.T) {
	m, d := newTalk(), tensor.Reference()
	bat := func(block ...float64) *peft.Patch {
		q, err := peft.Attach(d, m, lora.MiSS{Rank: 2, Init: lora.Bat, Common: lora.Common{On: peft.Named("Out")}}, 1)
		require.NoError(t, err)
		q.Param("Out/miss_block").Tensor().Assign(block)
		return q
	}
	// from the identity the first makes (3 0; 0 1), and of that the second (3 4; 0 1)
	one, two := bat(1, 0, 0, 0), bat(0, 1, 0, 0)
	want := []float64{7, 10, 4, 7, 10, 13 /**/, 10, 7 /**/, 13, 7, 10}
	require.Equal(t, want, m.first(passOf(t, one, two)))
	merged, err := peft.Merge(d, m, one)
	require.NoError(t, err)
	require.Equal(t, want, m.first(passOf(t, merged, two)))
}
