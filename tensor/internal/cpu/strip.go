package cpu

// strips multiplies strip by strip of a's rows: c = alpha·a·b + bias + beta·c, where panel q of b begins at q·next and its rows are br apart. Each strip is handed to done.
func (k *kernels) strips(w *worker, c, a *view, b []float32, br, next int, alpha, beta float32, bias []float32, done func(from, to int)) {
	panels, n := blocks(c.cols, k.tileCols), blocks(a.rows, k.tileRows)
	direct := k.direct(a, panels)
	var columns []float32
	if !direct && a.rs == 1 && a.cs != 1 {
		columns = k.columns(w, a, n)
	}
	for s := range n {
		i, end := a.rows*s/n, a.rows*(s+1)/n
		rows, ahead := a.data[i*a.rs:], a.data[min(end, a.rows-1)*a.rs:]
		ar, ac := a.rs, a.cs
		switch {
		case columns != nil:
			rows, ar, ac = columns[s*a.cols*k.rowPitch:], 1, k.rowPitch
		case !direct:
			rows, ar, ac = k.rows(w, slotA, a.window(i, end, 0, a.cols))
		}
		k.tile[end-i](c.data[i*c.rs:], c.rs, rows, ar, ac, b, br, next, a.cols, c.cols, alpha, beta, bias, ahead, a.rs)
		if done != nil {
			done(i, end)
		}
	}
}

// direct reports whether tiles can read the rows of a as they are, for so many panels.
func (k *kernels) direct(a *view, panels int) bool {
	const page = 4096 / 4 // rows that are pages apart compete for the same lines of the cache
	const few = 4         // panels, for which a copy does not pay
	switch {
	case a.cs == 1:
		return a.rs%page != 0 || panels < few
	case a.rs == 1:
		return panels < few
	}
	return false
}

// columns copies n strips of a left operand whose columns are contiguous: each strip's columns rowPitch apart, one strip after the other. It goes along the rows of
// memory, a few at a time, so that pages and lines are read once.
func (k *kernels) columns(w *worker, a *view, n int) []float32 {
	const few = 32
	size := a.cols * k.rowPitch
	out := w.floats(slotA, n*size)
	for l := 0; l < a.cols; l += few {
		depth := min(few, a.cols-l)
		for s := range n {
			i, end := a.rows*s/n, a.rows*(s+1)/n
			k.stack(out[s*size+l*k.rowPitch:], a.data[l*a.cs+i:], depth, end-i, a.cs, k.rowPitch)
		}
	}
	return out
}

// rows copies a strip of a left operand, by rows.
func (k *kernels) rows(w *worker, to slot, a view) (data []float32, ar, ac int) {
	const skew = 16
	pitch := a.cols + skew
	data = w.floats(to, a.rows*pitch)
	for i := range a.rows {
		out := data[i*pitch:][:a.cols]
		if a.cs == 1 {
			copy(out, a.data[i*a.rs:])
		} else {
			copy(out, a.row(i, 0, a.cols, out))
		}
	}
	return data, pitch, 1
}
