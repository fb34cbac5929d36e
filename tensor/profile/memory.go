package profile

import "peft/tensor/internal/backend"

func (t *timed) Alloc(n int) backend.Buffer {
	defer t.begin(key{name: "Alloc"}, 0, 0).end()
	return t.inner.Alloc(n)
}

func (t *timed) Lasting(n int) backend.Buffer {
	defer t.begin(key{name: "Lasting"}, 0, 0).end()
	return t.inner.Lasting(n)
}

func (t *timed) Free(b backend.Buffer) {
	defer t.begin(key{name: "Free"}, 0, 0).end()
	t.inner.Free(b)
}

func (t *timed) Write(b backend.Buffer, off int, src []float64) {
	defer t.begin(key{name: "Write"}, 0, numberBytes*len(src)).end()
	t.inner.Write(b, off, src)
}

func (t *timed) WriteF32(b backend.Buffer, off int, src []float32) {
	defer t.begin(key{name: "Write"}, 0, numberBytes*len(src)).end()
	t.inner.WriteF32(b, off, src)
}

func (t *timed) Read(dst []float64, b backend.Buffer, off int) {
	defer t.begin(key{name: "Read"}, 0, numberBytes*len(dst)).end()
	t.inner.Read(dst, b, off)
}

func (t *timed) ReadF32(dst []float32, b backend.Buffer, off int) {
	defer t.begin(key{name: "Read"}, 0, numberBytes*len(dst)).end()
	t.inner.ReadF32(dst, b, off)
}
