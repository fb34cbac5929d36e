package tokenizer

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A cut is a part of a text that a pattern matched, or that lies between two matches.
type cut struct {
	lo, hi int
	match  bool
}

// A pattern divides texts.
type pattern interface {
	// cuts appends the parts of s in their order, without gaps.
	cuts(dst []cut, s string) ([]cut, error)
}

// runes is the pattern that matches each single character that the function accepts.
type runes func(rune) bool

func (f runes) cuts(dst []cut, s string) ([]cut, error) {
	done := 0
	for i := 0; i < len(s); {
		c, size := utf8.DecodeRuneInString(s[i:])
		if f(c) {
			dst = append(appendGap(dst, done, i), cut{i, i + size, true})
			done = i + size
		}
		i += size
	}
	return appendGap(dst, done, len(s)), nil
}

// literal is the pattern that matches one string; the empty one matches nothing.
type literal string

func (l literal) cuts(dst []cut, s string) ([]cut, error) {
	done := 0
	for l != "" {
		i := strings.Index(s[done:], string(l))
		if i < 0 {
			break
		}
		dst = append(appendGap(dst, done, done+i), cut{done + i, done + i + len(l), true})
		done += i + len(l)
	}
	return appendGap(dst, done, len(s)), nil
}

// inverted is the pattern that matches what lies between the matches of another.
type inverted struct{ pattern }

func (v inverted) cuts(dst []cut, s string) ([]cut, error) {
	n := len(dst)
	dst, err := v.pattern.cuts(dst, s)
	for i := range dst[n:] {
		dst[n+i].match = !dst[n+i].match
	}
	return dst, err
}

// A behavior says what becomes of the matches when a text is split.
type behavior string

// The behaviors of the file format.
const (
	removed            behavior = "Removed"            // they are left out
	isolated           behavior = "Isolated"           // each is a piece of its own
	contiguous         behavior = "Contiguous"         // each run of matches is a piece
	mergedWithPrevious behavior = "MergedWithPrevious" // each ends the piece before it
	mergedWithNext     behavior = "MergedWithNext"     // each begins the piece after it
)

var behaviors = []behavior{removed, isolated, contiguous, mergedWithPrevious, mergedWithNext}

// joins says whether the cut belongs to the piece of the one before it.
func (b behavior) joins(before, c cut) bool {
	switch b {
	case contiguous:
		return c.match == before.match
	case mergedWithPrevious:
		return c.match && !before.match
	case mergedWithNext:
		return !c.match && before.match
	default:
		return false
	}
}

// Pieces are what a text is split into, on the way to the model.
type pieces struct {
	all  []text
	cuts []cut // scratch
}

func (p *pieces) add(t text) {
	if t.s != "" {
		p.all = append(p.all, t)
	}
}

// split adds the pieces of t.
func (p *pieces) split(t text, by pattern, b behavior) error {
	cuts, err := by.cuts(p.cuts[:0], t.s)
	p.cuts = cuts[:0]
	if err != nil {
		return err
	}
	if b == removed {
		cuts = slices.DeleteFunc(cuts, func(c cut) bool { return c.match })
	}
	for len(cuts) > 0 {
		n := 1
		for n < len(cuts) && b.joins(cuts[n-1], cuts[n]) {
			n++
		}
		p.add(t.slice(cuts[0].lo, cuts[n-1].hi))
		cuts = cuts[n:]
	}
	return nil
}
