package cpu

import (
	"fmt"
	"testing"

	"peft/tensor/internal/backend"
)

// attentionCases is one case for each feature, and lengths on both sides of the block sizes.
func attentionCases(x *bench) (cases []backend.Attention, dims []int) {
	add := func(dim, heads, kv int, qs, ks []int, f func(a *backend.Attention)) {
		a := backend.Attention{Heads: heads, KVHeads: kv, Scale: 0.4, QStart: []int32{0}, KStart: []int32{0}}
		for i := range qs {
			a.QStart = append(a.QStart, a.QStart[i]+int32(qs[i]))
			a.KStart = append(a.KStart, a.KStart[i]+int32(ks[i]))
			for p := range qs[i] {
				a.QPos = append(a.QPos, int32(p+max(ks[i]-qs[i], 0)))
			}
			for p := range ks[i] {
				a.KPos = append(a.KPos, int32(p))
			}
		}
		f(&a)
		cases, dims = append(cases, a), append(dims, dim)
	}
	plain := func(*backend.Attention) {}
	causal := func(a *backend.Attention) { a.Causal = true }
	add(8, 2, 2, []int{5, 1, 9}, []int{5, 1, 9}, plain)
	add(4, 4, 2, []int{70, 33}, []int{70, 40}, causal)
	add(32, 2, 1, []int{130, 0, 7}, []int{300, 4, 0}, plain)
	add(24, 2, 2, []int{300}, []int{300}, causal)
	add(16, 1, 1, []int{90, 600}, []int{90, 600}, func(a *backend.Attention) { a.Causal, a.Window, a.Always = true, 20, 3 })
	add(16, 2, 1, []int{50, 20}, []int{50, 20}, func(a *backend.Attention) { a.Softcap, a.Dropout, a.Key = 2, 0.2, 99 })
	add(16, 2, 2, []int{300}, []int{310}, func(a *backend.Attention) { a.Causal, a.Dropout, a.Key = true, 0.3, 5 })
	add(8, 2, 2, []int{40, 12}, []int{40, 12}, func(a *backend.Attention) {
		a.Causal = true
		x.rng.Shuffle(len(a.KPos[:40]), func(i, j int) { a.KPos[i], a.KPos[j] = a.KPos[j], a.KPos[i] })
	})
	add(8, 2, 1, []int{60, 12}, []int{60, 12}, func(a *backend.Attention) {
		bias := backend.Mat{}
		a.Bias, a.BucketZero, a.Bucket = &bias, 64, make([]int32, 129)
		for i := range a.Bucket {
			a.Bucket[i] = int32(i * 9 / 129)
		}
	})
	return cases, dims
}

func TestAttention(t *testing.T) {
	forEachSet(t, func(t *testing.T, b *Backend) {
		x := newBench(t, b, 8)
		cases, dims := attentionCases(x)
		for n := range cases {
			a, d := cases[n], dims[n]
			r := a
			nq, nk := len(a.QPos), len(a.KPos)
			var dbias pair
			if a.Bias != nil {
				bias := x.mat(a.Heads, 9)
				dbias = x.mat(a.Heads, 9)
				a.Bias, r.Bias = &bias.cpu, &bias.ref
			}
			q, k, v := x.mat(nq, a.Heads*d), x.mat(nk, a.KVHeads*d), x.mat(nk, a.KVHeads*d)
			out, lse := x.mat(nq, a.Heads*d), x.mat(nq, a.Heads)
			b.Attention(out.cpu, lse.cpu, q.cpu, k.cpu, v.cpu, &a)
			x.ref.Attention(out.ref, lse.ref, q.ref, k.ref, v.ref, &r)
			what := fmt.Sprint("case ", n)
			x.same(what+" out", out, 1e-5)
			x.same(what+" lse", lse, 1e-5)
			dout, dq, dk, dv := x.mat(nq, a.Heads*d), x.mat(nq, a.Heads*d), x.mat(nk, a.KVHeads*d), x.mat(nk, a.KVHeads*d)
			beta := [3]float64{float64(x.rng.IntN(2)), float64(x.rng.IntN(2)), float64(x.rng.IntN(2))}
			var db, rdb *backend.Mat
			if a.Bias != nil {
				db, rdb = &dbias.cpu, &dbias.ref
			}
			b.AttentionGrad(&dq.cpu, &dk.cpu, &dv.cpu, db, dout.cpu, q.cpu, k.cpu, v.cpu, out.cpu, lse.cpu, &a, beta)
			x.ref.AttentionGrad(&dq.ref, &dk.ref, &dv.ref, rdb, dout.ref, q.ref, k.ref, v.ref, out.ref, lse.ref, &r, beta)
			x.same(what+" dq", dq, 1e-4)
			x.same(what+" dk", dk, 1e-4)
			x.same(what+" dv", dv, 1e-4)
			if db != nil {
				x.same(what+" dbias", dbias, 1e-4)
			}
			b.AttentionGrad(&dq.cpu, nil, nil, nil, dout.cpu, q.cpu, k.cpu, v.cpu, out.cpu, lse.cpu, &a, [3]float64{1, 1, 1})
			x.ref.AttentionGrad(&dq.ref, nil, nil, nil, dout.ref, q.ref, k.ref, v.ref, out.ref, lse.ref, &r, [3]float64{1, 1, 1})
			x.same(what+" dq alone", dq, 2e-4)
		}
	})
}
