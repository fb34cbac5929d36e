package cpu

import (
	"encoding/binary"
	"math"
	"sync"
	"sync/atomic"
	"unsafe"

	"peft/tensor/internal/backend"
)

// A weight is a frozen matrix [rows×cols], read panel by panel.
type weight struct {
	backend.Storage // without data
	numbers         atomic.Pointer[numbers]
	once            sync.Once // for the panels that are kept
}

// numbers is the numbers of a weight in the one form in which it has them. Panels, of the transposed matrix, take the place of what was there before once they are wanted.
type numbers struct {
	data   []byte    // as they are stored, to be widened when they are read
	rows   []float32 // row after row
	panels []float32
	pairs  []uint32
}

// Size is [out, in].
func (w *weight) Size() (rows, cols int) { return w.Rows, w.Cols }

// Prepare keeps the storage; F32 numbers are used where they lie, if they are aligned, F64 numbers are rounded to float32.
func (b *Backend) Prepare(s backend.Storage) backend.Weight {
	w := &weight{Storage: s}
	w.Data = nil
	if rows := float32sOf(s); rows != nil {
		w.numbers.Store(&numbers{rows: rows})
	} else {
		w.numbers.Store(&numbers{data: s.Data})
	}
	return w
}

// float32sOf is the numbers of a storage that are float32, or are to be; nil where they are to be widened when they are read.
func float32sOf(s backend.Storage) []float32 {
	if s.Type == backend.F32 && inPlace(s.Data) {
		return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(s.Data))), len(s.Data)/4)
	}
	if s.Type != backend.F32 && s.Type != backend.F64 {
		return nil
	}
	rows := aligned(s.Rows * s.Cols)
	for i := range rows {
		if s.Type == backend.F32 {
			rows[i] = math.Float32frombits(binary.LittleEndian.Uint32(s.Data[4*i:]))
		} else {
			rows[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(s.Data[8*i:])))
		}
	}
	return rows
}

// inPlace reports whether little-endian float32 numbers in data can be read as they lie.
func inPlace(data []byte) bool {
	one := [4]byte{0, 0, 0x80, 0x3f}
	little := *(*float32)(unsafe.Pointer(&one)) == 1
	return little && len(data) >= 4 && uintptr(unsafe.Pointer(unsafe.SliceData(data)))%4 == 0
}

// row makes dst row i of the matrix from column j on.
func (w *weight) row(k *kernels, dst []float32, i, j int) {
	at, f := i*w.Cols+j, w.numbers.Load()
	switch {
	case f.panels != nil:
		w.unpackRow(k, dst, f.panels, i, j)
	case f.pairs != nil:
		w.unpairRow(k, dst, f.pairs, i, j)
	case f.rows != nil:
		copy(dst, f.rows[at:at+len(dst)])
	case w.Type == backend.BF16:
		k.fromBF16(dst, f.data[2*at:2*(at+len(dst))])
	case w.Type == backend.F16:
		k.fromF16(dst, f.data[2*at:2*(at+len(dst))])
	case w.Type == backend.I8:
		k.fromI8(dst, f.data[at:at+len(dst)], w.Scale[i])
	default:
		panic("cpu: unknown storage")
	}
}

// unpackRow makes dst row i of the matrix from column j on, of panels.
func (w *weight) unpackRow(k *kernels, dst, panels []float32, i, j int) {
	whole := blocks(w.Rows, k.tileCols) * k.tileCols
	for n := range dst {
		from := (j + n) / k.depthBlock * k.depthBlock
		depth := min(k.depthBlock, w.Cols-from)
		dst[n] = panels[from*whole+i/k.tileCols*k.tileCols*depth+(j+n-from)*k.tileCols+i%k.tileCols]
	}
}

// float32s reports whether the numbers need no widening.
func (w *weight) float32s() bool {
	f := w.numbers.Load()
	return f.rows != nil || f.panels != nil
}

// become lets the numbers take another form, of which the storage is no longer a part.
func (w *weight) become(n *numbers) {
	w.numbers.Store(n)
	if w.Copied != nil {
		w.Copied()
	}
}

// A gathering makes row i of dst row ids[i] of a weight, or row i where there are no ids.
type gathering struct {
	k   *kernels
	dst view
	w   *weight
	ids []int32
}

// chunk does rows of band c.
func (g *gathering) chunk(w *worker, c int) {
	for i := c * band; i < min((c+1)*band, g.dst.rows); i++ {
		from := i
		if g.ids != nil {
			from = int(g.ids[i])
		}
		if g.dst.rowwise() {
			g.w.row(g.k, g.dst.row(i, 0, g.dst.cols, nil), from, 0)
			continue
		}
		tmp := w.floats(slotX, g.dst.cols)
		g.w.row(g.k, tmp, from, 0)
		g.dst.put(i, 0, tmp)
	}
}

// Gather makes row i of dst row ids[i] of W.
func (b *Backend) Gather(dst backend.Mat, w backend.Weight, ids []int32) {
	run(b, blocks(dst.Rows, band), gathering{k: b.kernels, dst: see(dst), w: w.(*weight), ids: ids})
}

// Dequantize makes dst = W.
func (b *Backend) Dequantize(dst backend.Mat, w backend.Weight) {
	run(b, blocks(dst.Rows, band), gathering{k: b.kernels, dst: see(dst), w: w.(*weight)})
}
