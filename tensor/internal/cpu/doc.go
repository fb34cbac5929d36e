// Package cpu is the float32 backend: pooled memory, a team of goroutines, and kernels in assembly where the processor has AVX-512 or AVX2 with FMA.
//
// # Layers
//
// A method of [Backend] turns matrices into views, cuts the work into chunks and hands them to the team. A chunk is done by kernels, functions on
// contiguous slices that a table of the type kernels holds: one table an instruction set, the plain Go one being the definition of all. No kernel
// knows of threads, no method of Backend knows of registers.
//
// Chunks are cut by the shape of the operands alone, every number of a result is made by one chunk, and reductions that span chunks are combined
// in the order of the chunks. So a result has the same bits for any number of threads.
//
// # Instruction sets
//
// [New] takes the best set that the processor has. The environment variable PEFT_CPU (generic, avx2, avx512) asks for another, as does [NewSet];
// [Backend.Set] tells which one is in use. The build tag noasm leaves only Go code.
package cpu
