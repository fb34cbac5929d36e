package backend

// A Backend computes: it owns memory, holds frozen weights in the form that suits it, and implements every operation.
type Backend interface {
	Memory
	Elementwise
	Products
	Sparse
	Norms
	Sequences
	Losses
	Optimizers

	// Name is a short word for messages: "cpu", "reference".
	Name() string
}

// Memory is how buffers come, go and are filled.
type Memory interface {
	// Alloc returns a buffer of n numbers with arbitrary content, from a pool.
	Alloc(n int) Buffer
	// Lasting is Alloc of a buffer that is never given back: of its own memory, which is free when the buffer is garbage.
	Lasting(n int) Buffer
	// Free gives a buffer back to the pool. It must not be used afterwards.
	Free(Buffer)
	// Write copies numbers from the host to b, from number off on.
	Write(b Buffer, off int, src []float64)
	// WriteF32 copies numbers from the host to b, from number off on.
	WriteF32(b Buffer, off int, src []float32)
	// Read copies len(dst) numbers of b to the host, from number off on.
	Read(dst []float64, b Buffer, off int)
	// ReadF32 copies len(dst) numbers of b to the host, rounded to float32, from number off on.
	ReadF32(dst []float32, b Buffer, off int)
}

// A Buffer is memory of one backend; only that backend looks inside.
type Buffer interface {
	// Len is the number of numbers it holds.
	Len() int
}

// A Mat is a matrix in a buffer: element (i, j) is number Off + i·RowStride + j·ColStride.
type Mat struct {
	Buf                  Buffer
	Off                  int
	Rows, Cols           int
	RowStride, ColStride int
}

// Dense returns the matrix of the given size that fills b from number off on, row after row.
func Dense(b Buffer, off, rows, cols int) Mat {
	return Mat{Buf: b, Off: off, Rows: rows, Cols: cols, RowStride: cols, ColStride: 1}
}

// T is the transposed matrix.
func (m Mat) T() Mat {
	m.Rows, m.Cols, m.RowStride, m.ColStride = m.Cols, m.Rows, m.ColStride, m.RowStride
	return m
}

// Slice is the window of rows [i0, i1) and columns [j0, j1).
func (m Mat) Slice(i0, i1, j0, j1 int) Mat {
	m.Off += i0*m.RowStride + j0*m.ColStride
	m.Rows, m.Cols = i1-i0, j1-j0
	return m
}

// Contiguous reports whether the matrix fills a stretch of memory row after row.
func (m Mat) Contiguous() bool {
	return (m.ColStride == 1 || m.Cols == 1) && (m.RowStride == m.Cols || m.Rows == 1)
}

// Elementwise operations act on each number, or reduce along an axis.
type Elementwise interface {
	// Fill sets every number of dst to v.
	Fill(dst Mat, v float64)
	// Axpby makes dst = a·x + b·dst; with b = 0 it copies. dst and x may be the same matrix.
	Axpby(dst Mat, a float64, x Mat, b float64)
	// Binary makes dst = op(x, y) + beta·dst. dst may be x or y.
	Binary(op Binary, dst, x, y Mat, beta float64)
	// Unary makes dst = f(x). dst may be x.
	Unary(f Unary, dst, x Mat)
	// UnaryGrad makes dx = dy∘f'(x) + beta·dx. dx may be dy. y = f(x) is at hand where Unary.FromOutput says that it suffices; x is then not read, else y is not.
	UnaryGrad(f Unary, dx, x, y, dy Mat, beta float64)
	// Sum adds x up along the axes where dst has size one: dst = sum + beta·dst. It is the dual of broadcasting.
	Sum(dst, x Mat, beta float64)
	// Dropout makes dst = x∘mask/(1−p) + beta·dst, where the mask of element i (row after row) is [Kept](key, i, p). dst may be x.
	Dropout(dst, x Mat, p float64, key uint64, beta float64)
	// SumSquares is the sum of all squares, in float64.
	SumSquares(x Mat) float64
	// Finite reports whether no number is infinite or NaN.
	Finite(x Mat) bool
}

