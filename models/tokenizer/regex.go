package tokenizer

import (
	"fmt"
	"unicode/utf8"
)

// A regex is a compiled regular expression of the kind that tokenizer files use: Oniguruma's, with look-ahead, Unicode classes, and alternatives tried
// from left to right. It tries and goes back; the work on one text is bounded, so a hostile pattern ends in an error.
type regex struct {
	source string
	start  node
	loops  int
}

// A matching is one search in one text.
type matching struct {
	s     string
	steps int   // left of those allowed
	depth int   // of calls within calls
	begun []int // where the current round of each loop began, -1 before the first
}

// The bounds on one matching. A pattern of a real tokenizer takes a few steps for each byte, and loops over groups only in short words.
const (
	freeSteps    = 1 << 20
	stepsPerByte = 1000
	maxDepth     = 1 << 20
)

// next returns the character at i and its size, 0 at the end.
func (m *matching) next(i int) (c rune, size int) {
	m.steps--
	if i < len(m.s) && m.s[i] < utf8.RuneSelf {
		return rune(m.s[i]), 1
	}
	return utf8.DecodeRuneInString(m.s[i:])
}

// spent says whether the matching did more than it is allowed to.
func (m *matching) spent() bool { return m.steps < 0 || m.depth > maxDepth }

// cuts divides s into matches and what lies between them. An empty match counts unless it touches the match before it.
func (r *regex) cuts(dst []cut, s string) ([]cut, error) {
	m := &matching{s: s, steps: freeSteps + stepsPerByte*len(s), begun: make([]int, r.loops)}
	done := 0 // the end of the last match
	for i := 0; i <= len(s); {
		end := r.start.match(m, i)
		if m.spent() {
			return nil, fmt.Errorf("pattern %q takes too long on a text of %d bytes", r.source, len(s))
		}
		if end > i || end == i && (i > done || len(dst) == 0) {
			dst = append(appendGap(dst, done, i), cut{i, end, true})
			done = end
		}
		if _, size := m.next(i); end <= i {
			end = i + max(size, 1)
		}
		i = end
	}
	return appendGap(dst, done, len(s)), nil
}

func appendGap(dst []cut, lo, hi int) []cut {
	if lo < hi {
		dst = append(dst, cut{lo, hi, false})
	}
	return dst
}

// A node is a part of a regex together with all that follows it.
type node interface {
	// match returns where the match that begins at i ends, negative if there is none.
	match(m *matching, i int) int
}

// one matches one character of a set.
type one struct {
	set  *set
	then node
}

func (n *one) match(m *matching, i int) int {
	c, size := m.next(i)
	if size == 0 || !n.set.has(c) {
		return -1
	}
	return n.then.match(m, i+size)
}

// A repetition says how many of the possible numbers are tried, and in which order.
type repetition uint8

const (
	greedy     repetition = iota // the most first
	lazy                         // the fewest first
	possessive                   // only the most
)

// many matches min to max characters of a set.
type many struct {
	set      *set
	min, max int
	mode     repetition
	then     node
}

func (n *many) match(m *matching, i int) int {
	if n.mode == lazy {
		return n.grow(m, i)
	}
	count := 0
	for count < n.max {
		c, size := m.next(i)
		if size == 0 || !n.set.has(c) {
			break
		}
		i += size
		count++
	}
	return n.shrink(m, i, count)
}

// shrink tries what follows after count characters, which end at i, then after one fewer, and so on.
func (n *many) shrink(m *matching, i, count int) int {
	for ; count >= n.min && !m.spent(); count-- {
		if end := n.then.match(m, i); end >= 0 || n.mode == possessive {
			return end
		}
		_, size := utf8.DecodeLastRuneInString(m.s[:i])
		i -= size
		m.steps--
	}
	return -1
}

// grow tries what follows after min characters, then after one more, and so on.
func (n *many) grow(m *matching, i int) int {
	for count := 0; !m.spent(); count++ {
		if count >= n.min {
			if end := n.then.match(m, i); end >= 0 {
				return end
			}
		}
		c, size := m.next(i)
		if count == n.max || size == 0 || !n.set.has(c) {
			return -1
		}
		i += size
	}
	return -1
}

// fork matches the first of its branches that does.
type fork []node

func (n fork) match(m *matching, i int) int {
	for _, branch := range n {
		m.steps--
		if end := branch.match(m, i); end >= 0 || m.spent() {
			return end
		}
	}
	return -1
}

// loop is where a repeated group begins and comes back to. A round that matched nothing is not repeated.
type loop struct {
	slot       int // in matching.begun
	size       int // of the body, in nodes
	lazy       bool
	body, then node
}

func (n *loop) match(m *matching, i int) int {
	before := m.begun[n.slot]
	if i == before {
		return n.then.match(m, i)
	}
	m.depth += n.size
	first, second := n.round, n.leave
	if n.lazy {
		first, second = second, first
	}
	end := first(m, i)
	if end < 0 && !m.spent() {
		end = second(m, i)
	}
	m.depth -= n.size
	m.begun[n.slot] = before
	return end
}

func (n *loop) round(m *matching, i int) int {
	m.steps--
	m.begun[n.slot] = i
	return n.body.match(m, i)
}

func (n *loop) leave(m *matching, i int) int { return n.then.match(m, i) }

// enter comes to a loop anew.
type enter struct{ loop *loop }

func (n enter) match(m *matching, i int) int {
	before := m.begun[n.loop.slot]
	m.begun[n.loop.slot] = -1
	end := n.loop.match(m, i)
	m.begun[n.loop.slot] = before
	return end
}

// look matches nothing where what is ahead matches, or, negated, where it does not.
type look struct {
	ahead, then node
	negated     bool
}

func (n *look) match(m *matching, i int) int {
	if (n.ahead.match(m, i) < 0) != n.negated {
		return -1
	}
	return n.then.match(m, i)
}

// atomicGroup matches its body in the first way that is found and in no other.
type atomicGroup struct{ body, then node }

func (n *atomicGroup) match(m *matching, i int) int {
	end := n.body.match(m, i)
	if end < 0 {
		return -1
	}
	return n.then.match(m, end)
}

// edge matches nothing at certain places.
type edge struct {
	kind byte // as it is written: one of ^ $ A z Z b B
	then node
}

func (n *edge) match(m *matching, i int) int {
	if !edgeAt(n.kind, m.s, i) {
		return -1
	}
	return n.then.match(m, i)
}

func edgeAt(kind byte, s string, i int) bool {
	switch kind {
	case '^':
		return i == 0 || s[i-1] == '\n'
	case '$':
		return i == len(s) || s[i] == '\n'
	case 'A':
		return i == 0
	case 'z':
		return i == len(s)
	case 'Z':
		return i == len(s) || s[i:] == "\n"
	default:
		return wordEdge(s, i) == (kind == 'b')
	}
}

func wordEdge(s string, i int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, _ := utf8.DecodeRuneInString(s[i:])
	return (i > 0 && wordRunes().has(before)) != (i < len(s) && wordRunes().has(after))
}

// accept ends every pattern.
type accept struct{}

func (accept) match(_ *matching, i int) int { return i }
