package tokenizer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func smallBPE(t testing.TB) *Tokenizer {
	tok, err := Parse([]byte(`{"model": {"type": "BPE", "unk_token": "?", "fuse_unk": true, "merges": ["a b", ["b", "a"], "ab ab", "b b", "ab ba"],
		"vocab": {"a": 0, "b": 1, "ab": 2, "ba": 3, "abab": 4, "bb": 5, "abba": 6, "?": 7}}}`))
	require.NoError(t, err)
	return tok
}

func smallUnigram(t testing.TB) *Tokenizer {
	tok, err := Parse([]byte(`{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["?", 0], ["a", -2.5], ["b", -3], ["ab", -4], ["ba", -4.25], ["aba", -6.5], ["bb", -9]]}}`))
	require.NoError(t, err)
	return tok
}

// TestMerges compares the queue of merges with the definition: again and again the first merge of the list that is possible, at the first place.
func TestMerges(t *testing.T) {
	m := smallBPE(t).model.(*bpe)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		s := randomString(rng, "ab", 1+rng.IntN(100))
		got, err := m.tokenize(nil, text{s: s})
		require.NoError(t, err)
		var ids []int32
		for i, k := range got {
			ids = append(ids, k.id)
			require.Equal(t, m.tokens[k.id], s[k.lo:k.hi])
			require.True(t, i == 0 || got[i-1].hi == k.lo)
		}
		require.Equal(t, naiveMerges(m, s), ids, "%q", s)
	}
}

func naiveMerges(m *bpe, s string) []int32 {
	var ids []int32
	for i := range len(s) {
		ids = append(ids, m.ids[s[i:i+1]])
	}
	for {
		best, at := mergeRule{noRank, -1}, -1
		for i := 0; i+1 < len(ids); i++ {
			if r := m.merges.get(ids[i], ids[i+1]); r.rank < best.rank {
				best, at = r, i
			}
		}
		if at < 0 {
			return ids
		}
		ids = append(append(ids[:at:at], best.id), ids[at+2:]...)
	}
}

func randomString(rng *rand.Rand, letters string, n int) string {
	var s strings.Builder
	for range n {
		s.WriteByte(letters[rng.IntN(len(letters))])
	}
	return s.String()
}

// TestViterbi compares the likeliest way with the best of all ways.
func TestViterbi(t *testing.T) {
	m := smallUnigram(t).model.(*unigram)
	rng := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		s := randomString(rng, "abc", 1+rng.IntN(10))
		tokens, err := m.tokenize(nil, text{s: s})
		require.NoError(t, err)
		require.InDelta(t, bestScore(m, s), scoreOf(m, tokens), 1e-9, "%q %v", s, tokens)
		joined := ""
		for _, k := range tokens {
			joined += s[k.lo:k.hi]
		}
		require.Equal(t, s, joined)
	}
}

func scoreOf(m *unigram, tokens []token) (sum float64) {
	for _, k := range tokens {
		if k.id == m.unknown {
			sum += float64(k.hi-k.lo) * m.penalty
		} else {
			sum += m.scores[k.id]
		}
	}
	return sum
}

func bestScore(m *unigram, s string) float64 {
	if s == "" {
		return 0
	}
	best := m.penalty + bestScore(m, s[1:])
	for n := 1; n <= len(s); n++ {
		if id, ok := m.ids[s[:n]]; ok {
			if n == 1 {
				best = math.Inf(-1)
			}
			best = max(best, m.scores[id]+bestScore(m, s[n:]))
		}
	}
	return best
}

