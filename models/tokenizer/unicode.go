package tokenizer

import (
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

//go:generate go run gen_tables.go

// The sets of the reference library, each decoded when it is first needed. They come from four versions of Unicode, as the parts of the library do, so
// none of them can be had from package unicode. White space is the exception: unicode.IsSpace is the same everywhere.
var (
	marks        = lazySet(tableMarks)       // Mn, Mc and Me: what StripAccents removes
	bertMarks    = lazySet(tableBertMarks)   // Mn: what BertNormalizer removes
	controls     = lazySet(tableControls)    // Cc, Cf and Co
	blanks       = lazySet(tableBlanks)      // what BertNormalizer makes a space
	ideographs   = lazySet(tableIdeographs)  // what BertNormalizer sets between spaces
	punctuation  = lazySet(tablePunctuation) // ASCII signs and P
	numbers      = lazySet(tableNumbers)     // Nd, Nl and No
	nmtDropped   = lazySet(tableNmtDropped)
	nmtSpaces    = lazySet(tableNmtSpaces)
	undecomposed = lazySet(tableUndecomposed)       // no canonical decomposition there
	compatKept   = lazySet(tableUndecomposedCompat) // no compatibility decomposition there
	wordRunes    = lazySet(classTables["w"])
	assigned9    = lazySet(tableAssigned9) // the characters that have a script for UnicodeScripts
	lowerRuns    = sync.OnceValue(func() []lowerRun { return decodeLower(tableLower) })
)

func lazySet(table string) func() *set {
	return sync.OnceValue(func() *set { return newSet(decodeRanges(table)) })
}

// decodeRanges reads a generated table: for each range the gap before it and, after a point, its length less one if that is not zero, in base 36.
func decodeRanges(table string) ranges {
	var out ranges
	next := rune(0)
	for word := range strings.FieldsSeq(table) {
		gap, more, _ := strings.Cut(word, ".")
		lo := next + base36(gap)
		hi := lo + base36("0"+more)
		out, next = append(out, interval{lo, hi}), hi+1
	}
	return out
}

func base36(s string) rune {
	n, err := strconv.ParseInt(s, 36, 32)
	if err != nil {
		panic(err) // the table is generated
	}
	return rune(n)
}

// class returns a class of regular expressions by its name, as in \p{L}: a general category or a script. The categories that tokenizers use come from the
// tables of the reference library, the others from package unicode.
func class(name string) (ranges, bool) {
	if table, ok := classTables[name]; ok {
		return decodeRanges(table), true
	}
	if t, ok := unicode.Categories[name]; ok {
		return fromTable(t), true
	}
	t, ok := unicode.Scripts[name]
	if !ok {
		return nil, false
	}
	return fromTable(t), true
}

func fromTable(t *unicode.RangeTable) ranges {
	var all []interval
	add := func(lo, hi, stride rune) {
		for c := lo; c <= hi; c += stride {
			all = append(all, interval{c, c})
		}
	}
	for _, r := range t.R16 {
		add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	for _, r := range t.R32 {
		add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	return union(all...)
}

// A lowerRun is count characters, stride apart from first on, whose lower-case forms all lie delta further.
type lowerRun struct{ first, count, stride, delta rune }

func decodeLower(table string) []lowerRun {
	var runs []lowerRun
	last := rune(0)
	for word := range strings.FieldsSeq(table) {
		p := strings.Split(word, ".")
		last += base36(p[0])
		runs = append(runs, lowerRun{last, base36(p[1]), base36(p[2]), base36(p[3])})
	}
	return runs
}

// lower returns the lower-case form of c; that of İ, two characters, it leaves to the caller.
func lower(c rune) rune {
	if c < 128 {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		return c
	}
	runs := lowerRuns()
	i := sort.Search(len(runs), func(i int) bool { return runs[i].first > c }) - 1
	if i < 0 {
		return c
	}
	r := runs[i]
	if d := c - r.first; d%r.stride != 0 || d/r.stride >= r.count {
		return c
	}
	return c + r.delta
}

// isWord says whether c belongs to a word, for the tokens that stand only as single words: letters, marks, decimal digits and joiners.
func isWord(c rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return c == nonJoiner || c == joiner || wordRunes().has(c) && !unicode.Is(unicode.No, c)
}

// scriptNames are the scripts of package unicode in alphabetical order.
var scriptNames = sync.OnceValue(func() []string { return slices.Sorted(maps.Keys(unicode.Scripts)) })

// scriptOf returns the name of c's script, "" if it has none; guess is tried first.
func scriptOf(c rune, guess string) string {
	if !assigned9().has(c) {
		return ""
	}
	if table := unicode.Scripts[guess]; table != nil && unicode.Is(table, c) {
		return guess
	}
	for _, name := range scriptNames() {
		if unicode.Is(unicode.Scripts[name], c) {
			return name
		}
	}
	return ""
}

// What ends a cluster of characters at once, and what goes on with one.
var (
	clusterControls = sync.OnceValue(func() *set {
		return newSet(union(append(fromTable(unicode.Cc), append(fromTable(unicode.Cf), fromTable(unicode.Zl)[0], fromTable(unicode.Zp)[0])...)...))
	})
	clusterMarks = sync.OnceValue(func() *set {
		return newSet(union(append(decodeRanges(classTables["M"]), clusterExtra...)...).and(clusterAlone.not()))
	})
)

// clusterExtra are characters that go on with a cluster without being marks, clusterAlone marks that do not.
var (
	clusterExtra = []interval{{0x200c, 0x200d}, {0xe33, 0xe33}, {0xeb3, 0xeb3}, {0xff9e, 0xff9f}, {0x1f3fb, 0x1f3ff}, {0xe0020, 0xe007f}}
	clusterAlone = ranges{{0x102b, 0x102c}, {0x1038, 0x1038}, {0x1062, 0x1064}, {0x1067, 0x106d}, {0x1083, 0x1083}, {0x1087, 0x108c}, {0x108f, 0x108f},
		{0x109a, 0x109c}, {0x1a61, 0x1a61}, {0x1a63, 0x1a64}, {0xaa7b, 0xaa7b}, {0xaa7d, 0xaa7d}, {0x11720, 0x11721}}
)
