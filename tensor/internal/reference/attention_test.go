package reference

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor/internal/backend"
)

// attentions are kinds of attention over sequences of 3, 0, 2 and 4 queries and 4, 2, 0 and 5 keys.
func attentions(bias *backend.Mat) map[string]*backend.Attention {
	bucket := []int32{0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3}
	kinds := map[string]*backend.Attention{
		"full":    {},
		"causal":  {Causal: true},
		"window":  {Causal: true, Window: 2},
		"band":    {Window: 2},
		"always":  {Causal: true, Window: 1, Always: 1},
		"softcap": {Softcap: 0.7},
		"bias":    {Bias: bias, Bucket: bucket, BucketZero: 5},
		"dropout": {Dropout: 0.4, Key: 99},
		"all":     {Causal: true, Window: 3, Always: 1, Softcap: 1.5, Bias: bias, Bucket: bucket, BucketZero: 5, Dropout: 0.2, Key: 5},
	}
	for _, a := range kinds {
		a.Heads, a.KVHeads, a.Scale = 4, 2, 0.8
		a.QStart, a.KStart = []int32{0, 3, 3, 5, 9}, []int32{0, 4, 6, 6, 11}
		a.QPos, a.KPos = []int32{1, 2, 3, 0, 1, 0, 1, 2, 4}, []int32{0, 1, 2, 3, 0, 1, 0, 1, 2, 3, 4}
	}
	return kinds
}

func TestAttentionGrad(t *testing.T) {
	b, rng := New(), newRand(t)
	q, k, v, w := random(rng, 9, 12), random(rng, 11, 6), random(rng, 11, 6), random(rng, 9, 12)
	bias := random(rng, 4, 4)
	for name, a := range attentions(&bias) {
		out, lse := b.zeros(9, 12), b.zeros(9, 4)
		loss := func() float64 {
			b.Attention(out, lse, q, k, v, a)
			return inner(out, w)
		}
		loss()
		dq, dk, dv, dbias := b.zeros(9, 12), b.zeros(11, 6), b.zeros(11, 6), b.zeros(4, 4)
		gradBias := &dbias
		if a.Bias == nil {
			gradBias = nil
		}
		b.AttentionGrad(&dq, &dk, &dv, gradBias, w, q, k, v, out, lse, a, [3]float64{})
		requireGradient(t, name+" q", q, dq, loss)
		requireGradient(t, name+" k", k, dk, loss)
		requireGradient(t, name+" v", v, dv, loss)
		requireGradient(t, name+" bias", bias, dbias, loss)
	}
}

func TestAttentionWithoutKeys(t *testing.T) {
	b, rng := New(), newRand(t)
	q, k, out, lse := random(rng, 9, 12), random(rng, 11, 6), b.zeros(9, 12), b.zeros(9, 4)
	b.Attention(out, lse, q, k, k, attentions(nil)["full"])
	for i := 3; i < 5; i++ {
		require.Zero(t, *at(out, i, 0))
		require.True(t, math.IsInf(*at(lse, i, 0), -1))
	}
}

func TestAttentionGradAdds(t *testing.T) {
	b, rng := New(), newRand(t)
	q, k, v, w := random(rng, 9, 12), random(rng, 11, 6), random(rng, 11, 6), random(rng, 9, 12)
	a, out, lse := attentions(nil)["causal"], b.zeros(9, 12), b.zeros(9, 4)
	b.Attention(out, lse, q, k, v, a)
	once, dk, dv := b.zeros(11, 6), b.zeros(11, 6), b.zeros(11, 6)
	b.AttentionGrad(nil, &once, &dv, nil, w, q, k, v, out, lse, a, [3]float64{})
	b.Axpby(dk, 1, once, 0)
	b.AttentionGrad(nil, &dk, &dv, nil, w, q, k, v, out, lse, a, [3]float64{0, 1, 0})
	each(once, func(i, j int) { require.InDelta(t, 2**at(once, i, j), *at(dk, i, j), 1e-12) })
}
