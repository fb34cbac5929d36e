package lora

import (
	"fmt"
	"slices"

	"peft/peft"
)

// combined is a site's combined update.
type combined struct {
	site peft.Site
	lowRank
}

// assemble makes the patch of combined updates, with s = 1 and one rank. It has the first patch's options, and what all patches have beside their updates.
func assemble(terms []peft.Term, all []combined) (*peft.Patch, error) {
	c := terms[0].Patch.Method().(Config)
	c.Rank = 0
	for _, x := range all {
		c.Rank = max(c.Rank, x.rank())
	}
	c.Alpha, c.RSLoRA, c.Init, c.RankPattern, c.AlphaPattern = float64(c.Rank), false, "", peft.PatternMap{}, peft.PatternMap{}
	c.On = chosen(terms, all)
	q, err := peft.AttachTo(terms[0].Patch.Sites(), c, 0)
	if err != nil {
		return nil, err
	}
	for x := range q.Params() {
		if y := terms[0].Patch.Param(x.Name); y != nil && !isFactor(x) {
			x.Tensor().Assign(y.Tensor().Float64s())
		}
	}
	for _, x := range all {
		if err := x.assign(q, c.Rank); err != nil {
			return nil, fmt.Errorf("%s: %w", x.site.Name(), err)
		}
	}
	return q, nil
}

// chosen are the sites of the combined patch: those that any patch names, where all of them list names and nothing else, as files usually do; or else the sites that there are.
func chosen(terms []peft.Term, all []combined) peft.Selection {
	var names []string
	for _, t := range terms {
		on, ok := t.Patch.Method().(Config).On.(peft.Targets)
		if !ok || on.String() != peft.Suffixes(on.Modules.List...).String() {
			return sitesOf(all)
		}
		names = append(names, on.Modules.List...)
	}
	slices.Sort(names)
	return peft.Suffixes(slices.Compact(names)...)
}

func sitesOf(all []combined) peft.Selection {
	var sites []peft.Site
	for _, x := range all {
		sites = append(sites, x.site)
	}
	return peft.TargetSites(sites)
}

// assign gives a site's parameters the combined values.
func (x combined) assign(q *peft.Patch, rank int) error {
	deltas := q.Deltas(x.site, peft.Out)
	if len(deltas) != 1 {
		return fmt.Errorf("%d updates, expected one", len(deltas))
	}
	a, b, _ := paramsOf(deltas[0])
	f := x.padded(rank)
	a.Tensor().Assign(dense(f.a))
	b.Tensor().Assign(dense(f.b))
	return nil
}
