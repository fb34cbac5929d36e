package adapter

import (
	"fmt"
	"iter"
	"slices"

	"peft/peft"
)

// Attach puts a bottleneck at each chosen sublayer.
func (c Config) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("adapter: %w", err)
	}
	b := builder{Config: c, q: peft.NewPatch(s), rng: rng}
	found := 0
	for block, x := range blocks(s) {
		if !slices.Contains(c.roles(), x.Role) {
			continue
		}
		found++
		if slices.Contains(c.LeaveOut, block) {
			continue
		}
		if err := b.add(block, x); err != nil {
			return nil, fmt.Errorf("adapter: %s: %w", x.Name(), err)
		}
	}
	if found == 0 && len(c.roles()) > 0 {
		return nil, fmt.Errorf("adapter: %T has no sublayer with a role of %q", s.Model(), c.roles())
	}
	if err := b.invertible(); err != nil {
		return nil, fmt.Errorf("adapter: %w", err)
	}
	if c.Head {
		b.q.TrainHead()
	}
	return b.q, nil
}

// blocks yields the sublayers with the number of their block, counted on from the encoder to the decoder.
func blocks(s *peft.Sites) iter.Seq2[int, *peft.Sublayer] {
	return func(yield func(int, *peft.Sublayer) bool) {
		first, last := 0, 0
		for x := range s.Sublayers() {
			if x.Layer() < last {
				first += last + 1
			}
			last = x.Layer()
			if !yield(first+last, x) {
				return
			}
		}
	}
}

// A builder makes the parameters of a patch.
type builder struct {
	Config
	q   *peft.Patch
	rng peft.Rand
}

// add puts a bottleneck at a sublayer.
func (b builder) add(block int, x *peft.Sublayer) error {
	r, err := b.width(x.Size, block)
	if err != nil {
		return err
	}
	d, err := b.bottleneck(x.Name(), x.Size, r)
	if err != nil {
		return err
	}
	b.q.Add(x, d.place(), d)
	return nil
}
