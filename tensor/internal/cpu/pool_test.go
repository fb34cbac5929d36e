package cpu

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Buffers in use never share memory, whatever was cut and joined, and when all are free each slab is whole again.
func TestPoolCuts(t *testing.T) {
	const seed = 7
	rng := rand.New(rand.NewPCG(seed, 0))
	var p pool
	var live []*buffer
	marked := func(b *buffer) {
		for i := range b.data {
			require.Equal(t, float32(b.n), b.data[i], "seed %d", seed)
		}
	}
	for range 3000 {
		if n := len(live); n > 0 && rng.IntN(2) == 0 {
			i := rng.IntN(n)
			marked(live[i])
			p.put(live[i])
			live[i] = live[n-1]
			live = live[:n-1]
			continue
		}
		b := p.get(rng.IntN(1 << (4 + rng.IntN(14))))
		require.Len(t, b.data, b.size)
		fill(b.data, float32(b.n))
		live = append(live, b)
	}
	for _, b := range live {
		marked(b)
		p.put(b)
	}
	require.Zero(t, p.live)
	var idle int64
	for _, a := range []*arena{&p.small, &p.large} {
		for _, b := range a.free {
			for ; b != nil; b = b.next {
				require.Nil(t, b.before, "all before it is free, too")
				require.True(t, b.after == nil || b.after == a.fresh)
				idle += b.bytes()
			}
		}
	}
	require.Equal(t, idle, p.idle)
	require.Equal(t, p.held, p.idle, "nothing was let go of")
}
