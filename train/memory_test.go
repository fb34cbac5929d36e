package train_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/train"
)

func TestPeakRSSRises(t *testing.T) {
	before := train.PeakRSS()
	if before == 0 {
		t.Skip("the system does not say")
	}
	require.Greater(t, before, int64(1<<20))
	const size = 64 << 20
	block := make([]byte, size)
	for i := range block {
		block[i] = 1
	}
	after := train.PeakRSS()
	runtime.KeepAlive(block)
	require.GreaterOrEqual(t, after, before)
	require.GreaterOrEqual(t, after, int64(size))
}
