package backend

// Entries are the places of a sparse matrix S [Rows×Cols] where it may differ from zero, row after row: the entries of row i are those with numbers Start[i] to Start[i+1]−1.
type Entries struct {
	Rows, Cols int
	Start      []int32 // Rows+1 numbers
	Col        []int32 // the column of each entry
	Slot       []int32 // which of the values [1×n] is each entry's; each slot is that of one entry
}

// Sparse operations have to do with a matrix of few entries, which is never formed.
type Sparse interface {
	// Amend is W + S, S [out×in], for products alone: neither is changed, and v must stay as it is until they are done. Entry e of S is v[Slot[e]]; s is its entries, and t those of the transposed matrix.
	Amend(w Weight, s, t *Entries, v Mat) Weight
	// SparseDot makes dv[Slot[e]] = Σ_n dy[n][row of e]·x[n][Col[e]] + beta·dv[Slot[e]]: the entries of dyᵀ·x, dy [N×Rows], x [N×Cols].
	SparseDot(dv, dy, x Mat, s *Entries, beta float64)
}
