package adapter

import (
	"fmt"
	"math"

	"peft/peft"
	"peft/tensor"
)

// PHM makes the maps of bottlenecks sums of Kronecker products (Zhang et al. 2021, arXiv:2102.08597; Compacter):
//
//	y = x·H + b,  H = Σᵢ Ruleᵢ ⊗ Wᵢ,  i = 1 … Dim,  Ruleᵢ [Dim×Dim],  Wᵢ = Leftᵢ·Rightᵢ [in/Dim × out/Dim]
//
// The zero value is Compacter's: four products of rank one, with one rule for the whole model.
type PHM struct {
	Dim        int        // how many products; 0 means 4. Both sizes of a map must be multiples of it
	Rank       int        // of W; 0 means 1
	Whole      bool       // W is one matrix rather than a product of rank Rank
	SharedW    bool       // W of Down is one for the whole model, and so is W of Up
	OwnRules   bool       // a rule for each map rather than one for the whole model
	RankOne    bool       // rules are products of a column and a row
	FixedRules bool       // rules are saved, not trained
	Uniform    bool       // rules start uniform within ±Range, not normal
	Range      float64    // of the first rules; 0 means 0.0001, and 0.01 for rules of single maps
	Weights    PHMWeights // how W starts
	NoBias     bool
}

// PHMWeights is how the factors W of [PHM] start.
type PHMWeights string

// The starts of W, for factors of a rows and b columns; zero all of Up's where Config.Init is Zero.
const (
	GlorotUniform PHMWeights = ""              // uniform within ±√(12/(a+b))
	GlorotNormal  PHMWeights = "glorot-normal" // N(0, 4/(a+b))
	NormalRange   PHMWeights = "normal"        // N(0, Range²)
)

func (c *PHM) check() error {
	switch {
	case c == nil:
		return nil
	case c.Dim < 0 || c.Dim > 1<<6 || c.Rank < 0 || c.Rank > 1<<10:
		return fmt.Errorf("PHM has Dim %d and Rank %d, must be at most 64 and 1024, and 0 for 4 and 1", c.Dim, c.Rank)
	case !(c.Range >= 0):
		return fmt.Errorf("PHM.Range is %v, must not be negative", c.Range)
	case c.Weights != GlorotUniform && c.Weights != GlorotNormal && c.Weights != NormalRange:
		return fmt.Errorf("PHM.Weights is %q, must be empty, %q or %q", c.Weights, GlorotNormal, NormalRange)
	}
	return nil
}

func (c *PHM) dim() int  { return orElse(c.Dim, 4) }
func (c *PHM) rank() int { return orElse(c.Rank, 1) }
func (c *PHM) spread() float64 {
	if c.OwnRules {
		return orElse(c.Range, 0.01)
	}
	return orElse(c.Range, 0.0001)
}

// orElse is x, or the default where x is zero.
func orElse[T int | float64](x, standard T) T {
	if x == 0 {
		return standard
	}
	return x
}

// A phm is one map: y = f(x·H + b).
type phm struct {
	n       int
	rule, w stack
	b       *peft.Param // nil: none
}

// kronecker makes Down and Up of a bottleneck.
func (b builder) kronecker(downName, upName string, d, r int) (down, up linear, err error) {
	n := b.PHM.dim()
	if d%n != 0 || r%n != 0 {
		return nil, nil, fmt.Errorf("a map from %d to %d columns is no sum of %d Kronecker products: both must be multiples", d, r, n)
	}
	return b.phm(downName, "down", d, r), b.phm(upName, "up", r, d), nil
}

func (b builder) phm(name, position string, in, out int) *phm {
	n := b.PHM.dim()
	l := &phm{n: n, rule: b.rule(name), w: b.factors(name, position, in/n, out/n)}
	if !b.PHM.NoBias {
		l.b = b.q.NewParam(name+".b", nil, out)
	}
	return l
}

// shared is where parameters of the whole model are.
const shared = "shared_parameters"

func (b builder) rule(name string) stack {
	n := b.PHM.dim()
	at := shared + "/phm_rule"
	if b.PHM.OwnRules {
		at = name + ".phm_rule"
	}
	draw := func(count, _ int) []float64 { return b.drawRange(count) }
	if b.PHM.RankOne {
		return stack{left: b.param(at+"_left", b.PHM.FixedRules, draw, n, n, 1), right: b.param(at+"_right", b.PHM.FixedRules, draw, n, 1, n)}
	}
	return stack{whole: b.param(at, b.PHM.FixedRules, draw, n, n, n)}
}

