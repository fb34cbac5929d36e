package backendtest

import (
	"math"

	"peft/tensor/internal/backend"
)

func attentionCases() []testCase {
	return []testCase{
		{"Attention", 120, attend},
		{"AttentionGrad", 160, attendGrad},
	}
}

// An attention is one with its operands.
type attention struct {
	backend.Attention
	size, valueSize  int // of a head of q and k, and of v
	bias             *operand
	q, k, v          *operand
	queries, keys    int
	longest, longKey int // rows of a sequence, at most
}

// on is the attention on a side.
func (a *attention) on(s *side) *backend.Attention {
	b := a.Attention
	b.Bias = s.maybe(a.bias)
	return &b
}

// attention is any kind of it, over any sequences.
func (t *trial) attention() *attention {
	a := &attention{size: pick(t, 1, 2, 5, 8, 16, 24, 32, 64, 80), longest: pick(t, 1, 4, 20, 40)}
	a.KVHeads = pick(t, 1, 1, 2, 3)
	a.Heads = a.KVHeads * pick(t, 1, 1, 2, 4)
	a.valueSize = pick(t, a.size, a.size, a.size, 3, 16)
	a.Scale = pick(t, 1/math.Sqrt(float64(a.size)), 0.3, 1)
	if t.large {
		a.size, a.longest, a.KVHeads, a.Heads = 16, 150, 1, 2
	}
	a.sequences(t)
	a.positions(t)
	a.mask(t)
	a.q, a.k, a.v = t.in(a.queries, a.Heads*a.size), t.in(a.keys, a.KVHeads*a.size), t.in(a.keys, a.KVHeads*a.valueSize)
	if t.chance(3) {
		a.relative(t)
	}
	return a
}

// sequences cuts rows into sequences: of as many keys as queries, of some keys more in front (a prefix), or of any number.
func (a *attention) sequences(t *trial) {
	n := 1 + t.rng.IntN(4)
	a.QStart, a.queries = t.starts(n, a.longest)
	a.longKey = a.longest + t.rng.IntN(8)
	if t.chance(3) {
		a.KStart, a.keys = t.starts(n, a.longKey)
		return
	}
	more := pick(t, 0, a.longKey-a.longest)
	for s, q := range a.QStart {
		a.KStart = append(a.KStart, q+int32(s*more))
	}
	a.keys = int(a.KStart[n])
}

// positions are where rows stand: the last query with the last key, keys one after the other, with holes, or in any order. Some queries see nothing then.
func (a *attention) positions(t *trial) {
	a.QPos, a.KPos = make([]int32, a.queries), make([]int32, a.keys)
	hole, from, shuffled := pick(t, 0, 0, 3), pick(t, 0, 0, -5, 1000), t.chance(5)
	for s := range len(a.QStart) - 1 {
		k := a.KPos[a.KStart[s]:a.KStart[s+1]]
		q := a.QPos[a.QStart[s]:a.QStart[s+1]]
		at := int32(from)
		for j := range k {
			k[j] = at
			at += 1 + int32(t.rng.IntN(hole+1))
		}
		for i := range q {
			q[i] = at - int32(len(q)-i) - int32(t.rng.IntN(hole+1))
		}
		if shuffled {
			t.rng.Shuffle(len(k), func(i, j int) { k[i], k[j] = k[j], k[i] })
		}
	}
}

// mask is who is seen, and what else becomes of scores and weights.
func (a *attention) mask(t *trial) {
	a.Causal = t.chance(2)
	if t.chance(3) {
		a.Window = 1 + t.rng.IntN(30)
	}
	if t.chance(3) {
		a.Always = 1 + t.rng.IntN(5)
	}
	if t.chance(4) {
		a.Softcap = pick(t, 0.5, 5, 30)
	}
	if t.chance(3) {
		a.Dropout, a.Key = pick(t, 0.1, 0.5), t.key()
	}
}

// relative is a bias for each distance between key and query.
func (a *attention) relative(t *trial) {
	low, high := int32(0), int32(0)
	for _, q := range a.QPos {
		for _, k := range a.KPos {
			low, high = min(low, k-q), max(high, k-q)
		}
	}
	buckets := 1 + t.rng.IntN(9)
	a.BucketZero, a.Bucket = int(-low), make([]int32, high-low+1)
	for i := range a.Bucket {
		a.Bucket[i] = int32(t.rng.IntN(buckets))
	}
	a.bias = t.in(a.Heads, buckets)
}

func attend(t *trial) {
	a := t.attention()
	out, lse := t.out(a.queries, a.Heads*a.valueSize, 0), t.out(a.queries, a.Heads, 0)
	t.do(func(s *side) { s.Attention(s.of(out), s.of(lse), s.of(a.q), s.of(a.k), s.of(a.v), a.on(s)) })
	e := a.errors()
	t.within(lse, func(i, h int, want float64) float64 { return e.sum[i][h] + 2*u*finiteOr0(want) })
	t.within(out, func(i, j int, _ float64) float64 { return e.out[i][j] })
}

// attendGrad makes the gradients by all operands or by some; those by keys and values together.
func attendGrad(t *trial) {
	a := t.attention()
	beta := [3]float64{t.beta(), t.beta(), t.beta()}
	g := &attentionGrad{attention: a, dout: t.in(a.queries, a.Heads*a.valueSize), lse: t.made(a.queries, a.Heads)}
	g.out = t.made(a.queries, a.Heads*a.valueSize)
	t.derive(func(s *side) { s.Attention(s.of(g.out), s.of(g.lse), s.of(a.q), s.of(a.k), s.of(a.v), a.on(s)) }, g.out, g.lse)
	dq := t.perhapsOut(a.queries, a.Heads*a.size, beta[0])
	var dk, dv, dbias *operand
	if dq == nil || !t.chance(4) {
		dk, dv = t.out(a.keys, a.KVHeads*a.size, beta[1]), t.out(a.keys, a.KVHeads*a.valueSize, beta[2])
	}
	if a.bias != nil {
		dbias = t.perhapsInout(a.bias.rows, a.bias.cols)
	}
	t.do(func(s *side) {
		s.AttentionGrad(s.maybe(dq), s.maybe(dk), s.maybe(dv), s.maybe(dbias), s.of(g.dout), s.of(a.q), s.of(a.k), s.of(a.v), s.of(g.out), s.of(g.lse), a.on(s), beta)
	})
	e := g.errors()
	for n, d := range []*operand{dq, dk, dv} {
		t.withinMaybe(d, func(i, j int, _ float64) float64 { return e.d[n][i][j] + 3*u*t.before(d, i, j, beta[n]) })
	}
	t.withinMaybe(dbias, func(h, b int, _ float64) float64 {
		return e.dbias[h][b] + float64(e.pairs[h][b]+3)*u*math.Abs(dbias.at(h, b))
	})
}

// finiteOr0 is |x|, or 0 for an infinite one.
func finiteOr0(x float64) float64 {
	if math.IsInf(x, 0) {
		return 0
	}
	return math.Abs(x)
}
