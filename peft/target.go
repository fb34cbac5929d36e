package peft

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Targets chooses linear maps, embeddings and norms by name, by the rules of Hugging Face PEFT. Its fields are fields of adapter_config.json, so that a struct read from one can embed
// it. [Suffixes], [FullMatch] and [AllLinear] make the simple ones. A fused map (GPT-2's c_attn) is one site, chosen whole by its own name.
//
// A name that Exclude does not match is chosen if
//   - the pattern of Modules matches all of it, or
//   - it is itself one of the names in Modules, or
//   - it ends with a dot and one of them, and Layers is empty or holds the layer of the name.
//
// The layer is the first number in the name that has at least two parts before it: 3 in "model.layers.3.mlp.up_proj", none in "layers.3.mlp.up_proj". With LayersPattern it is the
// number after a part that one of those expressions matches, again not the first part of the name.
type Targets struct {
	Modules       Names         `json:"target_modules"`
	Exclude       Names         `json:"exclude_modules"`
	Layers        OneOr[int]    `json:"layers_to_transform"` // not with a pattern in Modules
	LayersPattern OneOr[string] `json:"layers_pattern"`      // expressions in Python's syntax; only with Layers
}

// Suffixes chooses sites whose name is one of the given ones, or ends with a dot and one of them: Suffixes("query", "value"). Some of them may be missing in a model, not all.
func Suffixes(names ...string) Targets { return Targets{Modules: Names{List: names}} }

// FullMatch chooses sites whose whole name matches a regular expression in Python's syntax: FullMatch(`.*\.[0-5]\..*(query|value)`).
func FullMatch(pattern string) Targets { return Targets{Modules: Names{Pattern: pattern}} }

// AllLinear chooses every linear map but the head (see IsHead of [Linear]) and what is a convolution in the checkpoint.
func AllLinear() Targets { return FullMatch(allLinear) }

// allLinear is the word that in place of a pattern means AllLinear, in upper or lower case.
const allLinear = "all-linear"

// Given reports whether anything is named to choose from. Where nothing is, a method chooses what is [Usual] for it.
func (t Targets) Given() bool { return t.Modules.Given() }

// String lists the fields that are set, as JSON.
func (t Targets) String() string {
	var set []string
	for _, name := range fieldNames {
		if v := encode(t.Fields()[name]); v != "null" {
			set = append(set, strconv.Quote(name)+": "+v)
		}
	}
	return "Targets{" + strings.Join(set, ", ") + "}"
}

var fieldNames = []string{"target_modules", "exclude_modules", "layers_to_transform", "layers_pattern"}

// Fields are the fields of adapter_config.json.
func (t Targets) Fields() map[string]any {
	return map[string]any{"target_modules": t.Modules, "exclude_modules": t.Exclude, "layers_to_transform": t.Layers, "layers_pattern": t.LayersPattern}
}

// Select lists the chosen sites. That there are none is an error, which lists the sites there are; so is a pattern that is not Python's, or that takes too long.
func (t Targets) Select(s *Sites) (chosen []Site, err error) {
	r, err := t.compile()
	if err != nil {
		return nil, fmt.Errorf("peft: %s: %w", t, err)
	}
	for x := range s.All() {
		ok, err := r.chooses(x)
		if err != nil {
			return nil, fmt.Errorf("peft: %s: %w", t, err)
		}
		if ok {
			chosen = append(chosen, x)
		}
	}
	if chosen == nil {
		return nil, r.none(t, s)
	}
	return chosen, nil
}

// rules are Targets with their expressions compiled.
type rules struct {
	modules, exclude func(name string) (listed, matched bool, err error)
	layers           []int
	layer            []*pattern
	all              bool // every linear map but the head
	excluded         int  // how many sites were chosen but for exclude
}

func (t Targets) compile() (r *rules, err error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	r = &rules{layers: t.Layers, all: strings.EqualFold(t.Modules.Pattern, allLinear)}
	if r.modules, err = t.Modules.matcher(); err != nil {
		return nil, fmt.Errorf("target_modules: %w", err)
	}
	if r.exclude, err = t.Exclude.matcher(); err != nil {
		return nil, fmt.Errorf("exclude_modules: %w", err)
	}
	r.layer, err = layerPatterns(t.LayersPattern)
	return r, err
}

// check refuses what Hugging Face PEFT refuses.
func (t Targets) check() error {
	switch {
	case !t.Given():
		return fmt.Errorf("target_modules names nothing: expected names, a pattern or %q", allLinear)
	case t.Modules.Pattern != "" && len(t.Layers) > 0:
		return fmt.Errorf("layers_to_transform goes with a list of target_modules, not with a pattern: say the layers in the pattern")
	case t.Modules.Pattern != "" && len(t.LayersPattern) > 0:
		return fmt.Errorf("layers_pattern goes with a list of target_modules, not with a pattern: say the layers in the pattern")
	case len(t.LayersPattern) > 0 && len(t.Layers) == 0:
		return fmt.Errorf("layers_pattern says where the layers' numbers are, but layers_to_transform names no layer")
	}
	return nil
}

func (r *rules) chooses(x Site) (bool, error) {
	ok, err := r.targets(x)
	if !ok || err != nil {
		return false, err
	}
	_, out, err := r.exclude(x.Name())
	if out {
		r.excluded++
	}
	return !out, err
}

// targets reports whether a site is chosen, were nothing excluded.
func (r *rules) targets(x Site) (bool, error) {
	if len(x.Frozen()) == 0 {
		return false, nil // a place in the model, not a module
	}
	if r.all {
		l, linear := x.(*Linear)
		return linear && !l.IsHead && len(l.W.Shape) == 2, nil // the weight of a convolution has more axes
	}
	listed, matched, err := r.modules(x.Name())
	if listed || !matched || err != nil || len(r.layers) == 0 {
		return matched, err
	}
	n, found, err := layerOf(x.Name(), r.layer)
	return found && slices.Contains(r.layers, n), err
}

func (r *rules) none(t Targets, s *Sites) error {
	if r.excluded > 0 {
		return fmt.Errorf("peft: %s excludes all of the %d sites it matches", t, r.excluded)
	}
	return fmt.Errorf("peft: %s matches no site; there are: %s", t, s.outline())
}

// layerPatterns compiles layers_pattern; without any, the expression that takes any part of a name for the list of layers.
func layerPatterns(parts []string) (all []*pattern, err error) {
	if len(parts) == 0 {
		parts = []string{`[^.]*`}
	}
	for _, part := range parts {
		p, err := compile(`.*?\.` + part + `\.(\d+)\.`)
		if err != nil {
			return nil, fmt.Errorf("layers_pattern: %w", err)
		}
		all = append(all, p)
	}
	return all, nil
}

// layerOf is the number that the first matching expression finds in a name.
func layerOf(name string, patterns []*pattern) (n int, found bool, err error) {
	for _, p := range patterns {
		group, matched, err := p.find(name)
		if err != nil {
			return 0, false, err
		}
		if matched {
			n, err := strconv.Atoi(group)
			return n, err == nil, nil
		}
	}
	return 0, false, nil
}
