package peft

import (
	"fmt"
	"strings"
)

// TargetSites chooses the given sites again, by their whole names: how a configuration says what a selection means that it cannot hold.
func TargetSites(sites []Site) Targets {
	names := []string{}
	for _, x := range sites {
		names = append(names, x.Name())
	}
	return Suffixes(names...)
}

// TargetsOf says what a selection means for one model, for a configuration that Hugging Face PEFT reads. Names and patterns stay as they are; anything else, and [AllLinear], of which
// Hugging Face PEFT has another idea in some models, becomes the names of the chosen sites. Of an [Except] it is what that chooses from, as modules_to_save says the rest.
func TargetsOf(chosen Selection, s *Sites) (Targets, error) {
	inner := chosen
	if e, ok := chosen.(except); ok {
		inner = e.chosen
	}
	if t, ok := inner.(Targets); ok && !strings.EqualFold(t.Modules.Pattern, allLinear) {
		return t, nil
	}
	sites, err := chosen.Select(s)
	return TargetSites(sites), err
}

// Except chooses what a selection chooses, but for what is in one of the modules, which are trained whole: what [Patch.TrainModules] finds by these names, and what Hugging Face PEFT
// leaves out for modules_to_save. Without modules it is the selection itself.
func Except(chosen Selection, modules []string) Selection {
	if len(modules) == 0 {
		return chosen
	}
	return except{chosen, modules}
}

type except struct {
	chosen  Selection
	modules []string
}

func (e except) String() string { return fmt.Sprintf("Except(%v, %q)", e.chosen, e.modules) }

// Select lists what is left; that nothing is, is an error.
func (e except) Select(s *Sites) ([]Site, error) {
	sites, err := e.chosen.Select(s)
	if err != nil {
		return nil, err
	}
	whole, err := e.patterns()
	if err != nil {
		return nil, fmt.Errorf("peft: %w", err)
	}
	var left []Site
	for _, x := range sites {
		in, err := whole.hold(x.Name())
		switch {
		case err != nil:
			return nil, fmt.Errorf("peft: modules_to_save: %w", err)
		case !in && !below(x.Name(), e.modules):
			left = append(left, x)
		}
	}
	if left == nil && len(sites) > 0 {
		return nil, fmt.Errorf("peft: %v matches only sites in modules that are trained whole: %q", e.chosen, e.modules)
	}
	return left, nil
}

// anyOf are patterns of which one has to match.
type anyOf []*pattern

// patterns make each name an expression, as Hugging Face PEFT does: dots in it match anything.
func (e except) patterns() (all anyOf, err error) {
	for _, m := range e.modules {
		p, err := compile(`(^|.*\.)` + m + `($|\..*)`)
		if err != nil {
			return nil, fmt.Errorf("modules_to_save: %w", err)
		}
		all = append(all, p)
	}
	return all, nil
}

func (a anyOf) hold(name string) (bool, error) {
	for _, p := range a {
		if _, matched, err := p.find(name); matched || err != nil {
			return matched, err
		}
	}
	return false, nil
}
