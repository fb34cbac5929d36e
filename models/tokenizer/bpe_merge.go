package tokenizer

import (
	"encoding/json"
	"math"
	"math/bits"
	"strings"
)

// A mergeTable holds merges by the two tokens that they join, in open addressing with linear probing.
type mergeTable struct {
	keys  []uint64 // the two tokens; noPair if the place is free
	rules []mergeRule
	shift uint
}

// A mergeRule is what two tokens become, and its place in the list of merges.
type mergeRule struct{ rank, id int32 }

const noPair = math.MaxUint64

func newMergeTable(n int) *mergeTable {
	size := 1 << bits.Len(uint(n+n/2))
	m := &mergeTable{make([]uint64, size), make([]mergeRule, size), uint(64 - bits.Len(uint(size-1)))}
	for i := range m.keys {
		m.keys[i] = noPair
	}
	return m
}

// place returns where a pair is, or where it would be put.
func (m *mergeTable) place(pair uint64) int {
	const golden = 0x9e3779b97f4a7c15
	i := int(pair * golden >> m.shift)
	for m.keys[i] != pair && m.keys[i] != noPair {
		i = (i + 1) & (len(m.keys) - 1)
	}
	return i
}

func pairOf(a, b int32) uint64 { return uint64(uint32(a))<<32 | uint64(uint32(b)) }

func (m *mergeTable) put(a, b int32, r mergeRule) {
	i := m.place(pairOf(a, b))
	m.keys[i], m.rules[i] = pairOf(a, b), r
}

// get returns the rule for two tokens, or one of the rank noRank.
func (m *mergeTable) get(a, b int32) mergeRule {
	pair := pairOf(a, b)
	if i := m.place(pair); m.keys[i] == pair {
		return m.rules[i]
	}
	return mergeRule{noRank, -1}
}

const noRank = math.MaxInt32

// readMerges reads ["a b", …] or [["a", "b"], …]. The second token loses a prefix of the given length when they are joined.
func readMerges(c config, data json.RawMessage, v vocabulary, prefix int) (*mergeTable, error) {
	s := newScanner(c, "merges", data)
	m := newMergeTable(strings.Count(s.s, ",") + 1)
	rank := int32(0)
	s.elements("[", "]", func() {
		a, b := s.pair()
		if s.err == nil {
			s.merge(m, v, a, b, prefix, rank)
		}
		rank++
	})
	return m, s.err
}

// pair reads two tokens.
func (s *scanner) pair() (a, b string) {
	if s.peek() == '[' {
		s.expect("[")
		a = s.text()
		s.expect(",")
		b = s.text()
		s.expect("]")
		return a, b
	}
	both := s.text()
	a, b, ok := strings.Cut(both, " ")
	if s.err == nil && (!ok || strings.Contains(b, " ")) {
		s.fail("found %.40q, expected two tokens and a space between", both)
	}
	return a, b
}

// merge enters a merge.
func (s *scanner) merge(m *mergeTable, v vocabulary, a, b string, prefix int, rank int32) {
	var ids [3]int32
	for i, token := range []string{a, b, a + b[min(prefix, len(b)):]} {
		id, ok := v.ids[token]
		if !ok {
			s.fail("merge %d: found the token %.40q, which is not in the vocabulary", rank, token)
			return
		}
		ids[i] = id
	}
	m.put(ids[0], ids[1], mergeRule{rank, ids[2]})
}

// A symbol is a token in the making. One that was joined to the one before it has a negative id.
type symbol struct {
	id         int32
	lo, hi     int32 // bytes of the word
	prev, next int32 // negative at the ends
}

// A merging is a word on its way from characters to tokens.
type merging struct {
	symbols []symbol
	queue   []mergeStep // a binary heap
}

// A mergeStep is a merge that can be done, unless one before it did away with it.
type mergeStep struct {
	mergeRule
	at int32 // the first of the two symbols
}

func (s mergeStep) before(o mergeStep) bool {
	return s.rank < o.rank || s.rank == o.rank && s.at < o.at
}

func (w *merging) add(id int32, lo, hi int) {
	n := int32(len(w.symbols))
	w.symbols = append(w.symbols, symbol{id, int32(lo), int32(hi), n - 1, n + 1})
}

// run does all merges, the first of the list first and from left to right.
func (w *merging) run(m *mergeTable) {
	if len(w.symbols) == 0 {
		return
	}
	w.symbols[len(w.symbols)-1].next = -1
	w.queue = w.queue[:0]
	for i := range w.symbols {
		w.offer(m, int32(i))
	}
	for len(w.queue) > 0 {
		step := w.pop()
		a := &w.symbols[step.at]
		if a.id < 0 || a.next < 0 || m.get(a.id, w.symbols[a.next].id) != step.mergeRule {
			continue
		}
		b := &w.symbols[a.next]
		a.id, a.hi, a.next, b.id = step.id, b.hi, b.next, -1
		if a.next >= 0 {
			w.symbols[a.next].prev = step.at
		}
		w.offer(m, a.prev)
		w.offer(m, step.at)
	}
}

// offer queues the merge of a symbol with the next, if there is one.
func (w *merging) offer(m *mergeTable, at int32) {
	if at < 0 || w.symbols[at].next < 0 {
		return
	}
	rule := m.get(w.symbols[at].id, w.symbols[w.symbols[at].next].id)
	if rule.rank == noRank {
		return
	}
	w.queue = append(w.queue, mergeStep{rule, at})
	for i := len(w.queue) - 1; i > 0 && w.queue[i].before(w.queue[(i-1)/2]); i = (i - 1) / 2 {
		w.queue[i], w.queue[(i-1)/2] = w.queue[(i-1)/2], w.queue[i]
	}
}

// pop takes the first step out of the queue.
func (w *merging) pop() mergeStep {
	q, last := w.queue, len(w.queue)-1
	first := q[0]
	q[0] = q[last]
	w.queue = q[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child+1 < last && q[child+1].before(q[child]) {
			child++
		}
		if child >= last || !q[child].before(q[i]) {
			return first
		}
		q[i], q[child] = q[child], q[i]
		i = child
	}
}
