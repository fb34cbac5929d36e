package cpu

import "peft/tensor/internal/backend"

// A view is a matrix in memory: element (i, j) is data[i·rs + j·cs].
type view struct {
	data       []float32
	rows, cols int
	rs, cs     int
}

// see is the view of m.
func see(m backend.Mat) view {
	v := view{rows: m.Rows, cols: m.Cols, rs: m.RowStride, cs: m.ColStride}
	if m.Rows > 0 && m.Cols > 0 {
		b := m.Buf.(*buffer)
		v.data = b.data[m.Off:b.n]
	}
	return v
}

// seeOrNone is see, of nothing a view without data.
func seeOrNone(m *backend.Mat) view {
	if m == nil {
		return view{}
	}
	return see(*m)
}

// dense is the view of data as rows of the given length.
func dense(data []float32, rows, cols int) view {
	return view{data: data, rows: rows, cols: cols, rs: cols, cs: 1}
}

// none reports whether there is nothing to see.
func (v *view) none() bool { return v.data == nil }

// t is the transposed view.
func (v view) t() view {
	v.rows, v.cols, v.rs, v.cs = v.cols, v.rows, v.cs, v.rs
	return v
}

// window is rows [i0, i1) and columns [j0, j1).
func (v view) window(i0, i1, j0, j1 int) view {
	v.rows, v.cols = i1-i0, j1-j0
	if v.rows > 0 && v.cols > 0 {
		v.data = v.data[i0*v.rs+j0*v.cs:]
	}
	return v
}

// at is element (i, j).
func (v *view) at(i, j int) float32 { return v.data[i*v.rs+j*v.cs] }

// set makes element (i, j) = x.
func (v *view) set(i, j int, x float32) { v.data[i*v.rs+j*v.cs] = x }

// packed reports whether rows follow one another without gaps.
func (v *view) packed() bool { return v.rowwise() && (v.rs == v.cols || v.rows == 1) }

// rowwise reports whether the numbers of a row are neighbours.
func (v *view) rowwise() bool { return v.cs == 1 || v.cols == 1 }

// row is row i from column j0 to j1: the memory itself where its numbers are neighbours, else a copy in tmp. A view of nothing has rows without numbers.
func (v *view) row(i, j0, j1 int, tmp []float32) []float32 {
	if v.none() {
		return nil
	}
	at := i*v.rs + j0*v.cs
	if v.rowwise() {
		return v.data[at : at+j1-j0 : at+j1-j0]
	}
	tmp = tmp[:j1-j0]
	if v.cs == 0 {
		fill(tmp, v.data[at])
		return tmp
	}
	for j := range tmp {
		tmp[j] = v.data[at]
		at += v.cs
	}
	return tmp
}

// put makes row i from column j0 on = src.
func (v *view) put(i, j0 int, src []float32) {
	at := i*v.rs + j0*v.cs
	if v.rowwise() {
		copy(v.data[at:at+len(src)], src)
		return
	}
	for _, x := range src {
		v.data[at] = x
		at += v.cs
	}
}

// fill makes all of dst = v.
func fill(dst []float32, v float32) {
	for i := range dst {
		dst[i] = v
	}
}

// blocks is how many blocks of the given size cover n.
func blocks(n, size int) int { return (n + size - 1) / size }
