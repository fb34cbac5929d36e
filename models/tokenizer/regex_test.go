package tokenizer

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// matches returns what a pattern matches in s.
func matches(t testing.TB, pattern, s string) []string {
	t.Helper()
	r, err := compileRegex(pattern)
	require.NoError(t, err, pattern)
	cuts, err := r.cuts(nil, s)
	require.NoError(t, err, pattern)
	out, done := []string{}, 0
	for _, c := range cuts {
		require.Equal(t, done, c.lo, "%q on %q: the cuts leave a gap", pattern, s)
		done = c.hi
		if c.match {
			out = append(out, s[c.lo:c.hi])
		}
	}
	require.Equal(t, len(s), done)
	return out
}

// TestRegex are the parts of the syntax, one by one.
func TestRegex(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          []string
	}{
		{`a|ab`, "ab", []string{"a"}},
		{`(?:a|ab)(?:c|bcd)`, "abcd", []string{"abcd"}},
		{`a*?b`, "aab", []string{"aab"}},
		{`a+?`, "aaa", []string{"a", "a", "a"}},
		{`a{2}`, "aaaaa", []string{"aa", "aa"}},
		{`a{2,}`, "a aa aaa", []string{"aa", "aaa"}},
		{`a{,2}b`, "aaab", []string{"aab"}},
		{`a{1,2}?`, "aaa", []string{"a", "a", "a"}},
		{`(ab){2}`, "ababab", []string{"abab"}},
		{`(?:ab|c){1,2}?d`, "ababcd", []string{"abcd"}},
		{`a{x}`, "a{x}", []string{"a{x}"}},
		{`a*+a`, "aaa", []string{}},
		{`(?>a+)b`, "aab", []string{"aab"}},
		{`(?:ab)++a`, "ababa", []string{"ababa"}},
		{`a(?=b)`, "abac", []string{"a"}},
		{`a(?!b)`, "abac", []string{"a"}},
		{`\s+(?!\S)|\s+`, "a   b  ", []string{"  ", " ", "  "}},
		{`^a`, "aa\na", []string{"a", "a"}},
		{`a$`, "aa\na", []string{"a", "a"}},
		{`\Aa`, "aa\na", []string{"a"}},
		{`a\z`, "a\na\n", []string{}},
		{`a\Z`, "a\na\n", []string{"a"}},
		{`\bab`, "ab cab ab", []string{"ab", "ab"}},
		{`\Bb`, "b ab", []string{"b"}},
		{`[a-c]+`, "abcd", []string{"abc"}},
		{`[^a-c]+`, "abcd-", []string{"d-"}},
		{`[]a]+`, "a]", []string{"a]"}},
		{`[a-]+`, "a-b", []string{"a-"}},
		{`[a-z&&[^b]]+`, "abc", []string{"a", "c"}},
		{`[a[0-9]]+`, "a1b2", []string{"a1", "2"}},
		{`[\d\-x]+`, "3-x٣", []string{"3-x٣"}},
		{`\x41\x{1F600}\u0042`, "A😀B", []string{"A😀B"}},
		{`\t\n\r\f\v\e\a\.`, "\t\n\r\f\v\x1b\a.", []string{"\t\n\r\f\v\x1b\a."}},
		{`\h+`, "xAf9g", []string{"Af9"}},
		{`\p{L}+`, "añß1", []string{"añß"}},
		{`\P{L}+`, "a12b", []string{"12"}},
		{`\p{^L}+`, "a12b", []string{"12"}},
		{`\p{Han}+`, "ab漢字", []string{"漢字"}},
		{`\D\W\S`, "a.b", []string{"a.b"}},
		{`(?i:'s)`, "'S 'ſ", []string{"'S", "'ſ"}},
		{`(?i)ab(?-i)c`, "ABc ABC", []string{"ABc"}},
		{`(?i:[k])`, "K\u212a", []string{"K", "\u212a"}},
		{`.`, "a\n😀", []string{"a", "😀"}},
		{`(a*)*`, "b", []string{"", ""}},
		{`(a|b*)*c`, "abbac", []string{"abbac"}},
		{`x*`, "axb", []string{"", "x", ""}},
	} {
		require.Equal(t, c.want, matches(t, c.pattern, c.text), "%q on %q", c.pattern, c.text)
	}
}

// TestRegexErrors are patterns that are refused, with the place of what is not known.
func TestRegexErrors(t *testing.T) {
	for pattern, want := range map[string]string{
		`(a`:                         "byte 2: a ( without )",
		`a)`:                         "byte 1: an unmatched )",
		`[a`:                         "a [ without ]",
		`*a`:                         "a repetition of nothing",
		`(?<=a)b`:                    "the group (?<=",
		`(?<n>a)`:                    "the group (?<n",
		`\k<n>`:                      `\k here`,
		`\1`:                         `\1`,
		`\p{Nothing}`:                `the class "Nothing"`,
		`\pL`:                        "without a name in braces",
		`[[:alpha:]]`:                "a POSIX class",
		`[b-a]`:                      "a range in a class",
		`a{3,2}`:                     "the repetition {3,2}",
		`a{9999}`:                    "the repetition {9999}",
		`\x{110000}`:                 `the code point "110000"`,
		`a\`:                         `a \ at the end`,
		strings.Repeat("(", 200):     "nesting deeper than 100",
		`(((a{99}b){99}c){99}d){99}`: "too many repetitions",
		strings.Repeat("a", 1<<16+1): "a pattern of 65537 bytes",
	} {
		_, err := compileRegex(pattern)
		require.ErrorContains(t, err, want, "%.40q", pattern)
	}
}

// TestRegexLikeGo compares patterns that Go's regexp knows as well, on random texts: both take the first alternative that matches.
func TestRegexLikeGo(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, pattern := range []string{`a|ab|abc`, `(?:ab|a)(?:bc|c)?`, `a*b?a`, `(?:a|b)*?c`, `[^a]+a`, `(?:a*b){1,3}`, `\w+ ?`, ` ?[^ \w]+|\s+`, `(?:ab?)+c|b`, `(?i:AB)|c+`,
		`a{2,3}b{0,2}?`, `\b[ab]+\b`, `(?:a?)*b`, `'s|'t|\pL+`} {
		want := regexp.MustCompile(pattern)
		for range 300 {
			s := randomString(rng, "aabbc '.A", rng.IntN(20))
			expected := append([]string{}, want.FindAllString(s, -1)...)
			got := matches(t, strings.ReplaceAll(pattern, `\pL`, `\p{L}`), s)
			require.Equal(t, expected, got, "%q on %q", pattern, s)
		}
	}
}

// TestRegexBounded runs patterns that are known to take forever elsewhere.
func TestRegexBounded(t *testing.T) {
	start := time.Now()
	for _, pattern := range []string{`(a+)+$x`, `(a|aa)+$x`, `(a*)*b`, `((a*)*)*b`, `(?:a?){200}a{200}b`, `(a|b|ab)*(?=c)d`} {
		r, err := compileRegex(pattern)
		require.NoError(t, err)
		_, err = r.cuts(nil, strings.Repeat("ab", 20)+strings.Repeat("a", 3000))
		if err != nil {
			require.ErrorContains(t, err, "takes too long on a text of 3040 bytes")
		}
	}
	require.Less(t, time.Since(start), 20*time.Second)
}
