package backendtest

import "math"

func normCases() []testCase {
	return []testCase{
		{"LayerNorm", 60, layerNorm},
		{"LayerNormGrad", 80, layerNormGrad},
		{"RMSNorm", 50, rmsNorm},
		{"RMSNormGrad", 60, rmsNormGrad},
	}
}

// layerNorm also takes rows far from zero, whose variance is lost by whoever subtracts the square of the mean from the mean of the squares.
func layerNorm(t *trial) {
	rows, cols, eps, shift := t.sizeOrNone(), t.size(), pick(t, 1e-12, 1e-5, 0.3), pick(t, 0.0, 0, 1, 1000)
	x, y, stats := t.in(rows, cols), t.out(rows, cols, 0), t.out(rows, 2, 0)
	x.each(func(i, j int) { x.set(i, j, shift+float64(t.normal())) })
	gain, bias := t.perhaps(1, cols), t.perhaps(1, cols)
	t.do(func(s *side) { s.LayerNorm(s.of(y), s.of(stats), s.of(x), s.maybe(gain), s.maybe(bias), eps) })
	rowMoments := momentsOf(x, eps)
	t.within(stats, func(i, j int, want float64) float64 {
		if j == 0 {
			return rowMoments[i].meanError
		}
		return rowMoments[i].scaleError * want
	})
	t.within(y, func(i, j int, want float64) float64 {
		m := rowMoments[i]
		product := m.scaleError*math.Abs(x.at(i, j)-m.mean) + (1+m.scaleError)*m.meanError
		return product*m.scale*math.Abs(gain.or(1, 0, j)) + 2*u*(math.Abs(want)+math.Abs(bias.or(0, 0, j)))
	})
}

// moments is what a layer norm computes of a row, and how far each may be off: the mean, and relative to itself the factor.
type moments struct{ mean, meanError, scale, scaleError float64 }

// momentsOf is the moments of all rows: the mean is a sum of d numbers; an error of it changes the variance by its square, the sum of what is left being
// zero; and the variance is a sum of d squares with three roundings each. The inverse square root of a number off by at most half of itself is off by no
// larger a part.
func momentsOf(x *operand, eps float64) []moments {
	all := make([]moments, x.rows)
	for i := range all {
		d, mean := float64(x.cols), x.mean(i, func(v float64) float64 { return v })
		off := (d + 2) * u * x.mean(i, math.Abs)
		variance := x.mean(i, func(v float64) float64 { return (v - mean) * (v - mean) })
		part := ((d+8)*u*variance + 2*off*off) / (variance + eps)
		if part > 0.5 {
			part = 1e30 // nothing is known
		}
		all[i] = moments{mean: mean, meanError: off, scale: 1 / math.Sqrt(variance+eps), scaleError: part + 6*u}
	}
	return all
}

// layerNormGrad: with n = (x−mean)·r and t = dy∘gain, dx is r times a sum of t, a mean of t and n times a mean of t∘n.
func layerNormGrad(t *trial) {
	rows, cols, beta := t.sizeOrNone(), t.size(), t.beta()
	x, dy, stats := t.in(rows, cols), t.in(rows, cols), t.made(rows, 2)
	gain, dx, dgain, dbias := t.perhaps(1, cols), t.perhapsOut(rows, cols, beta), t.perhapsInout(1, cols), t.perhapsInout(1, cols)
	y := t.spare(rows, cols)
	t.derive(func(s *side) { s.LayerNorm(s.of(y), s.of(stats), s.of(x), nil, nil, 1e-5) }, stats)
	t.do(func(s *side) {
		s.LayerNormGrad(s.maybe(dx), s.maybe(dgain), s.maybe(dbias), s.of(dy), s.of(x), s.of(stats), s.maybe(gain), beta)
	})
	g := normGradient{x: x, dy: dy, gain: gain, scale: func(i int) float64 { return stats.at(i, 1) }}
	g.normed = func(i, j int) float64 { return (x.at(i, j) - stats.at(i, 0)) * stats.at(i, 1) }
	t.normGradient(g, dx, dgain, beta)
	t.withinMaybe(dbias, func(_, j int, _ float64) float64 {
		return float64(rows+4) * u * (math.Abs(dbias.at(0, j)) + g.columnSum(j, func(int) float64 { return 1 }))
	})
}

