package peft

import (
	"slices"
	"strings"
)

// Wrapper is what files of Hugging Face PEFT put before the names of a model's modules.
const Wrapper = "base_model.model."

// BaseKey is the key of a trained copy of one of the base's parameters in files of Hugging Face PEFT: its name, below base_layer where the patch wraps the module it belongs to.
func (q *Patch) BaseKey(x *Param) string { return q.baseKey(x.Name) }

func (q *Patch) baseKey(name string) string {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return Wrapper + name
	}
	if s := q.sites.Find(name[:dot]); s != nil && q.wraps(s) {
		return Wrapper + name[:dot] + ".base_layer" + name[dot:]
	}
	return Wrapper + name
}

// wraps reports whether the patch adds to a site, or would but for its rank of 0.
func (q *Patch) wraps(s Site) bool {
	return len(q.deltas[s.base()]) > 0 || slices.ContainsFunc(q.params, func(x *Param) bool { return x.Len() == 0 && strings.HasPrefix(x.Name, s.Name()+"/") })
}

// TiedKeys are the keys that [Patch.BaseKey] would give a trained copy of one of the base's parameters by the names of the other places that have it.
func (q *Patch) TiedKeys(x *Param) (keys []string) {
	if strings.Contains(x.Name, "/") {
		return nil
	}
	for s := range q.sites.All() {
		for i, f := range s.Frozen() {
			if c := q.untied[place{s.base(), f}]; c != nil {
				f = c
			}
			if natural(s, i) != x.Name && slices.Contains(q.standIns[f], StandIn(Whole{x})) {
				keys = append(keys, q.baseKey(natural(s, i)))
			}
		}
	}
	return keys
}

// HeadModules are the modules that hold the model's head, by the first part of their names, as modules_to_save lists them.
func (s *Sites) HeadModules() (names []string) {
	seen := map[string]bool{}
	for l := range s.Linears() {
		module, _, _ := strings.Cut(l.Name(), ".")
		if l.Role == Head && !seen[module] {
			seen[module] = true
			names = append(names, module)
		}
	}
	return names
}

// Modules are those that are trained whole: the ones named, and those of the head if it is asked for.
func (s *Sites) Modules(save []string, head bool) []string {
	save = slices.Clone(save)
	if !head {
		return save
	}
	for _, m := range s.HeadModules() {
		if !slices.Contains(save, m) {
			save = append(save, m)
		}
	}
	return save
}

// Module is the path of the innermost of the named modules that holds a parameter; empty if none does.
func Module(parameter string, names []string) string {
	for _, n := range names {
		if at := strings.Index("."+parameter, "."+n+"."); at >= 0 {
			return parameter[:at+len(n)]
		}
	}
	return ""
}
