package peft

import (
	"fmt"
	"math"
	"slices"
)

// Stack lets trained patches of one model act one after the other, as one patch: like a pass with all of them, but to be trained, saved and routed as one. What they train in place of the
// base's own parameters, such as a head, must have the same values in all, and is one.
//
// Like AdapterHub's library, whose word this is, it applies the second of two of that library's low-rank updates of one map to what the first makes, rather than add both.
func Stack(patches ...*Patch) (*Patch, error) {
	c, err := newComposer("Stack", patches, false)
	if err != nil {
		return nil, err
	}
	for i, q := range c.of {
		if i > 0 {
			q = q.grounded()
		}
		c.take(q)
		c.parts = append(c.parts, q.parts...)
	}
	c.chain()
	return c.Patch, nil
}

// Average adds what trained patches of one model add, each by its weight, as one patch. No weights given are all the same, and add up to one.
func Average(weights []float64, patches ...*Patch) (*Patch, error) {
	if weights == nil {
		weights = slices.Repeat([]float64{1 / float64(len(patches))}, len(patches))
	}
	if len(weights) != len(patches) || slices.ContainsFunc(weights, func(w float64) bool { return math.IsNaN(w) || math.IsInf(w, 0) }) {
		return nil, fmt.Errorf("peft: Average: found the weights %v for %d patches, expected a number for each", weights, len(patches))
	}
	c, err := newComposer("Average", patches, true)
	if err != nil {
		return nil, err
	}
	c.setup().args.Weights = weights
	return c.join(func(of []branch) Delta { return averaged(weights, of) }, func(of several) cells { return mean{of, weights} })
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
	return c.join(func(of []branch) Delta { return split{lengths, of} }, func(of several) cells { return among{of, stretches(lengths)} })
}

// BatchSplit lets the sequences of a batch go through different trained patches of one model: the first number[0] through the first, and so on. A batch must have as many sequences as that.
//
// It is what AdapterHub's library makes of its BatchSplit, and so prefixes of fewer rows than others have rows of zeros too, seen with a score of one. [Pass.Route] lets each sequence be what
// it is alone.
func BatchSplit(number []int, patches ...*Patch) (*Patch, error) {
	if err := sizes("BatchSplit", number, patches); err != nil {
		return nil, err
	}
	c, err := newComposer("BatchSplit", patches, false)
	if err != nil {
		return nil, err
	}
	c.setup().args.BatchSizes = number
	c.deal(deals(number))
	return c.Patch, nil
}

// Parallel lets a batch go through each of several trained patches of one model. It must hold all sequences once for each patch, see [Patch.Copies]: first all that go through the first.
func Parallel(patches ...*Patch) (*Patch, error) {
	c, err := newComposer("Parallel", patches, false)
	if err != nil {
		return nil, err
	}
	c.deal(copies(len(patches)))
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
