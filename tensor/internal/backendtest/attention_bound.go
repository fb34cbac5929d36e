package backendtest

import (
	"math"

	"peft/tensor/internal/backend"
	"peft/tensor/internal/reference"
)

// lost is the weight whose rounding is an underflow: what is smaller is off by as much.
const lost = tiny / u

// A pair is query row i and key row j of one sequence in head h, where i sees j.
type pair struct {
	i, j, h, kv  int     // kv is the head of keys and values
	key          int     // j counted in the sequence
	weight, kept float64 // of the softmax, and after dropout; more than lost where they are not zero
	product      float64 // Scale·Σ|q||k|
	rows, keys   int     // of the sequence
}

// pairs calls f for all pairs. Who sees whom is known by the weights that the reference gives to unit vectors in the place of values.
func (a *attention) pairs(f func(p pair)) {
	weight, kept := a.weights(0), a.weights(a.Dropout)
	for s := range len(a.QStart) - 1 {
		a.within(s, func(p pair) {
			p.weight, p.kept = weight(p), kept(p)
			if p.weight == 0 {
				return
			}
			p.weight += lost
			if p.kept > 0 {
				p.kept += lost
			}
			p.product = math.Abs(a.Scale) * absDot(a.q, p.i, p.h, a.k, p.j, p.kv, a.size)
			f(p)
		})
	}
}

// within calls f for all rows, keys and heads of a sequence, whether seen or not.
func (a *attention) within(s int, f func(p pair)) {
	rows, keys := int(a.QStart[s+1]-a.QStart[s]), int(a.KStart[s+1]-a.KStart[s])
	for i := range rows {
		for j := range keys {
			for h := range a.Heads {
				f(pair{i: int(a.QStart[s]) + i, j: int(a.KStart[s]) + j, key: j, h: h, kv: h * a.KVHeads / a.Heads, rows: rows, keys: keys})
			}
		}
	}
}

// weights are those of the softmax with the given dropout: what attention makes of values each of which is the unit vector of its key's number.
func (a *attention) weights(dropout float64) func(p pair) float64 {
	s, b := newSide(reference.New()), a.Attention
	b.Dropout, b.Bias = dropout, s.maybe(a.bias)
	width := a.longKey
	unit, out, lse := s.zeros(a.keys, a.KVHeads*width), s.zeros(a.queries, a.Heads*width), s.zeros(a.queries, a.Heads)
	for n := range len(a.KStart) - 1 {
		for j := range int(a.KStart[n+1] - a.KStart[n]) {
			for h := range a.KVHeads {
				s.Write(unit.Buf, (int(a.KStart[n])+j)*unit.Cols+h*width+j, []float64{1})
			}
		}
	}
	s.Attention(out, lse, s.of(a.q), s.of(a.k), unit, &b)
	w := make([]float64, a.queries*out.Cols)
	s.Read(w, out.Buf, 0)
	return func(p pair) float64 { return w[p.i*out.Cols+p.h*width+p.key] }
}

// zeros is a matrix of zeros.
func (s *side) zeros(rows, cols int) backend.Mat {
	m := backend.Dense(s.Alloc(rows*cols), 0, rows, cols)
	s.Fill(m, 0)
	return m
}

// absDot is Σ|a||b| of head h of row i and head l of row j.
func absDot(a *operand, i, h int, b *operand, j, l, size int) float64 {
	sum := 0.0
	for c := range size {
		sum += math.Abs(a.at(i, h*size+c) * b.at(j, l*size+c))
	}
	return sum
}

// score is how far the score of a pair may be off, and how large it is at most: a product of d terms, the tangent, the bias.
func (a *attention) score(p pair) (off, size float64) {
	off, size = float64(a.size+4)*u*p.product, p.product
	if a.Softcap > 0 {
		size = min(size, a.Softcap)
		off += 8 * u * size
	}
	if a.bias != nil {
		b := a.Bucket[int(a.KPos[p.j])-int(a.QPos[p.i])+a.BucketZero]
		size += math.Abs(a.bias.at(p.h, int(b)))
	}
	return off + 2*u*size, size
}

// attentionErrors says how far the results of Attention may be off.
type attentionErrors struct{ sum, out [][]float64 }

