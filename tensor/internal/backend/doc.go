// Package backend is the interface between the tensor floor and the devices that compute.
//
// A [Backend] owns the memory of its buffers and makes every number. The tensor package above holds shapes and gradient rules and does no
// arithmetic; a backend knows neither. Two implementations exist: reference (float64, plain loops, the definition of every operation) and cpu
// (float32, SIMD, a team of goroutines).
//
// # Conventions
//
// A [Mat] is a strided window into a [Buffer]. A stride of zero repeats a row or a column (broadcasting), exchanged strides transpose, so no
// operation has flags for either. Operands of an elementwise operation have the shape of its destination, by broadcasting where need be.
//
// Operations that make gradients take beta: the destination becomes beta·dst + result. With beta = 0 what the destination held before is
// never read, so it may be uninitialised (NaN included). beta is 0 or 1.
//
// Operations may run on many goroutines inside but return when they are done, and give the same bits for any number of threads. They do not check shapes: the
// tensor package has done so. A destination does not overlap an operand except where the operation says that it may.
package backend
