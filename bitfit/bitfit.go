package bitfit

import (
	"fmt"
	"slices"
	"strings"

	"peft/peft"
)

// A Config is BitFit: biases are trained, all or those of some kinds of sites.
type Config struct {
	Terms []peft.Role // the kinds of linear maps whose biases are trained; nil: every bias of the model but the head's
	Norms *bool       // the biases of norms as well; nil: where Terms is nil
	Add   bool        // put zero biases where a site has none, but for the output of a language model and the head
	Head  bool        // train the model's head, whole
}

// Attach lets trained copies stand in for the chosen biases.
func (c Config) Attach(s *peft.Sites, _ peft.Rand) (*peft.Patch, error) {
	a := attaching{c, peft.NewPatch(s), map[*peft.Frozen]bool{}, map[peft.Role]bool{}}
	for x := range s.All() {
		switch x := x.(type) {
		case *peft.Linear:
			a.linear(x)
		case *peft.Norm:
			a.norm(x)
		}
	}
	if c.Terms == nil {
		a.others()
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	if c.Head {
		a.patch.TrainHead()
	}
	return a.patch, nil
}

// norms reports whether biases of norms are trained.
func (c Config) norms() bool {
	if c.Norms == nil {
		return c.Terms == nil
	}
	return *c.Norms
}

// An attaching is a patch in the making.
type attaching struct {
	Config
	patch *peft.Patch
	seen  map[*peft.Frozen]bool // biases of sites
	found map[peft.Role]bool    // kinds of which a bias is trained
}

func (a attaching) linear(l *peft.Linear) {
	a.seen[l.B] = true
	switch {
	case l.Role == peft.Head, l.B.Absent && (!a.Add || l.IsHead):
	case a.Terms == nil || slices.Contains(a.Terms, l.Role):
		a.found[l.Role] = true
		a.patch.Train(l.B)
	default:
		a.parts(l)
	}
}

// parts trains the bias of some of the maps that are fused in one.
func (a attaching) parts(l *peft.Linear) {
	var places []int32
	for _, p := range l.Parts {
		if !slices.Contains(a.Terms, p.Role) {
			continue
		}
		a.found[p.Role] = true
		for at := p.Lo; at < p.Hi; at++ {
			places = append(places, int32(at))
		}
	}
	slices.Sort(places)
	switch len(places) {
	case 0:
	case l.Out:
		a.patch.Train(l.B)
	default:
		a.patch.TrainEntries(l.B, places)
	}
}

func (a attaching) norm(n *peft.Norm) {
	a.seen[n.B] = true
	if a.norms() && (!n.B.Absent || a.Add) {
		a.patch.Train(n.B)
	}
}

// others trains the biases that are of no linear map or norm.
func (a attaching) others() {
	for f := range a.patch.Sites().Params() {
		if !a.seen[f] && strings.HasSuffix(f.Name, "bias") {
			a.patch.Train(f)
		}
	}
}

// check wants a bias for each kind that is asked for.
func (a attaching) check() error {
	for _, r := range a.Terms {
		if !a.found[r] {
			return fmt.Errorf("bitfit: no linear map of kind %q has a bias%s; there are biases of: %s", r, a.hint(), a.kinds())
		}
	}
	for range a.patch.Params() {
		return nil
	}
	return fmt.Errorf("bitfit: the model has no biases to train%s", a.hint())
}

func (a attaching) hint() string {
	if a.Add {
		return ""
	}
	return " (Add puts zero biases where there are none)"
}

// kinds are those of the linear maps that have biases.
func (a attaching) kinds() string {
	var all []string
	add := func(r peft.Role) {
		if r != "" && r != peft.Head && !slices.Contains(all, string(r)) {
			all = append(all, string(r))
		}
	}
	for l := range a.patch.Sites().Linears() {
		if l.B.Absent && !a.Add {
			continue
		}
		add(l.Role)
		for _, p := range l.Parts {
			add(p.Role)
		}
	}
	return strings.Join(all, ", ")
}
