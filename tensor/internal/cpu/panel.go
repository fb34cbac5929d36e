package cpu

// A source is the right operand of a product: a matrix in memory, or a weight (transposed or not) that is widened as it is packed.
type source struct {
	view
	w *weight
}

// sourceOf is W, or Wᵀ, as a right operand.
func sourceOf(w *weight, transposed bool) source {
	v := dense(w.floats, w.Rows, w.Cols)
	if transposed {
		v = v.t()
	}
	if w.floats != nil {
		return source{view: v}
	}
	return source{view: v, w: w}
}

// direct reports whether tiles can read the rows where they lie.
func (s source) direct() bool { return s.w == nil && s.cs == 1 }

// panels packs rows [l0, l1) and columns [j0, j1) for tiles: columns j to j+tileCols become a panel of l1−l0 rows, filled up with zeros, one panel after the other.
func (s source) panels(k *kernels, w *worker, dst []float32, l0, l1, j0, j1 int) {
	depth := l1 - l0
	for j := j0; j < j1; j += k.tileCols {
		n := min(k.tileCols, j1-j)
		panel := dst[(j-j0)*depth:][:depth*k.tileCols]
		switch {
		case s.w != nil && s.cs == 1:
			s.widenRows(k, panel, l0, l1, j, n)
		case s.w != nil:
			wide := w.floats(slotWide, n*depth)
			for i := range n {
				s.w.row(k, wide[i*depth:][:depth], j+i, l0)
			}
			k.pack(panel, wide, n, depth, depth)
		default:
			s.window(l0, l1, j, j+n).panel(k, panel)
		}
	}
}

// widenRows packs columns [j, j+n) of a weight that is not transposed.
func (s source) widenRows(k *kernels, panel []float32, l0, l1, j, n int) {
	for l := l0; l < l1; l++ {
		out := panel[(l-l0)*k.tileCols:][:k.tileCols]
		s.w.row(k, out[:n], l, j)
		clear(out[n:])
	}
}

// panel packs the whole view, of at most tileCols columns.
func (v view) panel(k *kernels, panel []float32) {
	switch {
	case v.cs == 1:
		for l := range v.rows {
			out := panel[l*k.tileCols:][:k.tileCols]
			copy(out, v.data[l*v.rs:][:v.cols])
			clear(out[v.cols:])
		}
	case v.rs == 1 && v.rows > 0:
		k.pack(panel, v.data, v.cols, v.rows, v.cs)
	default:
		for l := range v.rows {
			out := panel[l*k.tileCols:][:k.tileCols]
			for j := range v.cols {
				out[j] = v.at(l, j)
			}
			clear(out[v.cols:])
		}
	}
}