// TestModels are the peculiarities of models, one in each file.
func TestModels(t *testing.T) {
	for _, c := range []struct{ name, model, text, want string }{
		{"words of the WordPiece longer than allowed are unknown", `{"type": "WordPiece", "max_input_chars_per_word": 3, "vocab": {"[UNK]": 0, "a": 1, "##a": 2}}`, "aaaa", "[UNK]"},
		{"words of the WordPiece that do not come out even are unknown", `{"type": "WordPiece", "vocab": {"[UNK]": 0, "a": 1, "##a": 2}}`, "aab", "[UNK]"},
		{"the type of a model is guessed: WordPiece", `{"continuing_subword_prefix": "__", "vocab": {"[UNK]": 0, "a": 1, "__a": 2}}`, "aa", "a __a"},
		{"the type of a model is guessed: BPE", `{"merges": ["a a"], "vocab": {"a": 0, "aa": 1}}`, "aaa", "aa a"},
		{"the type of a model is guessed: Unigram", `{"unk_id": 0, "vocab": [["?", 0.0], ["aa", -1], ["a", -2]]}`, "aa", "aa"},
		{"the type of a model is guessed: WordLevel", `{"unk_token": "?", "vocab": {"?": 0, "aa": 1}}`, "aa", "aa"},
		{"unknown letters that are not fused", `{"type": "BPE", "unk_token": "?", "merges": [], "vocab": {"?": 0, "a": 1}}`, "bba", "? ? a"},
		{"unknown letters that are fused", `{"type": "BPE", "unk_token": "?", "fuse_unk": true, "merges": [], "vocab": {"?": 0, "a": 1}}`, "bbabc", "? a ?"},
		{"unknown letters without a token are left out", `{"type": "BPE", "merges": [], "vocab": {"a": 0}}`, "bab", "a"},
		{"letters in bytes", `{"type": "BPE", "byte_fallback": true, "merges": [], "vocab": {"<0xC3>": 0, "<0xA9>": 1, "a": 2}}`, "aéa", "a <0xC3> <0xA9> a"},
		{"letters in bytes, not all known", `{"type": "BPE", "byte_fallback": true, "unk_token": "a", "merges": [], "vocab": {"<0xC3>": 0, "a": 2}}`, "é", "a"},
		{"ends of words", `{"type": "BPE", "end_of_word_suffix": "/", "merges": ["a b/"], "vocab": {"a": 0, "b/": 1, "ab/": 2, "b": 3}}`, "bab", "b ab/"},
		{"insides of words", `{"type": "BPE", "continuing_subword_prefix": "#", "merges": ["a #b"], "vocab": {"a": 0, "#b": 1, "ab": 2, "#a": 3}}`, "aba", "ab #a"},
		{"a whole word goes before merges", `{"type": "BPE", "ignore_merges": true, "merges": ["a b"], "vocab": {"a": 0, "b": 1, "ab": 2, "aba": 3}}`, "aba", "aba"},
		{"unknown letters of the Unigram are one", `{"type": "Unigram", "unk_id": 0, "vocab": [["?", 0], ["a", -1]]}`, "bcab", "bc a b"},
		{"unknown letters of the Unigram in bytes", `{"type": "Unigram", "unk_id": 0, "byte_fallback": true, "vocab": [["?", 0], ["a", -1], ["<0xC3>", -9], ["<0xA9>", -9]]}`, "aé", "a <0xC3> <0xA9>"},
	} {
		tok, err := Parse([]byte(fmt.Sprintf(`{"model": %s}`, c.model)))
		require.NoError(t, err, c.name)
		for range 2 { // the second time from memory
			e, err := tok.Encode(c.text)
			require.NoError(t, err, c.name)
			require.Equal(t, c.want, strings.Join(e.Tokens, " "), c.name)
		}
	}
}

// TestCutAtMarks checks that words cut before marks have the tokens of the whole, and that a vocabulary in which that is wrong is not cut.
func TestCutAtMarks(t *testing.T) {
	file := `{"model": {"type": "BPE", "unk_token": "?", "merges": ["▁ a", "▁ ▁", "b %s"], "vocab": {"▁": 0, "a": 1, "b": 2, "▁a": 3, "▁▁": 4, "b%s": 5, "?": 6}}}`
	for end, cut := range map[string]bool{"b": true, "▁": false} {
		tok, err := Parse([]byte(fmt.Sprintf(file, end, end)))
		require.NoError(t, err)
		m := tok.model.(*bpe)
		require.Equal(t, cut, m.cut)
		for _, s := range []string{"▁a▁▁ab▁", "▁▁▁", "ab▁ab", "?▁x▁xx", "▁"} {
			whole, err := m.merge(nil, s, false)
			require.NoError(t, err)
			got, err := m.tokenize(nil, text{s: s})
			require.NoError(t, err)
			require.Equal(t, whole, got, "%q", s)
		}
	}
}

// TestParseScore compares scores with the exact reading: they may differ in the last bit.
func TestParseScore(t *testing.T) {
	for s, want := range map[string]float64{"0": 0, "-0.0": 0, "-2": -2, "1.5e3": 1500, "1E-2": 0.01, "-11.370683670043945": -11.370683670043944,
		"123456789012345678901234567890": 123456789012345678901234567890, "0.1234567890123456789012345": 0.1234567890123456789, "1e-320": 1e-320, "0e999": 0} {
		got, ok := parseScore(s)
		require.True(t, ok, s)
		require.InEpsilon(t, want+1, got+1, 1e-15, s)
	}
	for _, s := range []string{"", "-", ".", "1e", "1e400", "x", "1.x", "--1", "1e5.5"} {
		_, ok := parseScore(s)
		require.False(t, ok, s)
	}
	exact, ok := parseScore("-11.370683670043945")
	require.True(t, ok)
	require.Equal(t, -11.370683670043944, exact, "as the reference library reads it")
}
