// Package tensor is the numeric core: dense tensors, frozen weights, and gradients by eager reverse-mode differentiation.
//
// # Tensors and gradients
//
// A [Tensor] holds numbers on a [Device]. An operation such as [MatMul] runs at once; it remembers how it was made only if an operand wants a
// gradient, that is, if a parameter made by [Device.Param] is somewhere above it. [Backward] walks that memory in reverse and returns the gradients as a
// value, [Grads]; no tensor carries one. A frozen operand costs nothing: no gradient is formed for it and nothing is kept for it.
//
// # Memory
//
// Tensors made inside a [Scope] are freed when the scope is closed, except those that a gradient still needs; [Scope.Block] runs one block
// of a model in a scope of its own, and [Scope.Checkpoint] recomputes it in the backward pass rather than keep anything. [Scope.Chain] runs block after block and keeps
// no result but the last. Buffers come from a pool, so a training step makes next to no garbage.
//
// # Ragged batches
//
// A batch of sequences is one matrix of packed rows and a [Layout] that says where each sequence starts and at which position each row stands. Padding
// is never stored and never computed. Only attention and pooling look at the layout; everything else sees rows.
//
// # Devices
//
// [Reference] computes in float64 by plain loops and is the definition of every operation; [CPU] computes in float32 with vector
// instructions and threads; [Shapes] computes nothing and counts the memory that CPU would take. Every number is made by a device; the files op_*.go hold nothing but shape rules and gradient rules.
//
// Misuse of shapes panics with a [*ShapeError], since the programmer could know. Everything else is an error.
package tensor
