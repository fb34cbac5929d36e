// Package backendtest checks a backend against the reference, operation by operation.
//
//	func TestBackend(t *testing.T) { backendtest.Run(t, cpu.New(1), cpu.New(2), cpu.New(3)) }
//
// A case is a function that makes one random call: it asks its [trial] for operands, which lie in memory in all the ways a backend.Mat allows, makes
// the call on every side, and says how far each result may be from the reference; all sides must give the same bits. Around every operand lie guards: NaN
// where the operation only reads, so that a number read from there shows in the result, and a known number where it writes.
//
// # Tolerance
//
// Bounds are computed, not tuned. A result that is a sum of k products is within (k+c)·u·Σ|a||b| of the exact one, in whatever order it is summed and
// with or without fused multiplication; u = 2⁻²⁴ is the unit round-off of float32 and c counts the roundings besides the sum's. Σ|a||b| is what the
// reference makes of the same call with the absolute values of all operands. Other functions state their own bounds where they are tested.
package backendtest
