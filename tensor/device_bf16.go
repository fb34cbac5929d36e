package tensor

import "peft/tensor/internal/cpu"

// CPUBF16 is [CPU], but products with weights stored as [BF16] are computed in bfloat16 where the processor has instructions for that (AMX, or AVX512_BF16): the other operand is rounded to the nearest
// number of 8 significant bits, a relative error of 2⁻⁹ at most, and sums are float32. Everything else stays as it is, and so do all products elsewhere. The numbers do not depend on the threads, but on
// the processor. On a device that is not made by this function BF16 is only how weights are stored.
func CPUBF16(threads int) *Device { return On(cpu.New(threads).BF16()) }