// errors: a weight is off by its score's error and by the rounding of its distance to the largest; the sum of n weights has n roundings, and a
// few for each of at most n tiles if what was added up is scaled when a larger score comes. A result has the errors of its weights and of their sum.
func (a *attention) errors() attentionErrors {
	e := attentionErrors{table(a.queries, a.Heads), table(a.queries, a.Heads*a.valueSize)}
	a.pairs(func(p pair) {
		off, size := a.score(p)
		e.sum[p.i][p.h] = max(e.sum[p.i][p.h], off+u*(4*size+float64(3*p.keys)+24))
	})
	a.pairs(func(p pair) {
		part := 2*e.sum[p.i][p.h] + float64(p.keys+6)*u
		for c := range a.valueSize {
			e.out[p.i][p.h*a.valueSize+c] += part * p.kept * math.Abs(a.v.at(p.j, p.kv*a.valueSize+c))
		}
	})
	return e
}

// An attentionGrad is the operands of AttentionGrad besides.
type attentionGrad struct {
	*attention
	dout, out, lse *operand
}

// gradErrors says how far the results of AttentionGrad may be off, and how many pairs share a bucket.
type gradErrors struct {
	d            [3][][]float64 // dq, dk, dv
	dbias, pairs [][]float64
}

// errors adds up what each pair may contribute.
func (g *attentionGrad) errors() gradErrors {
	e := gradErrors{d: [3][][]float64{table(g.queries, g.Heads*g.size), table(g.keys, g.KVHeads*g.size), table(g.keys, g.KVHeads*g.valueSize)}}
	if g.bias != nil {
		e.dbias, e.pairs = table(g.Heads, g.bias.cols), table(g.Heads, g.bias.cols)
	}
	g.pairs(func(p pair) { g.bucketed(e, p) })
	g.pairs(func(p pair) { g.add(e, p) })
	return e
}

// bucketed counts the pairs of a bucket.
func (g *attentionGrad) bucketed(e gradErrors, p pair) {
	if g.bias != nil {
		e.pairs[p.h][g.bucket(p)]++
	}
}

func (g *attentionGrad) bucket(p pair) int32 {
	return g.Bucket[int(g.KPos[p.j])-int(g.QPos[p.i])+g.BucketZero]
}

// add: with weight w off by a part r, w·(kept·dout·v − dout·out) is off by that part and by its sums' roundings, of the sum of the absolute values of its
// terms; the slope of the cap is 1 − tanh², whose argument is off as the product is; and each gradient is a sum over pairs.
func (g *attentionGrad) add(e gradErrors, p pair) {
	off, size := g.score(p)
	weight := off + u*(2*size+2*math.Abs(g.lse.at(p.i, p.h))+8)
	slope := weight + float64(g.valueSize+6)*u
	terms := p.kept*absDot(g.dout, p.i, p.h, g.v, p.j, p.kv, g.valueSize) + p.weight*absDot(g.dout, p.i, p.h, g.out, p.i, p.h, g.valueSize)
	if g.bias != nil {
		b := g.bucket(p)
		e.dbias[p.h][b] += terms * (slope + (e.pairs[p.h][b]+4)*u)
	}
	if g.Softcap > 0 {
		slope += 10*u + 2*float64(g.size+4)*u*p.product/g.Softcap
	}
	group := float64(p.rows * g.Heads / g.KVHeads)
	for c := range g.size {
		q, k := p.h*g.size+c, p.kv*g.size+c
		z := terms * math.Abs(g.Scale)
		e.d[0][p.i][q] += z * math.Abs(g.k.at(p.j, k)) * (slope + float64(p.keys+4)*u)
		e.d[1][p.j][k] += z * math.Abs(g.q.at(p.i, q)) * (slope + (group+4)*u)
	}
	for c := range g.valueSize {
		e.d[2][p.j][p.kv*g.valueSize+c] += p.kept * math.Abs(g.dout.at(p.i, p.h*g.valueSize+c)) * (weight + (group+4)*u)
	}
}

// table is a matrix of zeros.
func table(rows, cols int) [][]float64 {
	m := make([][]float64, rows)
	for i := range m {
		m[i] = make([]float64, cols)
	}
	return m
}
