package chat

import (
	"fmt"
	"strings"
)

// A run is one rendering: what was written, and how much was done.
type run struct {
	out   strings.Builder
	steps int
	depth int // of macros
}

// The bounds on one rendering.
const (
	maxSteps  = 1 << 22
	maxOutput = 1 << 26
	maxDepth  = 100
)

// A frame holds the variables of a part of the program; those of the parts around it can be read and not set.
type frame struct {
	vars  map[string]any
	outer *frame
	*run
}

// inside returns a frame for a part within this one.
func (f *frame) inside() *frame { return &frame{map[string]any{}, f, f.run} }

// get returns a variable, undefined if there is none.
func (f *frame) get(name string) any {
	for g := f; g != nil; g = g.outer {
		if v, ok := g.vars[name]; ok {
			return v
		}
	}
	return undefined{name}
}

// step counts a step.
func (r *run) step() {
	if r.steps++; r.steps > maxSteps {
		fail("the template takes more than %d steps", maxSteps)
	}
}

// write appends to the text.
func (r *run) write(s string) {
	if r.out.Len()+len(s) > maxOutput {
		fail("the template writes more than %d bytes", maxOutput)
	}
	r.out.WriteString(s)
}

// failure is what ends a rendering or the reading of a template; fail and rescue keep it within the package.
type failure struct{ error }

func fail(format string, args ...any) { panic(failure{fmt.Errorf(format, args...)}) }

// rescue turns a failure into an error.
func rescue(err *error) {
	switch r := recover().(type) {
	case nil:
	case failure:
		*err = fmt.Errorf("chat: %w", r.error)
	default:
		panic(r)
	}
}
