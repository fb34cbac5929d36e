package lora

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"peft/peft"
)

// A Weighted combines patches of LoRA into one patch of LoRA, by weights: what several tasks taught becomes one adapter. How says in which way; the zero value is the exact sum.
//
//	one, err := lora.Weighted{How: lora.SVD, Rank: 8}.Of(peft.Term{Patch: a, Weight: 0.7}, peft.Term{Patch: b, Weight: -0.4})
type Weighted struct {
	How     How
	Rank    int      // of the result, for SVD and the ways that end in _svd; 0 means the largest of the patches' ranks
	Density float64  // share of entries that TIES, DARE and pruning keep; 0 means 0.5
	Sign    Majority // how TIES elects signs
	Seed    uint64   // of the entries that DARE drops
}

// How is a way to combine, named as combination_type of Hugging Face PEFT's add_weighted_adapter. With cᵢ = wᵢ·sᵢ the exact sum is Σ cᵢ·Bᵢ·Aᵢ.
//
// The ways after SVD take the factors apart: they combine the √|cᵢ|·Bᵢ and, with the sign of cᵢ, the √|cᵢ|·Aᵢ, which must have the same ranks. The product of such sums has terms Bᵢ·Aⱼ that no
// patch has learned; followed by "_svd", as in "ties_svd", a way combines the updates sᵢ·Bᵢ·Aᵢ themselves instead, and cuts the result to Rank.
type How string

// The ways to combine.
const (
	Sum        How = ""                // the exact sum, of the least rank that holds it
	Cat        How = "cat"             // the exact sum, as factors side by side: ranks add up
	SVD        How = "svd"             // the best approximation of the sum that has the rank
	Linear     How = "linear"          // sums of the factors
	Prune      How = "magnitude_prune" // sums of the largest entries of each
	TIES       How = "ties"            // their means over those that have the majority's sign (Yadav et al. 2023, arXiv:2306.01708)
	DARELinear How = "dare_linear"     // sums of randomly kept entries, which are divided by Density (Yu et al. 2023, arXiv:2311.03099)
	DARETIES   How = "dare_ties"       // their means over those that have the majority's sign
)

// A Majority is how TIES elects the sign of an entry.
type Majority string

// The elections.
const (
	Total     Majority = "total"     // the sign of the entries' sum; the zero value's other name
	Frequency Majority = "frequency" // the sign that more of them have
)

// Of combines patches. Where a patch has no update at a site it counts as zero there. All else that the patches train, heads and biases for instance, must be the same in all of them. What
// cannot be combined is refused by name: other methods, DoRA, biases on B, starts that change the base.
func (c Weighted) Of(terms ...peft.Term) (*peft.Patch, error) {
	q, err := c.of(terms)
	if err != nil {
		return nil, fmt.Errorf("lora: weighted sum: %w", err)
	}
	return q, nil
}

func (c Weighted) of(terms []peft.Term) (*peft.Patch, error) {
	if err := cmp.Or(c.check(), peft.CheckTerms(terms), same(terms)); err != nil {
		return nil, err
	}
	all, err := gather(terms)
	if err != nil {
		return nil, err
	}
	combine, err := c.rule(widest(all))
	if err != nil {
		return nil, err
	}
	var sums []combined
	for _, x := range all {
		sum, err := combine(x.updates)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", x.site.Name(), err)
		}
		sums = append(sums, combined{x.site, sum})
	}
	return assemble(terms, sums)
}

func (c Weighted) check() error {
	switch {
	case c.Rank < 0:
		return fmt.Errorf("rank is %d, must be at least 1, or 0 for the largest of the patches' ranks", c.Rank)
	case !(c.Density >= 0 && c.Density <= 1):
		return fmt.Errorf("density is %v, must be above 0 and at most 1", c.Density)
	case c.Sign != "" && c.Sign != Total && c.Sign != Frequency:
		return fmt.Errorf("the majority is found by %q, must be by %q or %q", c.Sign, Total, Frequency)
	}
	_, err := c.rule(1)
	return err
}

// rule combines the updates of a site; those of the patches have at most the given rank.
func (c Weighted) rule(rank int) (func(updates []update) (lowRank, error), error) {
	if c.Rank > 0 {
		rank = c.Rank
	}
	switch c.How {
	case Sum:
		return c.ranked(func(u []update) (lowRank, error) { return cat(u).cut(0), nil })
	case Cat:
		return c.ranked(func(u []update) (lowRank, error) { return cat(u), nil })
	case SVD:
		return func(u []update) (lowRank, error) { return cat(u).cut(rank), nil }, nil
	}
	v, whole, err := c.vote()
	if whole {
		return func(u []update) (lowRank, error) { return split(v.whole(u), rank) }, err
	}
	if err != nil {
		return nil, err
	}
	return c.ranked(v.apart)
}

// ranked is a rule of which the rank of the result follows.
func (c Weighted) ranked(rule func([]update) (lowRank, error)) (func([]update) (lowRank, error), error) {
	if c.Rank > 0 {
		return nil, fmt.Errorf("a rank is given, but the way %q has its own; %q and those that end in _svd have one that is chosen", c.How, SVD)
	}
	return rule, nil
}

// same wants patches of LoRA that train the same beside their updates.
func same(terms []peft.Term) error {
	for _, t := range terms {
		c, ok := t.Patch.Method().(Config)
		switch {
		case !ok:
			return fmt.Errorf("only patches of LoRA can be combined into one, found one of %T", t.Patch.Method())
		case c.DoRA:
			return errors.New("a patch of DoRA cannot be combined with others: its lengths depend on the updated matrix")
		case c.Init == PiSSA || c.Init == OLoRA:
			return fmt.Errorf("a patch with Init %q changes the base, so it cannot be combined with others", c.Init)
		case c.Tie:
			return errors.New("a patch that adapts tied places together (ensure_weight_tying) cannot be combined with others")
		case c.OwnBias:
			return errors.New("a patch with biases on B (lora_bias) cannot be combined with others")
		}
		if err := agree(terms[0].Patch, t.Patch); err != nil {
			return err
		}
	}
	return nil
}

// agree wants what two patches hold beside their updates to be the same.
func agree(a, b *peft.Patch) error {
	for _, pair := range [][2]*peft.Patch{{a, b}, {b, a}} {
		for x := range pair[0].Params() {
			if isFactor(x) {
				continue
			}
			y := pair[1].Param(x.Name)
			if y == nil {
				return fmt.Errorf("one of the patches trains %s and another does not", x.Name)
			}
			if !slices.Equal(x.Tensor().Float64s(), y.Tensor().Float64s()) {
				return fmt.Errorf("the patches disagree about %s, which is trained beside the updates and is not weighed", x.Name)
			}
		}
	}
	return nil
}

// random is the source of what DARE drops.
func (c Weighted) random() *rand.Rand { return rand.New(rand.NewPCG(c.Seed, 0x64617265)) }