// factors is W of a map whose products have W of the given size.
func (b builder) factors(name, position string, rows, cols int) stack {
	n, k, at := b.PHM.dim(), b.PHM.rank(), name+".W"
	if b.PHM.SharedW {
		at = shared + "/W_" + position
	}
	draw := b.drawW
	if b.Init == Zero && position == "up" {
		draw = func(int, int) []float64 { return nil }
	}
	if b.PHM.Whole {
		return stack{whole: b.param(at, false, draw, n, rows, cols)}
	}
	return stack{left: b.param(at+"_left", false, draw, n, rows, k), right: b.param(at+"_right", false, b.drawW, n, k, cols)}
}

// param makes n matrices as one parameter, or finds the one that an earlier map has made.
func (b builder) param(name string, fixed bool, draw func(count, fan int) []float64, n, rows, cols int) *peft.Param {
	x := b.q.Param(name)
	switch {
	case x != nil:
		return x
	case fixed:
		return b.q.NewFixed(name, draw(n*rows*cols, rows+cols), n, rows, cols)
	}
	return b.q.NewParam(name, draw(n*rows*cols, rows+cols), n, rows, cols)
}

// drawW is first factors whose rows and columns are together as many as fan.
func (b builder) drawW(count, fan int) []float64 {
	switch b.PHM.Weights {
	case GlorotNormal:
		return peft.Normal(b.rng, count, math.Sqrt(4/float64(fan)))
	case NormalRange:
		return b.drawRange(count)
	}
	return peft.Uniform(b.rng, count, math.Sqrt(12/float64(fan)))
}

func (b builder) drawRange(count int) []float64 {
	if b.PHM.Uniform {
		return peft.Uniform(b.rng, count, b.PHM.spread())
	}
	return peft.Normal(b.rng, count, b.PHM.spread())
}

func (l *phm) apply(p *peft.Pass, x *tensor.Tensor, f tensor.Func) *tensor.Tensor {
	y := tensor.MatMul(x, l.sum(p))
	if l.b != nil {
		y = tensor.Add(y, l.b.In(p))
	}
	return tensor.Apply(f, y)
}

func (l *phm) frozen() linear {
	still := func(s stack) stack { return stack{frozen(s.whole), frozen(s.left), frozen(s.right)} }
	return &phm{n: l.n, rule: still(l.rule), w: still(l.w), b: frozen(l.b)}
}

// sum is H [in×out]: first the products of all numbers, Σᵢ Ruleᵢ[a,b]·Wᵢ[c,e] in the order a, b, c, e, then H's order a, c, b, e.
func (l *phm) sum(p *peft.Pass) *tensor.Tensor {
	rule, w := l.rule.value(p), l.w.value(p)
	n, rows, cols := l.n, w.Rows()/l.n, w.Cols()
	all := tensor.TMatMul(tensor.Reshape(rule, n, n*n), tensor.Reshape(w, n, rows*cols))
	order := make([]int32, 0, n*n*rows)
	for a := range n {
		for c := range rows {
			for b := range n {
				order = append(order, int32((a*n+b)*rows+c))
			}
		}
	}
	return tensor.Reshape(tensor.GatherRows(tensor.Reshape(all, n*n*rows, cols), order, nil), n*rows, n*cols)
}

// A stack is n matrices of one size, below each other: as they are, or each the product of two.
type stack struct{ whole, left, right *peft.Param }

// value is the matrices [n·rows × cols].
func (s stack) value(p *peft.Pass) *tensor.Tensor {
	if s.whole != nil {
		x := s.whole.In(p)
		return tensor.Reshape(x, x.Rows(), x.Cols())
	}
	left, right := s.left.In(p), s.right.In(p)
	n := left.Shape()[0]
	rows, k := left.Rows()/n, left.Cols()
	left, right = tensor.Reshape(left, n*rows, k), tensor.Reshape(right, n*k, right.Cols())
	var products []*tensor.Tensor
	for i := range n {
		products = append(products, tensor.MatMul(tensor.Rows(left, i*rows, (i+1)*rows), tensor.Rows(right, i*k, (i+1)*k)))
	}
	return tensor.Stack(nil, products...)
}
