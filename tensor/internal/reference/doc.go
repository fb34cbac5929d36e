// Package reference defines every operation of [backend.Backend], in float64 and by plain loops.
//
// It is the specification: the comment of a method is its formula, and the method is that formula written down, with no thought of speed. Gradient
// rules are checked by differences on it, and other backends are compared with it.
//
// Fresh buffers hold NaN, and a freed buffer holds nothing, so that reading what was never written shows at once.
package reference
