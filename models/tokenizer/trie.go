package tokenizer

import (
	"bytes"
	"cmp"
	"slices"
)

// A trie finds all keys that a text begins with, in one walk. Nodes are numbered level by level, so the children of one are next to each other.
type trie struct {
	label []byte  // of the edge to each node
	child []int32 // the first child of each node; those of node n end where those of node n+1 begin
	value []int32 // of the key that ends at each node, negative if none does
}

// A trieKey is a key with its value, which is not negative.
type trieKey struct {
	key   string
	value int32
}

// newTrie makes a trie of keys, of which the empty one is left out. Of equal keys the first wins.
func newTrie(keys []trieKey) *trie {
	keys = slices.DeleteFunc(slices.Clone(keys), func(k trieKey) bool { return k.key == "" })
	slices.SortStableFunc(keys, func(a, b trieKey) int { return cmp.Compare(a.key, b.key) })
	t := &trie{label: []byte{0}, value: []int32{-1}}
	level := [][]trieKey{keys}
	for depth := 0; len(level) > 0; depth++ {
		var next [][]trieKey
		for _, below := range level {
			t.child = append(t.child, int32(len(t.label)))
			next = t.branch(next, below, depth)
		}
		level = next
	}
	t.child = append(t.child, int32(len(t.label)))
	return t
}

// branch adds the children of a node, given the keys longer than depth that lead through it, and appends what leads through each child.
func (t *trie) branch(next [][]trieKey, keys []trieKey, depth int) [][]trieKey {
	for len(keys) > 0 {
		label, n := keys[0].key[depth], 1
		for n < len(keys) && keys[n].key[depth] == label {
			n++
		}
		group := keys[:n]
		keys = keys[n:]
		t.label, t.value = append(t.label, label), append(t.value, -1)
		for len(group) > 0 && len(group[0].key) == depth+1 {
			if last := len(t.value) - 1; t.value[last] < 0 {
				t.value[last] = group[0].value
			}
			group = group[1:]
		}
		next = append(next, group)
	}
	return next
}

// step goes from a node along a byte; ok is false if there is no such edge. The root is node 0.
func (t *trie) step(node int32, b byte) (next int32, ok bool) {
	lo, hi := t.child[node], t.child[node+1]
	i := bytes.IndexByte(t.label[lo:hi], b)
	return lo + int32(i), i >= 0
}

// walk goes from a node along a string.
func (t *trie) walk(node int32, s string) (next int32, ok bool) {
	next, ok = node, true
	for i := 0; i < len(s) && ok; i++ {
		next, ok = t.step(next, s[i])
	}
	return next, ok
}

// longest returns the value and the length of the longest key, read from a node on, that s begins with; the length is 0 if there is none.
func (t *trie) longest(node int32, s string) (value int32, length int) {
	for i := 0; i < len(s); i++ {
		next, ok := t.step(node, s[i])
		if !ok {
			break
		}
		if node = next; t.value[node] >= 0 {
			value, length = t.value[node], i+1
		}
	}
	return value, length
}
