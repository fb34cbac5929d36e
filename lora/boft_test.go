package lora_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"peft/lora"
	"peft/peft"
	"peft/tensor"
)

// TestButterflies compares the rotation by three factors with the product of their matrices, Pₖ·diag(…)·Pₖᵀ, as the paper defines them.
func TestButterflies(t *testing.T) {
	const n, size, factors = 8, 2, 3
	identity := make([]float32, n*n)
	for i := range n {
		identity[i*n+i] = 1
	}
	model := &struct{ Map peft.Linear }{peft.LinearOf(identity, nil, n)}
	d := tensor.Reference()
	q, err := peft.Attach(d, model, lora.BOFT{BlockSize: size, Factors: factors, Common: lora.Common{On: peft.Suffixes("Map")}}, 1)
	require.NoError(t, err)
	angles := peft.Normal(rand.New(rand.NewPCG(1, 1)), factors*n*size, 1)
	q.Param("Map/boft_R").Tensor().Assign(angles)
	merged, err := peft.Merge(d, model, q)
	require.NoError(t, err)

	product := mat.NewDiagDense(n, []float64{1, 1, 1, 1, 1, 1, 1, 1})
	all := mat.DenseCopyOf(product)
	for k, order := range [][]int{{0, 1, 2, 3, 4, 5, 6, 7}, {0, 2, 1, 3, 4, 6, 5, 7}, {0, 2, 4, 6, 1, 3, 5, 7}} {
		var m mat.Dense
		p := mat.NewDense(n, n, nil)
		for i, from := range order {
			p.Set(i, from, 1)
		}
		m.Product(p, rotations(angles[k*n*size:(k+1)*n*size], n), p.T())
		all.Mul(&m, mat.DenseCopyOf(all))
	}
	require.InDeltaSlice(t, mat.DenseCopyOf(all.T()).RawMatrix().Data, merged.Param("Map.weight").Tensor().Float64s(), 1e-9)
}

// rotations is the matrix with the rotations of pairs of numbers on its diagonal: (I − Q)·(I + Q)⁻¹ with Q = (0, a; −a, 0), a half the difference of a block's numbers off the diagonal.
func rotations(v []float64, n int) *mat.Dense {
	m := mat.NewDense(n, n, nil)
	for i := 0; i < n; i += 2 {
		block := v[i*2 : i*2+4]
		a := (block[1] - block[2]) / 2
		c, s := (1-a*a)/(1+a*a), 2*a/(1+a*a)
		m.Set(i, i, c)
		m.Set(i, i+1, -s)
		m.Set(i+1, i, s)
		m.Set(i+1, i+1, c)
	}
	return m
}
