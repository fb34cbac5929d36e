package peft

import (
	"fmt"
	"slices"

	"peft/tensor"
)

// Merge folds patches into one patch of plain stand-ins: a pass with it computes what a pass with all of them does in evaluation mode. What cannot fold is refused by name, and so is a
// result that is not finite. The patches stay as they are; undoing the merge is leaving its patch out.
func Merge(d *tensor.Device, model any, patches ...*Patch) (*Patch, error) {
	s, err := FindSites(d, model)
	if err != nil {
		return nil, err
	}
	m := &merger{Pass: With(d, patches...).NoGrad(), out: NewPatch(s)}
	defer m.Close()
	if m.routed() {
		return nil, fmt.Errorf("peft: merge: a composition that lets sequences go through different patches cannot be folded into weights")
	}
	for x := range s.All() {
		if err := m.site(x); err != nil {
			return nil, fmt.Errorf("peft: merge: %s: %w", x.Name(), err)
		}
	}
	return m.out, nil
}

type merger struct {
	*Pass
	out *Patch
}

// site folds all that is added at one site, and keeps what stands in for its parameters.
func (m *merger) site(x Site) error {
	if n := len(m.rows(x)); n > 0 {
		return fmt.Errorf("rows that are put in front cannot be folded into weights")
	}
	if f := m.copied(x); f != "" {
		return fmt.Errorf("%s is trained as a copy of the module's own, while the base ties it to others, which a merged model cannot", f)
	}
	deltas, err := m.foldable(x)
	if err != nil {
		return err
	}
	if y := m.tied(x); len(deltas) > 0 && y != nil {
		return fmt.Errorf("it shares its parameter with %s, to which the update does not apply", y.Name())
	}
	return m.fold(x, deltas)
}

// copied is the name of a parameter of which x has a copy of its own; empty if there is none.
func (m *merger) copied(x Site) string {
	for _, f := range x.Frozen() {
		if m.own(x, f) != f {
			return m.own(x, f).Name
		}
	}
	return ""
}

// tied is another site with a parameter of x, nil if there is none.
func (m *merger) tied(x Site) Site {
	own := x.Frozen()
	for y := range m.out.sites.All() {
		if y != x && slices.ContainsFunc(y.Frozen(), func(f *Frozen) bool { return slices.Contains(own, f) }) {
			return y
		}
	}
	return nil
}

// foldable are the deltas of a site in the order in which they fold: those at the output, which read what those at the input have made of it, come first, and of these the last.
func (m *merger) foldable(x Site) (all []Folder, err error) {
	in := slices.Clone(m.deltas(x, In))
	slices.Reverse(in)
	for _, d := range slices.Concat(m.deltas(x, Out), in, m.deltas(x, After)) {
		f, ok := d.(Folder)
		if !ok {
			return nil, fmt.Errorf("%s cannot be folded into weights", kindOf(d))
		}
		all = append(all, f)
	}
	return all, nil
}

// kindOf is what a delta that cannot fold is, with the reason, if it says so by a method Kind() string.
func kindOf(d Delta) string {
	if k, ok := d.(interface{ Kind() string }); ok {
		return k.Kind()
	}
	return fmt.Sprintf("%T", d)
}

// fold makes the new parameters of a site and lets them stand in. The first is the matrix, the second the bias, if any.
func (m *merger) fold(x Site, deltas []Folder) error {
	s := tensor.NewScope(m.dev).NoGrad()
	defer s.Close()
	defer m.enter(s)()
	params := x.Frozen()
	values, changed := make([]*tensor.Tensor, len(params)), make([]bool, len(params))
	for i, f := range params {
		changed[i] = m.substituted(f)
		if changed[i] || len(deltas) > 0 && !f.Absent {
			values[i] = m.Matrix(f).Dense(s)
		}
	}
	for _, d := range deltas {
		var w, b *tensor.Tensor
		if w = values[0]; len(values) > 1 {
			b = values[1]
		}
		w, b = d.Fold(m.Pass, w, b)
		values[0], changed[0] = w, true
		if len(values) > 1 {
			values[1], changed[1] = b, changed[1] || b != nil
		}
	}
	return m.keep(params, values, changed)
}

func (m *merger) keep(params []*Frozen, values []*tensor.Tensor, changed []bool) error {
	for i, f := range params {
		if !changed[i] || m.out.byName[f.Name] != nil {
			continue
		}
		if !values[i].Finite() {
			return fmt.Errorf("the folded %s is not finite; the model is as it was", f.Name)
		}
		c := m.out.NewFixed(f.Name, values[i].Float64s(), f.Shape...)
		m.out.Substitute(f, Whole{c})
	}
	return nil
}
