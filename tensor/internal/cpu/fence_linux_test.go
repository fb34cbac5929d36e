package cpu

import (
	"fmt"
	"runtime/debug"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"peft/tensor/internal/backend"
)

// fenced is n numbers, or bytes, right in front of memory that must not be touched.
func fenced[T float32 | byte](t *testing.T, n int) []T {
	t.Helper()
	page := unix.Getpagesize()
	size := n * int(unsafe.Sizeof(*new(T)))
	whole := (size + page - 1) / page * page
	m, err := unix.Mmap(-1, 0, whole+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unix.Munmap(m)) })
	require.NoError(t, unix.Mprotect(m[whole:], unix.PROT_NONE))
	return unsafe.Slice((*T)(unsafe.Pointer(&m[whole-size])), n)
}

// TestFences fails if a kernel reads or writes behind its operands.
func TestFences(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	for _, s := range Available()[1:] {
		k := newKernels(s)
		for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 11, 15, 16, 21, 33} {
			t.Run(fmt.Sprint(s, "/", n), func(t *testing.T) {
				fenceVectors(t, k, n)
				fenceTiles(t, k, n)
				fencePacks(t, k, n)
			})
		}
	}
}

// fenceVectors calls the kernels on n numbers.
func fenceVectors(t *testing.T, k *kernels, n int) {
	x, y, z, v := fenced[float32](t, n), fenced[float32](t, n), fenced[float32](t, n), fenced[float32](t, n)
	for f := backend.Identity; f <= backend.Softplus; f++ {
		k.unary[f](z, x)
		k.slope[f](z, x, y)
	}
	for op := backend.Add; op <= backend.Max; op++ {
		k.binary[op](z, x, y)
	}
	k.axpby(z, x, 1, 0)
	k.axpby(z, x, 1, 2)
	k.sum(x)
	k.dot(x, y)
	k.max(x)
	k.sumSquares(x)
	k.deviation(x, 1)
	k.expSum(z, x, 1, 2)
	k.slopeSoftmax(z, x, y, 1)
	k.dropout(z, x, 1, 2, 3, 4)
	for threshold := range uint32(2) {
		k.softmaxRow(z, 1, 2, 3, 4, threshold, 5)
		k.gradRow(z, y, 1, 2, 3, 4, threshold, 5)
	}
	k.adamW(x, y, z, v, &adamW{})
	for _, gain := range [][]float32{nil, v} {
		for _, bias := range [][]float32{nil, z} {
			k.normalise(x, y, gain, bias, 1, 2)
			k.normParams(gain, bias, x, y, 1, 2)
		}
		k.normSums(x, y, gain, 1, 2)
		k.normGrad(z, x, y, gain, 1, 2, 3, 4)
	}
	k.fromBF16(z, fenced[byte](t, 2*n))
	k.fromF16(z, fenced[byte](t, 2*n))
	k.fromI8(z, fenced[byte](t, n), 2)
}

// fenceTiles multiplies tiles with n columns of a matrix as it lies in memory, and with left operands of both layouts.
func fenceTiles(t *testing.T, k *kernels, n int) {
	const depth = 9
	b, bias := fenced[float32](t, depth*n), fenced[float32](t, n)
	for rows := 1; rows <= k.tileRows; rows++ {
		a, c := fenced[float32](t, rows*depth), fenced[float32](t, rows*n)
		for _, layout := range [][2]int{{depth, 1}, {1, rows}} {
			k.tile[rows](c, n, a, layout[0], layout[1], b, n, k.tileCols, depth, n, 1, 0, bias, a, layout[0])
			k.tile[rows](c, n, a, layout[0], layout[1], b, n, k.tileCols, depth, n, 1, 2, nil, a, layout[0])
		}
	}
}

// fencePacks packs n columns.
func fencePacks(t *testing.T, k *kernels, n int) {
	for rows := 1; rows <= k.tileCols; rows++ {
		src, panel := fenced[float32](t, rows*n), fenced[float32](t, n*k.tileCols)
		k.pack(panel, src, rows, n, n)
		k.touch(src, rows, n, n)
		for _, pitch := range []int{k.rowPitch, k.tileCols} {
			cols := min(n, pitch)
			k.stack(fenced[float32](t, rows*pitch), fenced[float32](t, rows*cols), rows, cols, cols, pitch)
		}
	}
}
