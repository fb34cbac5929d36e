// Package safetensors reads and writes safetensors files, the format in which model weights are passed around: a JSON header that names each tensor, its type, its
// shape and its place, and then the plain little-endian data. Nothing in such a file is ever executed.
//
// # Reading
//
// [Open] maps a file into memory without copying it, and opens a model that is cut into several files as one. [Parse] does the same for bytes that the
// program has already, such as embedded ones. A [Tensor] of the file is a view: its Data is the file's, its methods [Tensor.Float32s], [Tensor.Float64s] and
// [Tensor.Ints] give its elements as numbers, again without a copy where types and memory allow.
//
// What is mapped is valid until [File.Close]; touching it afterwards ends the program. A file that is never closed stays mapped, which costs address space only.
//
// # Trust
//
// Every size that a file tells is checked before anything is made of it: a header longer than the file or than 100 MB, repeated keys, unknown types, shapes that
// do not fit their data, data that overlaps, leaves holes or does not end where the file ends, and an index that points out of its folder are refused with
// a [*FormatError], which says where, what was found, and what was expected.
//
// # Writing
//
// [Write] writes a file whole or not at all, byte for byte as the format's own writer would. [F32] and its siblings make tensors from numbers, without a copy;
// [F16] and [BF16] round them to 16 bits by the rules of package half.
package safetensors
