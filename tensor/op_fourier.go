package tensor

import (
	"gonum.org/v1/gonum/dsp/fourier"

	"peft/tensor/internal/backend"
)

// InverseFourier is the real part of the inverse two-dimensional discrete Fourier transform of a matrix [rows×cols] that is zero but for the given entries, which stand at different places,
// counted row after row:
//
//	y[p][q] = 1/(rows·cols) · Σᵢ entriesᵢ·cos 2π(p·rᵢ/rows + q·cᵢ/cols),  rᵢ = placesᵢ div cols,  cᵢ = placesᵢ mod cols
//
// It is computed in float64 on the host, whatever the device.
func InverseFourier(entries *Tensor, places []int32, rows, cols int) *Tensor {
	if entries.Len() != len(places) {
		misfit("InverseFourier", sprint(len(places))+" numbers, one a place", entries)
	}
	checkIDs("InverseFourier", places, rows*cols)
	spectrum := make([]float64, rows*cols)
	for i, v := range entries.Float64s() {
		spectrum[places[i]] = v
	}
	out := output([]int{rows, cols}, entries)
	out.layout = nil
	out.Assign(waves(spectrum, rows, cols))
	return record("InverseFourier", out, []*Tensor{entries}, nil, func(f *flow) {
		f.to(entries, func(dst backend.Mat, beta float64) {
			all, picked := waves(f.dy.Float64s(), rows, cols), hold(f.dev(), entries.shape)
			grad := make([]float64, len(places))
			for i, at := range places {
				grad[i] = all[at]
			}
			picked.Assign(grad)
			f.dev().Axpby(dst, 1, picked.mat(), beta)
			picked.data.release()
		})
	})
}

// waves is the real part of the inverse transform of a real matrix. It is its own adjoint: the cosine is even.
func waves(x []float64, rows, cols int) []float64 {
	z := make([]complex128, len(x))
	for i, v := range x {
		z[i] = complex(v, 0)
	}
	along := fourier.NewCmplxFFT(cols)
	for lo := 0; lo < len(z); lo += cols {
		along.Sequence(z[lo:lo+cols], z[lo:lo+cols])
	}
	down, column := fourier.NewCmplxFFT(rows), make([]complex128, rows)
	for q := range cols {
		for p := range column {
			column[p] = z[p*cols+q]
		}
		down.Sequence(column, column)
		for p, v := range column {
			x[p*cols+q] = real(v) / float64(len(x))
		}
	}
	return x
}
