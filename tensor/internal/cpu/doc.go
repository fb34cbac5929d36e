// Package cpu is the float32 backend: pooled memory, a team of goroutines, and kernels in assembly where the processor has AVX-512, AVX2 with FMA, or NEON.
//
// # Layers
//
// A method of [Backend] turns matrices into views, cuts the work into chunks and hands them to the team. A chunk is done by kernels, functions on
// contiguous slices that a table of the type kernels holds: one table an instruction set, the plain Go one being the definition of all. No kernel
// knows of threads, no method of Backend knows of registers.
//
// Chunks are cut so that every number of a result is made in the same way wherever the cuts are; reductions that
// span chunks are combined in the order of the chunks. So a result has the same bits for any number of threads.
//
// # Products
//
// A product is cut into blocks of its result. For a block, the right operand is laid out in panels, as many columns as two vectors are wide, that stay in the
// second-level cache; strips of rows of the left operand, read where they lie if possible, stay in the first. A tile kernel keeps strip × panel sums in
// registers ("Anatomy of High-Performance Matrix Multiplication", Goto and van de Geijn 2008). What follows a product, a bias, a term of low rank,
// a function, is done while a strip's sums are in the cache. Panels of frozen float32 weights are made once and kept; other weights are widened as they are packed.
//
// # Products in bfloat16
//
// A weight stored as BF16 is only stored so: its products are those of float32 numbers. A backend of which [Backend.BF16] is asked multiplies in bfloat16 where the instruction set can. The left
// operand is rounded to pairs of numbers, steps l and l+1 of the inner dimension in 32 bits, strip by strip; panels of pairs of the weight are made once, take the place of its storage, and are turned for dy·W. The products
// of halves are exact in float32 and are added up there, so a number is off by u₁₆·Σ|x||w|, u₁₆ = 2⁻⁹, from the rounding, and by k·u·Σ|x||w| from k additions, u = 2⁻²⁴. The order of the additions
// depends on the set, not on the threads. Terms of low rank, biases and all other operations stay as they are. AMX keeps sums of 32 × 32 numbers in tiles, AVX512_BF16 14 × 32 in registers.
//
// # Instruction sets
//
// [New] takes the best set that the processor has. The environment variable PEFT_CPU (generic, avx2, avx512, avx512bf16, amx, neon) asks for another, as does [NewSet];
// [Backend.Set] tells which one is in use. The build tag noasm leaves only Go code.
//
// Assembly is written by the program in the folder _asm, a module of its own: go generate runs it. A kernel is there once for all sets, in terms of vectors
// of some width.
package cpu
