package tokenizer

import (
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// TestSets compares every set with the reference library's on every code point.
func TestSets(t *testing.T) {
	var file struct {
		Classes     map[string][][2]rune `json:"regex classes"`
		Marks       [][2]rune            `json:"StripAccents removes"`
		BertMarks   [][2]rune            `json:"BertNormalizer strip_accents removes"`
		Controls    [][2]rune            `json:"BertNormalizer clean_text removes"`
		Blanks      [][2]rune            `json:"BertNormalizer clean_text to space"`
		Ideographs  [][2]rune            `json:"BertNormalizer handle_chinese_chars"`
		Punctuation [][2]rune            `json:"Punctuation"`
		BertPunct   [][2]rune            `json:"BertPreTokenizer punctuation"`
		Digits      [][2]rune            `json:"Digits"`
		Space       [][2]rune            `json:"WhitespaceSplit space"`
		BertSpace   [][2]rune            `json:"BertPreTokenizer space"`
		NmtDropped  [][2]rune            `json:"Nmt removes"`
		NmtSpaces   [][2]rune            `json:"Nmt to space"`
		FoldedS     [][2]rune            `json:"regex (?i:s)"`
	}
	readGolden(t, "unicode.json", &file)
	fold := &regexParser{fold: true}
	for _, c := range []struct {
		name string
		has  func(rune) bool
		want [][2]rune
	}{
		{"marks", marks().has, file.Marks},
		{"bertMarks", bertMarks().has, file.BertMarks},
		{"controls", controls().has, file.Controls},
		{"blanks", blanks().has, file.Blanks},
		{"ideographs", ideographs().has, file.Ideographs},
		{"punctuation", punctuation().has, file.Punctuation},
		{"bert punctuation", punctuation().has, file.BertPunct},
		{"numbers", numbers().has, file.Digits},
		{"space", unicode.IsSpace, file.Space},
		{"bert space", unicode.IsSpace, file.BertSpace},
		{"nmtDropped", nmtDropped().has, file.NmtDropped},
		{"nmtSpaces", nmtSpaces().has, file.NmtSpaces},
		{"(?i:s)", newSet(fold.cased(ranges{{'s', 's'}})).has, file.FoldedS},
	} {
		requireSet(t, c.name, c.want, c.has)
	}
	for name, want := range file.Classes {
		if len(name) > 2 {
			name = name[3 : len(name)-1] // \p{L}
		} else {
			name = name[1:]
		}
		r, ok := class(name)
		require.True(t, ok, name)
		requireSet(t, name, want, newSet(r).has)
	}
}

// requireSet compares a set with ranges; surrogates are no characters.
func requireSet(t *testing.T, name string, want [][2]rune, has func(rune) bool) {
	t.Helper()
	for c := rune(0); c <= utf8.MaxRune; c++ {
		for len(want) > 0 && want[0][1] < c {
			want = want[1:]
		}
		expected := len(want) > 0 && want[0][0] <= c
		if expected != has(c) && !(0xd800 <= c && c < 0xe000) {
			t.Fatalf("%s: %U: found %v, expected %v", name, c, has(c), expected)
		}
	}
}

// TestLower compares the lower-case form of every character.
func TestLower(t *testing.T) {
	var file struct{ Lowercase map[string]string }
	readGolden(t, "unicode.json", &file)
	for c := rune(0); c <= utf8.MaxRune; c++ {
		if !utf8.ValidRune(c) {
			continue
		}
		want, ok := file.Lowercase[hex(c)]
		if !ok {
			want = string(c)
		}
		if got := lowercase(text{s: string(c)}).s; got != want {
			t.Fatalf("%U: found %+q, expected %+q", c, got, want)
		}
	}
	require.Len(t, file.Lowercase, 1488)
}

// hex writes a code point as the golden file does.
func hex(c rune) string { return strings.ToUpper(strconv.FormatInt(int64(c), 16)) }

// TestForms compares the normal forms of every character with Unicode's as far as the reference library agrees with it.
func TestForms(t *testing.T) {
	var file map[string]any
	readGolden(t, "unicode.json", &file)
	for name, f := range forms {
		differs := file[name+" where Unicode 15.0 differs"].(map[string]any)
		for c := rune(0); c <= utf8.MaxRune; c++ {
			if !utf8.ValidRune(c) {
				continue
			}
			want, ok := differs[hex(c)]
			if !ok {
				want = f.whole.String(string(c))
			}
			if got := f.apply(text{s: string(c)}).s; got != want {
				t.Fatalf("%s: %U: found %+q, expected %+q", name, c, got, want)
			}
		}
	}
}