// Products are matrix products, with dense operands and with frozen weights.
type Products interface {
	// MatMul makes dst = alpha·a·b + beta·dst; beta is any number.
	MatMul(dst, a, b Mat, alpha, beta float64)
	// Prepare readies a frozen weight matrix for products. It reads the storage until the Weight is dropped, and may be called by many goroutines.
	Prepare(s Storage) Weight
	// MulT makes dst = f(x·Wᵀ + u·vᵀ + bias), x [N×in], dst [N×out]. See [Epilogue].
	MulT(dst, x Mat, w Weight, e Epilogue)
	// Mul makes dst = dy·W + u·v + beta·dst, dy [N×out], dst [N×in], u·v the low rank part where low is not nil (u [N×r], v [r×in]).
	Mul(dst, dy Mat, w Weight, low *LowRank, beta float64)
	// Gather makes row i of dst row ids[i] of W.
	Gather(dst Mat, w Weight, ids []int32)
	// Dequantize makes dst = W, dense.
	Dequantize(dst Mat, w Weight)
}

// A Storage is a frozen matrix [Rows×Cols] as a file holds it, row after row, little-endian.
type Storage struct {
	Type       DType
	Rows, Cols int
	Data       []byte
	Scale      []float32 // I8: W[i][j] = Scale[i]·int8
	Copied     func()    // if not nil: called once Data is not read any more, if that happens
}

// A DType is how numbers of a Storage are written.
type DType uint8

// The storages of a frozen weight.
const (
	F32 DType = iota
	F64
	BF16
	F16
	I8
)

// A Weight is a frozen matrix in the form a backend has made of it; only that backend looks inside.
type Weight interface {
	// Size is [out, in], as PyTorch writes a linear map.
	Size() (rows, cols int)
}

// An Epilogue is what follows x·Wᵀ in one kernel. Its zero value is nothing.
type Epilogue struct {
	Low  *LowRank // added: u·vᵀ with u [N×r], v [out×r]
	Bias *Mat     // added: [1×out]
	Pre  *Mat     // if not nil: receives the value before the function
	Func Unary    // applied last; Identity is the zero value
}

// LowRank is the factors of a product of low rank that is added to a product with a weight: u·vᵀ in MulT (v [out×r]), u·v in Mul (v [r×in]).
type LowRank struct{ U, V Mat }

// Norms are row-wise normalisations and softmax.
type Norms interface {
	// LayerNorm makes y = (x−mean)/√(var+eps)∘gain + bias, row by row; stats [N×2] receives mean and 1/√(var+eps). gain and bias [1×d] may be nil.
	LayerNorm(y, stats, x Mat, gain, bias *Mat, eps float64)
	// LayerNormGrad makes dx += or = the gradient by x (beta), and adds to dgain and dbias [1×d] where they are not nil; dx may be nil.
	LayerNormGrad(dx, dgain, dbias *Mat, dy, x, stats Mat, gain *Mat, beta float64)
	// RMSNorm makes y = x/√(mean(x²)+eps)∘gain, row by row; stats [N×1] receives 1/√(mean(x²)+eps). gain may be nil.
	RMSNorm(y, stats, x Mat, gain *Mat, eps float64)
	// RMSNormGrad is LayerNormGrad for RMSNorm.
	RMSNormGrad(dx, dgain *Mat, dy, x, stats Mat, gain *Mat, beta float64)
	// Softmax makes y = exp(x)/Σexp(x), row by row. y may be x.
	Softmax(y, x Mat)
	// SoftmaxGrad makes dx = y∘(dy − Σ dy∘y) + beta·dx, row by row.
	SoftmaxGrad(dx, y, dy Mat, beta float64)
}

