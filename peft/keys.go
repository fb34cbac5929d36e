package peft

import (
	"slices"
	"strings"
)

// Wrapper is what files of Hugging Face PEFT put before the names of a model's modules.
const Wrapper = "base_model.model."

// BaseKey is the key of a trained copy of one of the base's parameters in files of Hugging Face PEFT: its name, below base_layer where the patch wraps the module it belongs to.
func (q *Patch) BaseKey(x *Param) string {
	dot := strings.LastIndexByte(x.Name, '.')
	if dot < 0 {
		return Wrapper + x.Name
	}
	if s := q.sites.Find(x.Name[:dot]); s != nil && len(q.deltas[s.base()]) > 0 {
		return Wrapper + x.Name[:dot] + ".base_layer" + x.Name[dot:]
	}
	return Wrapper + x.Name
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
