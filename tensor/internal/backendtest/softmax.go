package backendtest

import "math"

func softmaxCases() []testCase {
	return []testCase{
		{"Softmax", 50, func(t *trial) { t.softmax() }},
		{"SoftmaxSpecial", 40, func(t *trial) { t.softmax(0, 88, -88, 104, -104, 1e4, -1e4, 1e30, -1e30, math.Inf(-1), math.NaN()) }},
		{"SoftmaxGrad", 50, softmaxGrad},
	}
}

// softmax: the difference to the largest is rounded before it becomes an exponent, an exponential is good to 4 units, their sum has d terms. Exponents z
// enter the sum as exp(−z), and exp(−z)·z is at most 1/e.
func (t *trial) softmax(special ...float64) {
	rows, cols := t.sizeOrNone(), t.sizeOrNone()
	x, y := t.in(rows, cols), t.out(rows, cols, 0)
	x.each(func(i, j int) { x.set(i, j, 4*float64(t.normal())) })
	if special != nil {
		t.special(x, special...)
	}
	y, x = t.perhapsSame(y, x)
	t.do(func(s *side) { s.Softmax(s.of(y), s.of(x)) })
	top := rowMax(x)
	t.within(y, func(i, j int, want float64) float64 {
		if want == 0 {
			return 0
		}
		return u * want * (1.4*float64(cols) + 12 + top[i] - x.at(i, j))
	})
}

// rowMax is the largest number of each row before the call.
func rowMax(x *operand) []float64 {
	top := make([]float64, x.rows)
	for i := range top {
		top[i] = math.Inf(-1)
		for j := range x.cols {
			top[i] = math.Max(top[i], x.at(i, j))
		}
	}
	return top
}

// softmaxGrad: y times the difference of dy and a sum of d products.
func softmaxGrad(t *trial) {
	rows, cols, beta := t.sizeOrNone(), t.sizeOrNone(), t.beta()
	x, y, dy, dx := t.in(rows, cols), t.made(rows, cols), t.in(rows, cols), t.out(rows, cols, beta)
	t.derive(func(s *side) { s.Softmax(s.of(y), s.of(x)) }, y)
	t.do(func(s *side) { s.SoftmaxGrad(s.of(dx), s.of(y), s.of(dy), beta) })
	sums := make([]float64, rows)
	y.each(func(i, j int) { sums[i] += math.Abs(y.at(i, j) * dy.at(i, j)) })
	t.within(dx, func(i, j int, _ float64) float64 {
		return u * (float64(cols+6)*y.at(i, j)*(math.Abs(dy.at(i, j))+sums[i]) + 3*t.before(dx, i, j, beta))
	})
}