// Sequences are operations that know where rows stand: attention, rotations, moving rows.
type Sequences interface {
	// Attention makes out = softmax(scale·q·kᵀ + mask)·v for each sequence and head. lse [Nq×heads] receives the log of the softmax's denominator. Heads of v (and out) may be of
	// another size than those of q and k. Where a query sees no key, out is 0 and lse is −∞.
	Attention(out, lse, q, k, v Mat, a *Attention)
	// AttentionGrad makes dq, dk, dv (= beta·d + gradient) of Attention; dq may be nil, dk and dv may be nil together; out and lse are what Attention made. dbias, if not nil, is added to.
	AttentionGrad(dq, dk, dv, dbias *Mat, dout, q, k, v, out, lse Mat, a *Attention, beta [3]float64)
	// Rotate makes dst = x with each head's pairs turned by its row's angle (rotary positions); numbers of a head from Dim on stay. inverse turns by the
	// negative angles, times Scale too: the transposed map, hence the gradient. Angles are good to float64. dst = result + beta·dst. dst may be x.
	Rotate(dst, x Mat, r *Rotary, inverse bool, beta float64)
	// GatherRows makes row i of dst row idx[i] of src, times scale[i] where scale is not nil, + beta·dst; a negative index gives zeros.
	GatherRows(dst, src Mat, idx []int32, scale []float32, beta float64)
	// ScatterRows adds row i of src, times scale[i] where scale is not nil, to row idx[i] of dst, in the order of i; negative indices are left out.
	ScatterRows(dst, src Mat, idx []int32, scale []float32)
	// SegmentSum makes row s of dst the sum of rows [start[s], start[s+1]) of x, times scale[s] where scale is not nil, + beta·dst.
	SegmentSum(dst, x Mat, start []int32, scale []float32, beta float64)
}

// An Attention says who sees whom. Query rows of sequence s are [QStart[s], QStart[s+1]), key rows likewise.
type Attention struct {
	Heads, KVHeads int // query head h reads key and value head h·KVHeads/Heads
	Scale          float64
	QStart, KStart []int32
	QPos, KPos     []int32 // position of each row; only compared
	Causal         bool    // a query sees keys with KPos <= its QPos
	Window         int     // if > 0, a query sees keys with KPos > QPos − Window
	Always         int     // the first Always keys of a sequence are seen whatever their position
	Softcap        float64 // if > 0: scores become cap·tanh(score/cap), before Bias is added
	Bias           *Mat    // if not nil: added to scores, [Heads × buckets], taken at Bucket
	Bucket         []int32 // bucket of KPos − QPos + BucketZero
	BucketZero     int
	Dropout        float64 // probability with which a softmax weight is dropped in training
	Key            uint64  // of the dropout; element (row q of all queries, head h, key j counted in the sequence) is [KeptAt](Key, q·Heads+h, j, p)
}

// A Rotary says how heads are turned. Pair c of a head of size d is (c, c+Dim/2), or (2c, 2c+1) where Interleaved; the angle at position p is p·Freq[c].
type Rotary struct {
	Heads, Dim  int       // Dim: how many leading numbers of a head are turned
	Freq        []float64 // Dim/2 angles at position 1
	Scale       float64   // factor on cosine and sine (1 for most)
	Pos         []int32
	Interleaved bool
}

// Losses are fused with their softmax, so that no matrix of probabilities is kept.
type Losses interface {
	// CrossEntropy makes loss[i] = log Σexp(logits[i]) − logits[i][label[i]], and lse[i]; a negative label gives 0 for both. loss and lse are [N×1].
	CrossEntropy(loss, lse, logits Mat, label []int32)
	// CrossEntropyGrad makes dlogits = dloss[i]·(softmax(logits[i]) − onehot(label[i])) + beta·dlogits, zero for a negative label. dlogits may be logits.
	CrossEntropyGrad(dlogits, logits, lse, dloss Mat, label []int32, beta float64)
}

// Optimizers update trained numbers in place, in one sweep.
type Optimizers interface {
	// AdamW does one step of AdamW on p with gradient g and moments m and v, all contiguous: p −= LR·Decay·p, then p −= LR·m̂/(√v̂+Eps), with g scaled by GradScale first, and m̂ = m/(1−Beta1^Step), v̂ likewise.
	AdamW(p, g, m, v Mat, s AdamW)
}

// AdamW is the numbers of one step; Step counts from 1.
type AdamW struct {
	LR, Beta1, Beta2, Eps, Decay, GradScale float64
	Step                                    int
}

// Size is the bytes of one number.
func (t DType) Size() int { return [...]int{F32: 4, F64: 8, BF16: 2, F16: 2, I8: 1}[t] }

func (t DType) String() string {
	return [...]string{F32: "F32", F64: "F64", BF16: "BF16", F16: "F16", I8: "I8"}[t]
}
