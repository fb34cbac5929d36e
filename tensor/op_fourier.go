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

// waves is the real part of the inverse transform of a real matrix. It is its own adjoint, and that of the forward transform, since the cosine is even. A row's transform at −q is the conjugate
// of that at q, so half of the columns make the others too.
func waves(x []float64, rows, cols int) []float64 {
	along, half := fourier.NewFFT(cols), cols/2+1
	columns, one := make([]complex128, half*rows), make([]complex128, half)
	for p := range rows {
		for q, v := range along.Coefficients(one, x[p*cols:(p+1)*cols]) {
			columns[q*rows+p] = v
		}
	}
	down, n := fourier.NewCmplxFFT(rows), float64(len(x))
	for q := range half {
		column := columns[q*rows : (q+1)*rows]
		down.Coefficients(column, column)
		mirror := (cols - q) % cols
		for p, v := range column {
			x[p*cols+q] = real(v) / n
			x[(rows-p)%rows*cols+mirror] = real(v) / n
		}
	}
	return x
}
