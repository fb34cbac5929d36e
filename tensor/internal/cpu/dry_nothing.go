package cpu

import "peft/tensor/internal/backend"

// What a dry backend reads is zeros.

// Read fills dst with zeros.
func (*Dry) Read(dst []float64, _ backend.Buffer, _ int) { clear(dst) }

// ReadF32 fills dst with zeros.
func (*Dry) ReadF32(dst []float32, _ backend.Buffer, _ int) { clear(dst) }

// SumSquares is 0.
func (*Dry) SumSquares(backend.Mat) float64 { return 0 }

// Finite is true.
func (*Dry) Finite(backend.Mat) bool { return true }

// What it is asked to compute, it does not.

// Write does nothing, and so do all methods below.
func (*Dry) Write(backend.Buffer, int, []float64)    {}
func (*Dry) WriteF32(backend.Buffer, int, []float32) {}

func (*Dry) Fill(backend.Mat, float64)                                                          {}
func (*Dry) Axpby(backend.Mat, float64, backend.Mat, float64)                                   {}
func (*Dry) Binary(_ backend.Binary, _, _, _ backend.Mat, _ float64)                            {}
func (*Dry) Unary(_ backend.Unary, _, _ backend.Mat)                                            {}
func (*Dry) UnaryGrad(_ backend.Unary, _, _, _, _ backend.Mat, _ float64)                       {}
func (*Dry) Sum(_, _ backend.Mat, _ float64)                                                    {}
func (*Dry) Dropout(_, _ backend.Mat, _ float64, _ uint64, _ float64)                           {}
func (*Dry) Gather(backend.Mat, backend.Weight, []int32)                                        {}
func (*Dry) Dequantize(backend.Mat, backend.Weight)                                             {}
func (*Dry) SparseDot(_, _, _ backend.Mat, _ *backend.Entries, _ float64)                       {}
func (*Dry) LayerNorm(_, _, _ backend.Mat, _, _ *backend.Mat, _ float64)                        {}
func (*Dry) LayerNormGrad(_, _, _ *backend.Mat, _, _, _ backend.Mat, _ *backend.Mat, _ float64) {}
func (*Dry) RMSNorm(_, _, _ backend.Mat, _ *backend.Mat, _ float64)                             {}
func (*Dry) RMSNormGrad(_, _ *backend.Mat, _, _, _ backend.Mat, _ *backend.Mat, _ float64)      {}
func (*Dry) Softmax(_, _ backend.Mat)                                                           {}
func (*Dry) SoftmaxGrad(_, _, _ backend.Mat, _ float64)                                         {}
func (*Dry) Attention(_, _, _, _, _ backend.Mat, _ *backend.Attention)                          {}
func (*Dry) Rotate(_, _ backend.Mat, _ *backend.Rotary, _ bool, _ float64)                      {}
func (*Dry) GatherRows(_, _ backend.Mat, _ []int32, _ []float32, _ float64)                     {}
func (*Dry) ScatterRows(_, _ backend.Mat, _ []int32, _ []float32)                               {}
func (*Dry) SegmentSum(_, _ backend.Mat, _ []int32, _ []float32, _ float64)                     {}
func (*Dry) CrossEntropy(_, _, _ backend.Mat, _ []int32)                                        {}
func (*Dry) CrossEntropyGrad(_, _, _, _ backend.Mat, _ []int32, _ float64)                      {}
func (*Dry) AdamW(_, _, _, _ backend.Mat, _ backend.AdamW)                                      {}
func (*Dry) AttentionGrad(_, _, _, _ *backend.Mat, _, _, _, _, _, _ backend.Mat, _ *backend.Attention, _ [3]float64) {
}
