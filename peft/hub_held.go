package peft

import (
	"slices"
	"strings"
)

// outside yields the model's own parameters that stand outside its base, but for the output embedding, which AdapterHub's library freezes: those of a head, whether it classifies or predicts
// words.
func (s *Sites) outside(yield func(*Frozen)) {
	for x := range s.All() {
		if s.inBase(x.Name()) || outputs(x) {
			continue
		}
		for _, f := range x.Frozen() {
			yield(f)
		}
	}
}

// inBase reports whether a site or a parameter belongs to the model's base, as all do in a model without a head.
func (s *Sites) inBase(name string) bool {
	return s.HubPrefix() == "" || strings.HasPrefix(name, s.HubPrefix())
}

// outputs reports whether a site is an output embedding.
func outputs(x Site) bool {
	l, ok := x.(*Linear)
	return ok && l.IsHead && l.Role != Head
}

// trainHeld trains what files hold of the parameters beyond the base.
func (q *Patch) trainHeld(w files) {
	q.sites.outside(func(f *Frozen) {
		if _, held := w.find(f.Name); held && !f.Absent {
			q.Train(f)
		}
	})
}

// disregard takes the names of an output embedding from those that nothing uses: the library writes it down with its head, though it is the base's own.
func (s *Sites) disregard(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		for x := range s.Linears() {
			if !outputs(x) || s.inBase(x.Name()) {
				continue
			}
			if strings.HasPrefix(name, x.Name()+".") || name == x.W.Name || name == x.B.Name {
				return true
			}
		}
		return false
	})
}

// hubFile is the file of AdapterHub's library in which a parameter stands, where those of the method stand in the given one.
func (s *Sites) hubFile(own string) func(*Param) string {
	head := s.head()
	s.outside(func(f *Frozen) { head[f.Name] = f })
	return func(x *Param) string {
		if head[x.Name] != nil {
			return HubHeadFile
		}
		return own
	}
}
