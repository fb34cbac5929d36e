package lora

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"peft/peft"
)

// lowRank is the update B·A with A [r×in] and B [out×r].
type lowRank struct{ a, b *mat.Dense }

func (f lowRank) rank() int {
	r, _ := f.a.Dims()
	return r
}

// An update is weight·scale·B·A, one patch's share of a site's weighted sum.
type update struct {
	lowRank
	weight, scale float64
}

func (u update) count() float64 { return u.weight * u.scale }

// isFactor reports whether a parameter is A or B.
func isFactor(x *peft.Param) bool {
	_, field, _ := strings.Cut(x.Name, "/")
	return slices.Contains([]string{"lora_A", "lora_B", "lora_embedding_A", "lora_embedding_B"}, field)
}

// A junction is a site and the updates that meet there.
type junction struct {
	site    peft.Site
	updates []update
}

// gather lists the updates of all sites that have one.
func gather(terms []peft.Term) (all []junction, err error) {
	for x := range terms[0].Patch.Sites().All() {
		j := junction{site: x}
		for _, t := range terms {
			for _, d := range t.Patch.Deltas(x, peft.Out) {
				a, b, scale := paramsOf(d)
				if a == nil {
					return nil, fmt.Errorf("%s: %T cannot be combined with others", x.Name(), d)
				}
				j.updates = append(j.updates, update{lowRank{matrix(a), matrix(b)}, t.Weight, scale})
			}
		}
		if len(j.updates) > 0 {
			all = append(all, j)
		}
	}
	return all, nil
}

// widest is the largest rank of an update.
func widest(all []junction) (rank int) {
	for _, j := range all {
		for _, u := range j.updates {
			rank = max(rank, u.rank())
		}
	}
	return rank
}

// paramsOf are A, B and s of LoRA's update; nil of another's.
func paramsOf(d peft.Delta) (a, b *peft.Param, scale float64) {
	switch d := d.(type) {
	case *linear:
		return d.A, d.B, d.scale
	case *embedding:
		return d.A, d.B, d.scale
	}
	return nil, nil, 0
}

func matrix(x *peft.Param) *mat.Dense {
	t := x.Tensor()
	return mat.NewDense(t.Rows(), t.Cols(), t.Float64s())
}

// dense is the numbers of a matrix, row by row.
func dense(m *mat.Dense) []float64 { return mat.DenseCopyOf(m).RawMatrix().Data }

// cat puts factors side by side: [B₁ B₂ …]·[c₁A₁; c₂A₂; …] = Σ cᵢ·Bᵢ·Aᵢ.
func cat(updates []update) lowRank {
	_, in := updates[0].a.Dims()
	out, _ := updates[0].b.Dims()
	r := 0
	for _, u := range updates {
		r += u.rank()
	}
	f, at := lowRank{mat.NewDense(r, in, nil), mat.NewDense(out, r, nil)}, 0
	for _, u := range updates {
		to := at + u.rank()
		f.a.Slice(at, to, 0, in).(*mat.Dense).Scale(u.count(), u.a)
		f.b.Slice(0, out, at, to).(*mat.Dense).Copy(u.b)
		at = to
	}
	return f
}

// negligible is the size of a singular value, relative to those of the factors, that is rounding noise of float64.
const negligible = 1e-12

// cut is the best approximation of B·A that has rank r; where r is 0, B·A itself as factors of the least rank, which is at least 1. The large matrix is never formed: with B = U·S·Vᵀ and
// Aᵀ = P·T·Qᵀ, the singular values of B·A are those of the small S·Vᵀ·Q·T.
func (f lowRank) cut(r int) lowRank {
	u, s, v := thin(f.b)
	p, t, q := thin(f.a.T())
	var core mat.Dense
	core.Mul(v.T(), q)
	core.Apply(func(i, j int, x float64) float64 { return s[i] * x * t[j] }, &core)
	left, values, right := thin(&core)
	if r == 0 {
		r = rankOf(values, s[0]*t[0])
	}
	r = min(r, len(values))
	var b, a mat.Dense
	b.Mul(u, scaled(left, values, r))
	a.Mul(right.Slice(0, len(t), 0, r).T(), p.T())
	return lowRank{&a, &b}
}

// split is the best approximation of a matrix that has rank r.
func split(w *mat.Dense, r int) (lowRank, error) {
	u, values, v := thin(w)
	r = min(r, len(values))
	_, in := w.Dims()
	return lowRank{mat.DenseCopyOf(v.Slice(0, in, 0, r).T()), scaled(u, values, r)}, nil
}

// thin is the singular value decomposition w = u·diag(values)·vᵀ, with as many values as the smaller side of w is long.
func thin(w mat.Matrix) (u *mat.Dense, values []float64, v *mat.Dense) {
	var svd mat.SVD
	if !svd.Factorize(w, mat.SVDThin) {
		rows, cols := w.Dims()
		panic(fmt.Sprintf("lora: the singular values of a matrix of %d by %d were not found", rows, cols))
	}
	u, v = new(mat.Dense), new(mat.Dense)
	svd.UTo(u)
	svd.VTo(v)
	return u, svd.Values(nil), v
}

// scaled is the first r columns of a matrix, each times its value.
func scaled(u *mat.Dense, values []float64, r int) *mat.Dense {
	rows, _ := u.Dims()
	b := mat.NewDense(rows, r, nil)
	b.Apply(func(i, j int, _ float64) float64 { return u.At(i, j) * values[j] }, b)
	return b
}

// rankOf is the number of singular values of a product that are not noise, at least 1; size is the product of the largest ones of its factors.
func rankOf(values []float64, size float64) int {
	n := 1
	for n < len(values) && values[n] > negligible*size {
		n++
	}
	return n
}

// padded is the factors with rows and columns of zeros up to rank r.
func (f lowRank) padded(r int) lowRank {
	n, in := f.a.Dims()
	out, _ := f.b.Dims()
	return lowRank{f.a.Grow(r-n, 0).(*mat.Dense).Slice(0, r, 0, in).(*mat.Dense), f.b.Grow(0, r-n).(*mat.Dense).Slice(0, out, 0, r).(*mat.Dense)}
}

// roots are √|c| of the updates, with the sign of c and without.
func roots(updates []update) (signed, plain []float64) {
	for _, u := range updates {
		r := math.Sqrt(math.Abs(u.count()))
		signed, plain = append(signed, math.Copysign(r, u.count())), append(plain, r)
	}
	return signed, plain
}
