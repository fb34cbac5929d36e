package peft

import (
	"slices"
	"strings"

	"peft/tensor"
)

// A place is a parameter where one site uses it.
type place struct {
	site *site
	f    *Frozen
}

// own is the parameter f of a site: the site's own copy where a patch of the pass trains its module apart from all that the base ties to it.
func (p *Pass) own(s Site, f *Frozen) *Frozen {
	for _, q := range slices.Backward(p.patches) {
		if c := q.untied[place{s.base(), f}]; c != nil {
			return c
		}
	}
	return f
}

// matrix is [Pass.Matrix] of a parameter of a site.
func (p *Pass) matrix(s Site, f *Frozen) tensor.Map { return p.Matrix(p.own(s, f)) }

// vector is [Pass.Vector] of a parameter of a site.
func (p *Pass) vector(s Site, f *Frozen) *tensor.Tensor { return p.Vector(p.own(s, f)) }

// untie is a parameter of a site as a copy of the module has it: another one where the base has it outside the module too, or under the name of something there. What is tied within the
// module stays so.
func (q *Patch) untie(x Site, i int, module string) *Frozen {
	f := x.Frozen()[i]
	if within(f.Name, module) && !q.sites.beyond(f, module) {
		return f
	}
	c := q.copyIn(f, module)
	if c == nil {
		own := *f
		c, own.Name = &own, natural(x, i)
	}
	q.untied[place{x.base(), f}] = c
	return c
}

// Own is the first parameter of a site, as one of its own where the base has it in other places too, which what stands in for it does not reach.
func (q *Patch) Own(x Site) *Frozen { return q.untie(x, 0, x.Name()) }

// copyIn is the copy of a parameter that a module has by now, nil if there is none.
func (q *Patch) copyIn(f *Frozen, module string) *Frozen {
	for at, c := range q.untied {
		if at.f == f && within(at.site.Name(), module) {
			return c
		}
	}
	return nil
}

// beyond reports whether a site outside of a module has the parameter.
func (s *Sites) beyond(f *Frozen, module string) bool {
	return slices.ContainsFunc(s.list, func(x Site) bool { return !within(x.Name(), module) && slices.Contains(x.Frozen(), f) })
}

// natural is the name of the i-th parameter of a site below the site itself.
func natural(x Site, i int) string { return x.Name() + []string{".weight", ".bias"}[i] }

// within reports whether a name is that of a module or of something below it.
func within(name, module string) bool { return name == module || strings.HasPrefix(name, module+".") }

// takeUntied takes over the copies of another patch, but for what both have one of.
func (q *Patch) takeUntied(o *Patch) {
	for at, c := range o.untied {
		if q.untied[at] == nil {
			q.untied[at] = c
		}
	}
}
