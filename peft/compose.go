package peft

import (
	"fmt"
	"slices"
	"strconv"

	"peft/tensor"
)

// Stack lets trained patches of one model act one after the other, as one patch: like a pass with all of them, but to be trained, saved and routed as one. What they train in place of the
// base's own parameters, such as a head, must have the same values in all, and is one.
//
// Low-rank updates of one map are refused: they would be added, where AdapterHub's library, whose word this is, applies the second to what the first puts out.
func Stack(patches ...*Patch) (*Patch, error) {
	c, err := newComposer("Stack", patches, false)
	if err != nil {
		return nil, err
	}
	for i, q := range c.of {
		if i > 0 {
			q = q.grounded()
		}
		for x := range q.sites.Linears() {
			if len(c.deltas[x.base()]) > 0 && len(q.deltas[x.base()]) > 0 {
				return nil, fmt.Errorf("peft: Stack: two patches add to what %s puts out; it is not said whether the second applies to the first: take Average, or merge them", x.Name())
			}
		}
		c.take(q)
		c.parts = append(c.parts, q.parts...)
	}
	c.chain()
	return c.Patch, nil
}

// Average adds what trained patches of one model add, each by its weight, as one patch. Weights must add up to one; none given are all the same.
func Average(weights []float64, patches ...*Patch) (*Patch, error) {
	if weights == nil {
		weights = slices.Repeat([]float64{1 / float64(len(patches))}, len(patches))
	}
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	if len(weights) != len(patches) || !(sum > 1-1e-6 && sum < 1+1e-6) {
		return nil, fmt.Errorf("peft: Average: found the weights %v for %d patches, expected one for each, which add up to 1", weights, len(patches))
	}
	c, err := newComposer("Average", patches, true)
	if err != nil {
		return nil, err
	}
	c.setup().args.Weights = weights
	return c.join(func(of []branch) Delta { return averaged(weights, of) }, func(p *Pass, values []*tensor.Tensor) (sum *tensor.Tensor) {
		for i, v := range values {
			sum = plus(sum, v, weights[i])
		}
		return sum
	})
}

// Split lets the tokens of each sequence go through different trained patches of one model: the first lengths[0] through the first, and so on. A sequence may be shorter than all of them, not
// longer.
func Split(lengths []int, patches ...*Patch) (*Patch, error) {
	if err := sizes("Split", lengths, patches); err != nil {
		return nil, err
	}
	c, err := newComposer("Split", patches, true)
	if err != nil {
		return nil, err
	}
	c.setup().args.Splits = lengths
	return c.join(func(of []branch) Delta { return split{lengths, of} }, func(p *Pass, values []*tensor.Tensor) (sum *tensor.Tensor) {
		l := values[0].Layout()
		for i, v := range values {
			sum = plus(sum, tensor.Mul(v, p.scope.Tensor(split{lengths: lengths}.mask(l, i), l.Rows(), 1)), 1)
		}
		return sum
	})
}

// BatchSplit lets the sequences of a batch go through different trained patches of one model: the first number[0] through the first, and so on. A batch must have as many sequences as that.
//
// It is what AdapterHub's library makes of its BatchSplit, and so prefixes of fewer rows than others have rows of zeros too, seen with a score of one. [Pass.Route] lets each sequence be what
// it is alone.
func BatchSplit(number []int, patches ...*Patch) (*Patch, error) {
	if err := sizes("BatchSplit", number, patches); err != nil {
		return nil, err
	}
	c, err := newComposer("BatchSplit", patches, true)
	if err != nil {
		return nil, err
	}
	c.setup().args.BatchSizes = number
	all := total(number)
	for i, q := range c.of {
		lo, hi := total(number[:i]), total(number[:i+1])
		c.parts = append(c.parts, part{q.apart(), func(sequence, of int) bool {
			if of != all {
				panic(&tensor.ShapeError{Op: "BatchSplit", Got: strconv.Itoa(of) + " sequences", Want: strconv.Itoa(all)})
			}
			return sequence >= lo && sequence < hi
		}})
	}
	c.fill()
	c.parted()
	return c.Patch, nil
}

// Parallel lets a batch go through each of several trained patches of one model. It must hold all sequences once for each patch, see [Patch.Copies]: first all that go through the first.
func Parallel(patches ...*Patch) (*Patch, error) {
	c, err := newComposer("Parallel", patches, true)
	if err != nil {
		return nil, err
	}
	n := len(patches)
	for i, q := range c.of {
		c.parts = append(c.parts, part{q.apart(), func(sequence, of int) bool {
			if of%n != 0 {
				panic(&tensor.ShapeError{Op: "Parallel", Got: strconv.Itoa(of) + " sequences", Want: "all sequences " + strconv.Itoa(n) + " times"})
			}
			return sequence/(of/n) == i
		}})
	}
	c.fill()
	c.parted()
	return c.Patch, nil
}

func sizes(kind string, n []int, patches []*Patch) error {
	if len(n) != len(patches) || slices.ContainsFunc(n, func(x int) bool { return x < 0 }) || total(n) == 0 {
		return fmt.Errorf("peft: %s: found the sizes %v for %d patches, expected one for each", kind, n, len(patches))
	}
	return nil
}

func total(n []int) (sum int) {
	for _, x := range n {
		sum += x
	}
	return sum
}