// rmsNorm adds up squares, so nothing cancels and the error is relative.
func rmsNorm(t *trial) {
	rows, cols, eps := t.sizeOrNone(), t.size(), pick(t, 1e-12, 1e-5, 0.3)
	x, y, stats, gain := t.in(rows, cols), t.out(rows, cols, 0), t.out(rows, 1, 0), t.perhaps(1, cols)
	t.do(func(s *side) { s.RMSNorm(s.of(y), s.of(stats), s.of(x), s.maybe(gain), eps) })
	t.relative(stats, float64(cols+8))
	t.relative(y, float64(cols+12))
}

// rmsNormGrad is layerNormGrad without means.
func rmsNormGrad(t *trial) {
	rows, cols, beta := t.sizeOrNone(), t.size(), t.beta()
	x, dy, stats := t.in(rows, cols), t.in(rows, cols), t.made(rows, 1)
	gain, dx, dgain := t.perhaps(1, cols), t.perhapsOut(rows, cols, beta), t.perhapsInout(1, cols)
	y := t.spare(rows, cols)
	t.derive(func(s *side) { s.RMSNorm(s.of(y), s.of(stats), s.of(x), nil, 1e-5) }, stats)
	t.do(func(s *side) {
		s.RMSNormGrad(s.maybe(dx), s.maybe(dgain), s.of(dy), s.of(x), s.of(stats), s.maybe(gain), beta)
	})
	g := normGradient{x: x, dy: dy, gain: gain, scale: func(i int) float64 { return stats.at(i, 0) }}
	g.normed = func(i, j int) float64 { return x.at(i, j) * stats.at(i, 0) }
	t.normGradient(g, dx, dgain, beta)
}

// A normGradient is the operands of a normalisation's gradient, the normed numbers and the factor of a row.
type normGradient struct {
	x, dy, gain *operand
	normed      func(i, j int) float64
	scale       func(i int) float64
}

// normGradient checks dx and dgain.
func (t *trial) normGradient(g normGradient, dx, dgain *operand, beta float64) {
	t.Helper()
	rows, cols := g.x.rows, g.x.cols
	means, products := make([]float64, rows), make([]float64, rows)
	for i := range rows {
		for j := range cols {
			means[i] += g.slope(i, j) / float64(cols)
			products[i] += g.slope(i, j) * math.Abs(g.normed(i, j)) / float64(cols)
		}
	}
	t.withinMaybe(dx, func(i, j int, _ float64) float64 {
		terms := g.slope(i, j) + means[i] + math.Abs(g.normed(i, j))*products[i]
		return u * (float64(cols+12)*math.Abs(g.scale(i))*terms + 3*t.before(dx, i, j, beta))
	})
	t.withinMaybe(dgain, func(_, j int, _ float64) float64 {
		return float64(rows+8) * u * (math.Abs(dgain.at(0, j)) + g.columnSum(j, func(i int) float64 { return math.Abs(g.normed(i, j)) }))
	})
}

// slope is |dy∘gain| at (i, j).
func (g normGradient) slope(i, j int) float64 { return math.Abs(g.dy.at(i, j) * g.gain.or(1, 0, j)) }

// columnSum is Σ |dy[i][j]|·f(i) over the rows i.
func (g normGradient) columnSum(j int, f func(i int) float64) float64 {
	sum := 0.0
	for i := range g.dy.rows {
		sum += math.Abs(g.dy.at(i, j)) * f(i)
	}
	return sum
}

// mean is the mean of f over row i before the call.
func (o *operand) mean(i int, f func(v float64) float64) float64 {
	sum := 0.0
	for j := range o.cols {
		sum += f(o.at(i, j))
	}
	return sum / float64(o.cols)
}

// or is element (i, j) before the call, or missing where there is no operand.
func (o *operand) or(missing float64, i, j int) float64 {
	if o == nil {
		return missing
	}
	return o.at(i, j)
}
