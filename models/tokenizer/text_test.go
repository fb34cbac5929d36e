package tokenizer

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// TestRewriter does random work on random texts and compares it with the same work on a list of characters, each with its place.
func TestRewriter(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	letters := []rune("aßé漢😀b")
	for range 3000 {
		original := ""
		for range rng.IntN(12) {
			original += string(letters[rng.IntN(len(letters))])
		}
		got := text{s: original}
		want := places(original)
		for range 1 + rng.IntN(3) {
			got, want = randomRewrite(rng, letters, got, want)
		}
		requirePlaces(t, want, got)
		if len(want) > 1 {
			lo, hi := runeOffset(got.s, 1), runeOffset(got.s, 1+rng.IntN(len(want)-1))
			requirePlaces(t, want[1:utf8.RuneCountInString(got.s[:hi])], got.slice(lo, hi))
		}
	}
}

// A place is a character and where it comes from.
type place struct {
	c  rune
	at span
}

func places(s string) (out []place) {
	for i, c := range s {
		out = append(out, place{c, span{int32(i), int32(i + utf8.RuneLen(c))}})
	}
	return out
}

func runeOffset(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

func randomRewrite(rng *rand.Rand, letters []rune, t text, in []place) (text, []place) {
	w, out := rewrite(t, 0), []place(nil)
	for _, p := range in {
		c := letters[rng.IntN(len(letters))]
		switch rng.IntN(4) {
		case 0:
			w.drop()
		case 1:
			w.replace(c)
			out = append(out, place{c, p.at})
		default:
			w.copy(utf8.RuneLen(p.c))
			out = append(out, p)
		}
		if rng.IntN(5) == 0 {
			w.insert(c)
			out = append(out, place{c, p.at})
		}
	}
	return w.text(), out
}

func requirePlaces(t *testing.T, want []place, got text) {
	t.Helper()
	i := 0
	for at, c := range got.s {
		require.Equal(t, want[i], place{c, got.span(at, at+utf8.RuneLen(c))}, "%q", got.s)
		i++
	}
	require.Len(t, want, i)
}

// TestTrie compares lookups in a trie with those in a map.
func TestTrie(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for range 200 {
		words := map[string]int32{}
		var keys []trieKey
		for i := range rng.IntN(40) {
			word := randomString(rng, "abc", rng.IntN(6))
			if _, known := words[word]; !known && word != "" {
				words[word] = int32(i)
			}
			keys = append(keys, trieKey{word, int32(i)})
		}
		tr := newTrie(keys)
		for range 50 {
			s := randomString(rng, "abcd", rng.IntN(8))
			want, length := int32(0), 0
			for n := 1; n <= len(s); n++ {
				if v, ok := words[s[:n]]; ok {
					want, length = v, n
				}
			}
			got, n := tr.longest(0, s)
			require.Equal(t, length, n, "%v %q", slices.Sorted(maps.Keys(words)), s)
			require.Equal(t, want, got)
		}
	}
}

// TestRanges compares sets with sums of intervals.
func TestRanges(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for range 200 {
		var all []interval
		in := make([]bool, 2000)
		for range rng.IntN(20) {
			lo := rng.Int32N(1900)
			hi := lo + rng.Int32N(100)
			all = append(all, interval{lo, hi})
			for c := lo; c <= hi; c++ {
				in[c] = true
			}
		}
		r := union(all...)
		yes, no, both := newSet(r), newSet(r.not()), newSet(r.and(ranges{{500, 1000}}))
		for c := range rune(2000) {
			require.Equal(t, in[c], yes.has(c), "%v %d", all, c)
			require.Equal(t, !in[c], no.has(c), "%v %d", all, c)
			require.Equal(t, in[c] && 500 <= c && c <= 1000, both.has(c), "%v %d", all, c)
		}
	}
}

// TestBrokenBytes is what becomes of bytes that are not UTF-8: one U+FFFD for each piece, as the Unicode Standard recommends.
func TestBrokenBytes(t *testing.T) {
	for in, want := range map[string]string{"a\xffb": "a?b", "\xe6\xbc": "?", "\xe6\xbcx": "?x", "\xe6\xe6": "??", "\xf0\x9f\x98": "?", "\xed\xa0\x80": "???", "\xc0\x80": "??",
		"\xf4\x90\x80\x80": "????", "é漢😀": "é漢😀"} {
		require.Equal(t, strings.ReplaceAll(want, "?", "\ufffd"), validText([]byte(in)), "%q", in)
	}
}
