package tokenizer

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// precompiled replaces characters by a table that SentencePiece compiled: a trie of what is replaced, and the replacements.
type precompiled struct {
	trie         doubleArray
	replacements string // each ends in a zero byte
}

func newPrecompiled(c config) (normalizer, error) {
	var v struct {
		Table []byte `json:"precompiled_charsmap"`
	}
	if err := c.read(&v); err != nil {
		return nil, err
	}
	if len(v.Table) == 0 {
		return normalizers{}, nil
	}
	if len(v.Table) < 4 {
		return nil, c.errorf("found a table of %d bytes, expected at least 4", len(v.Table))
	}
	size, rest := uint64(binary.LittleEndian.Uint32(v.Table)), v.Table[4:]
	if size > uint64(len(rest)) || size < 4 {
		return nil, c.errorf("found a trie of %d bytes in a table of %d, expected 4 at least", size, len(v.Table))
	}
	p := &precompiled{replacements: string(rest[size/4*4:])}
	for i := range size / 4 {
		p.trie = append(p.trie, binary.LittleEndian.Uint32(rest[4*i:]))
	}
	if !utf8.ValidString(p.replacements) {
		return nil, c.errorf("found replacements that are not UTF-8")
	}
	for r := range strings.SplitSeq(p.replacements, "\x00") {
		if err := checkContent(c, r); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// A doubleArray is a trie in one array (Aoe 1989; the layout is that of the library Darts-clone). A node is 32 bits: the label of the edge to it,
// whether a value is below it, and the distance, by exclusive or, to its children.
type doubleArray []uint32

// shortest returns the value of the shortest key that s begins with, negative if there is none.
func (d doubleArray) shortest(s string) int {
	at := offset(d[0])
	for i := 0; i < len(s) && s[i] != 0; i++ {
		at ^= uint32(s[i])
		if int(at) >= len(d) || d[at]&(1<<31|0xff) != uint32(s[i]) {
			return -1
		}
		node := d[at]
		at ^= offset(node)
		if node>>8&1 == 1 && int(at) < len(d) {
			return int(d[at] &^ (1 << 31))
		}
	}
	return -1
}

func offset(node uint32) uint32 { return node >> 10 << (node & (1 << 9) >> 6) }

// find returns what replaces s.
func (p *precompiled) find(s string) (replacement string, ok bool) {
	at := p.trie.shortest(s)
	if at < 0 || at > len(p.replacements) {
		return "", false
	}
	replacement, _, _ = strings.Cut(p.replacements[at:], "\x00")
	return replacement, utf8.ValidString(replacement)
}

// longest cluster, in bytes, that is looked up as a whole.
const maxCluster = 5

// normalize replaces short clusters of a character and its marks as a whole, and the characters of others one by one. As in the reference library, a
// cluster that merely begins with a known key is replaced by that key's replacement.
func (p *precompiled) normalize(t text) (text, error) {
	if isASCII(t.s) && !p.changesASCII(t.s) {
		return t, nil
	}
	w := rewrite(t, 0)
	for i := 0; i < len(t.s); {
		n := clusterLen(t.s[i:])
		cluster := t.s[i : i+n]
		i += n
		if r, ok := p.find(cluster); ok && n <= maxCluster {
			exchange(w, cluster, r)
			continue
		}
		for _, c := range cluster {
			if r, ok := p.find(string(c)); ok {
				exchange(w, string(c), r)
			} else {
				w.replace(c)
			}
		}
	}
	return w.text(), nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// changesASCII says whether any character of an ASCII text is replaced.
func (p *precompiled) changesASCII(s string) bool {
	for i := range len(s) {
		if _, ok := p.find(s[i : i+1]); ok {
			return true
		}
	}
	return false
}

// exchange writes new for old, character by character; what new has more comes from the last of old. Where what goes is at the start of a text, the
// reference library loses count: all that follows is said to come from one character earlier, and so it is here.
func exchange(w *rewriter, old, new string) {
	if new == "" && len(w.out) == 0 {
		return
	}
	left := utf8.RuneCountInString(old)
	for _, c := range new {
		if left > 0 {
			w.replace(c)
			left--
		} else {
			w.insert(c)
		}
	}
	for range left {
		w.drop()
	}
}

// clusterLen returns the length of the first cluster of s, a character with the marks that follow it, or CR LF. Of the rules of Unicode Standard Annex 29
// these are the ones by which clusters of up to maxCluster bytes are made.
func clusterLen(s string) int {
	c, n := utf8.DecodeRuneInString(s)
	if c == '\r' && strings.HasPrefix(s[1:], "\n") {
		return 2
	}
	if clusterControls().has(c) {
		return n
	}
	for n < len(s) {
		c, size := utf8.DecodeRuneInString(s[n:])
		if c < 0x300 || !clusterMarks().has(c) {
			break
		}
		n += size
	}
	return n
}
