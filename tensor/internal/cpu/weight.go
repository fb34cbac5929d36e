package cpu

import (
	"encoding/binary"
	"math"
	"sync"
	"unsafe"

	"peft/tensor/internal/backend"
)

// A weight is a frozen matrix [rows×cols], read from its storage panel by panel.
type weight struct {
	backend.Storage
	floats []float32 // the numbers where they need no widening, else nil
	once   sync.Once
	packed []float32     // panels of the transposed matrix, made once they are wanted
	pairs  [2]pairPanels // of the matrix and of the transposed one, likewise
}

// Size is [out, in].
func (w *weight) Size() (rows, cols int) { return w.Rows, w.Cols }

// Prepare keeps the storage; F32 numbers are used where they lie if they are aligned, F64 numbers are rounded to float32.
func (b *Backend) Prepare(s backend.Storage) backend.Weight {
	w := &weight{Storage: s}
	switch {
	case s.Type == backend.F32 && inPlace(s.Data):
		w.floats = unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(s.Data))), len(s.Data)/4)
	case s.Type == backend.F32:
		w.floats = aligned(s.Rows * s.Cols)
		for i := range w.floats {
			w.floats[i] = math.Float32frombits(binary.LittleEndian.Uint32(s.Data[4*i:]))
		}
	case s.Type == backend.F64:
		w.floats = aligned(s.Rows * s.Cols)
		for i := range w.floats {
			w.floats[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(s.Data[8*i:])))
		}
	}
	return w
}

// inPlace reports whether little-endian float32 numbers in data can be read as they lie.
func inPlace(data []byte) bool {
	one := [4]byte{0, 0, 0x80, 0x3f}
	little := *(*float32)(unsafe.Pointer(&one)) == 1
	return little && len(data) >= 4 && uintptr(unsafe.Pointer(unsafe.SliceData(data)))%4 == 0
}

// row makes dst row i of the matrix from column j on.
func (w *weight) row(k *kernels, dst []float32, i, j int) {
	at := i*w.Cols + j
	switch {
	case w.floats != nil:
		copy(dst, w.floats[at:at+len(dst)])
	case w.Type == backend.BF16:
		k.fromBF16(dst, w.Data[2*at:2*(at+len(dst))])
	case w.Type == backend.F16:
		k.fromF16(dst, w.Data[2*at:2*(at+len(dst))])
	case w.Type == backend.I8:
		k.fromI8(dst, w.Data[at:at+len(dst)], w.Scale[i])
	default:
		panic("cpu: unknown storage")
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
