package peft

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dlclark/regexp2"
	"github.com/stretchr/testify/require"
)

// TestPatternsArePythons compares with the answers of re.fullmatch in Python 3.11.
func TestPatternsArePythons(t *testing.T) {
	for _, c := range []struct {
		pattern string
		yes, no []string
	}{
		{`.*(?<!self)\.dense`, []string{`layer.0.output.dense`}, []string{`layer.0.self.dense`}},
		{`model\.layers\.(?!0\.).*q_proj`, []string{`model.layers.1.q_proj`, `model.layers.10.q_proj`}, []string{`model.layers.0.q_proj`}},
		{`(?P<side>q|k)_proj\.(?P=side)`, []string{`q_proj.q`}, []string{`q_proj.k`}},
		{`(a)|b(?(1)c|d)`, []string{`a`, `bd`}, []string{`bc`}},
		{`(?:(?P<x>a)|b)(?(x)c|d)`, []string{`ac`, `bd`}, []string{`bc`}},
		{`(?i)Q_PROJ`, []string{`q_proj`, `Q_proj`}, []string{`k_proj`}},
		{`(?x) q _ proj  # the query`, []string{`q_proj`}, []string{`q _ proj`}},
		{`(?x)a[ #]\ b`, []string{`a# b`}, []string{`a b`}},
		{`(?i:Q)_proj`, []string{`q_proj`}, []string{`q_PROJ`}},
		{`(?i)a(?-i:b)`, []string{`Ab`}, []string{`aB`}},
		{`q_proj\Z`, []string{`q_proj`}, []string{"q_proj\n"}},
		{`q_proj$`, []string{`q_proj`}, []string{"q_proj\n"}},
		{`.+`, []string{`a.b`}, []string{"a\nb"}},
		{`(?s).+`, []string{"a\nb"}, nil},
		{`\w+`, []string{`layer_0`, `é²`}, []string{`a-b`, `a‿b`, "a\u0300"}},
		{`(?a)\w+`, []string{`layer_0`}, []string{`é`}},
		{`(?a)\W\D\S`, []string{`éab`}, []string{`abc`}},
		{`\d+`, []string{`12`, `٣`}, []string{`²`}},
		{`(?a)\d+`, []string{`12`}, []string{`٣`}},
		{`\s`, []string{` `, "\u001c", "\u0085"}, []string{"\u200b"}},
		{`[\W\d]+`, []string{`-7`, `٣.`}, []string{`a`, `é`}},
		{`[^\W\d]+`, []string{`ab`}, []string{`a1`, `-`}},
		{`[\W]`, []string{`-`}, []string{`a`}},
		{`[]a-]+`, []string{`]a-`}, []string{`b`}},
		{`[a-z-[b]]`, []string{`a]`, `[]`}, []string{`b`}},
		{`[[:alpha:]]`, []string{`:]`}, []string{`a`}},
		{`x{,2}y`, []string{`y`, `xxy`}, []string{`xxxy`}},
		{`x{2,}`, []string{`xxx`}, []string{`x`}},
		{`x{2}?`, []string{`xx`}, []string{`x`}},
		{`x{}`, []string{`x{}`}, []string{`x`}},
		{`x{a}`, []string{`x{a}`}, nil},
		{`x*+x`, nil, []string{`xx`}},
		{`(?>a|ab)c`, []string{`ac`}, []string{`abc`}},
		{`a|ab`, []string{`a`, `ab`}, []string{`abc`}},
		{`\x61\u0062\143\n\t`, []string{"abc\n\t"}, nil},
		{`\0\08`, []string{"\x00\x008"}, nil},
		{`[\101-\103\b]+`, []string{"ABC\b"}, []string{`D`}},
		{`.*\blayer\b.*`, []string{`a.layer.b`, `layer`}, []string{`player`}},
		{`a\Bb\B.`, []string{`abc`}, []string{`ab.`}},
		{`a(?#note)+`, []string{`aaa`}, nil},
		{`\-\_\/\#`, []string{`-_/#`}, nil},
		{``, []string{``}, []string{`a`}},
		{`(?m)a$\n\Ab|a$\n^b`, []string{"a\nb"}, nil},
		{`(?=(a+))\1b`, []string{`aab`}, nil},
		{`(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)\10`, []string{`01234567899`}, []string{`012345678900`}},
	} {
		p, err := compileFull(c.pattern)
		require.NoError(t, err, c.pattern)
		for i, text := range slices.Concat(c.yes, c.no) {
			_, matched, err := p.find(text)
			require.NoError(t, err)
			require.Equal(t, i < len(c.yes), matched, "%q on %q", c.pattern, text)
		}
	}
}

// TestNotPython are patterns that Python refuses, in its words, or that ask for too much.
func TestNotPython(t *testing.T) {
	for pattern, want := range map[string]string{
		`(`: "missing )", `a)`: "unbalanced parenthesis", `[a`: "unterminated character set", `[`: "unterminated character set", `[a-`: "unterminated character set",
		`a**`: "multiple repeat", `*a`: "nothing to repeat", `^*`: "nothing to repeat", `a|+`: "nothing to repeat", `(?x)( ?:a)`: "nothing to repeat",
		`a{2,1}`: "min repeat greater than max repeat", `(?<n>a)`: "unknown extension ?<", `(?'n'a)`: "unknown extension ?'", `(?P>a)`: "unknown extension ?P>",
		`(?P<1>a)`: "bad character in group name", `(?P<n>a)(?P<n>b)`: "redefinition of group name", `(?P=n)`: "unknown group name", `(?P<>a)`: "missing group name",
		`(?P<n`: "unterminated name", `(?#a`: "unterminated comment", `\1`: "invalid group reference", `\8`: "invalid group reference", `(a\1)`: "cannot refer to an open group",
		`(?(2)a)`: "there is no group 2", `(?(0)a)`: "bad group number", `(?(n)a)`: "unknown group name", `(?(1)a|b|c)(d)`: "at most two branches",
		`a(?i)b`: "global flags not at the start", `(?-a:b)`: "flag", `(?i-i:a)`: "turned on and off", `(?L:a)`: "flag", `(?n)`: "unknown extension", `(?i-)`: "missing flag", `(?i`: "missing :",
		`(?au:a)`: "incompatible", `\e`: `bad escape \e`, `\p{L}`: `bad escape \p`, `\z`: `bad escape \z`, `\`: "bad escape (end of pattern)", `[\8]`: `bad escape \8`, `\N{DASH}`: `bad escape \N`,
		`\x1`: "incomplete escape", `\U00110000`: "outside of the range", `\400`: "outside of the range", `[z-a]`: "bad character range", `[\d-z]`: "bad character range",
		`[a-\d]`: "bad character range", `a{99999999999}`: "more than 1000 repeats", `((a{100}){1,5}|b){3}`: "more than 1000 repeats, counting those in one another",
		strings.Repeat("(", 101) + strings.Repeat(")", 101): "groups in one another", strings.Repeat("a", 10001): "characters",
	} {
		_, err := compile(pattern)
		require.ErrorContains(t, err, want, "%.100q", pattern)
	}
}

func TestPatternMap(t *testing.T) {
	var ranks PatternMap
	require.NoError(t, json.Unmarshal([]byte(`{"layer.1.query": 3, "query": 2, "^layer.0.key": 4, "value|key": 5, ".*\\.2\\..*up": 6.5}`), &ranks))
	for name, want := range map[string]float64{
		"layer.1.query": 3, "layerx1.query": 3, "a.layer.1.query": 3, "layer.0.query": 2, "query": 2, "layer.0.key": 4, "a.layer.0.key": 5, "value": 5, "layer.2.mlp.up": 6.5,
		"myquery": 0, "query.0": 0, "layer.1.mlp.up": 0,
	} {
		got, ok := ranks.Lookup(name)
		require.Equal(t, want, got, name)
		require.Equal(t, want != 0, ok, name)
	}
	_, ok := PatternMap{}.Lookup("query")
	require.False(t, ok)
}

// TestPatternMapFile keeps the order of keys; of keys that come twice, the first place and the last number, as in Python.
func TestPatternMapFile(t *testing.T) {
	for text, want := range map[string]string{
		`null`: `{}`, `{}`: `{}`, ` {"b": 1, "a<": 2.5, "a": -3} `: `{"b":1,"a<":2.5,"a":-3}`, `{"b": 1, "a": 2, "b": 3}`: `{"b":3,"a":2}`,
	} {
		var m PatternMap
		require.NoError(t, json.Unmarshal([]byte(text), &m))
		require.Equal(t, want, m.String())
		require.Equal(t, strings.Count(want, ":"), m.Len())
	}
	for text, want := range map[string]string{
		`[]`: "expected an object", `3`: "expected an object", `{"a": "1"}`: `key "a": expected a number, found 1`, `{"a": null}`: "expected a number", `{"(": 1}`: `key "("`, `{"a": 1`: "unexpected end",
	} {
		require.ErrorContains(t, json.Unmarshal([]byte(text), new(PatternMap)), want, text)
	}
}

func TestPatternMapSet(t *testing.T) {
	var m PatternMap
	require.NoError(t, m.Set("a", 1))
	require.NoError(t, m.Set("b", 2))
	before := m
	require.NoError(t, m.Set("a", 3))
	require.NoError(t, m.Set("c", 4))
	require.Error(t, m.Set("*", 5))
	require.Equal(t, `{"a":1,"b":2}`, before.String())
	require.Equal(t, `{"a":3,"b":2,"c":4}`, m.String())
	for key, value := range m.All() {
		require.Equal(t, "a", key)
		require.Equal(t, 3.0, value)
		break
	}
}

// TestHostilePatternEnds gives up on a match that would take for ever, wherever the pattern stands.
func TestHostilePatternEnds(t *testing.T) {
	const hostile = `(.*\.?)*z`
	s := linears(t, strings.Repeat("layer.", 20)+"q")
	for name, on := range map[string]Targets{
		"modules": FullMatch(hostile), "exclude": {Modules: Names{List: []string{"q"}}, Exclude: Names{Pattern: hostile}},
		"layers": {Modules: Names{List: []string{"q"}}, Layers: []int{1}, LayersPattern: []string{hostile}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := on.Select(s)
			require.ErrorContains(t, err, "takes longer than 1s")
		})
	}
}

// FuzzPattern rewrites anything without a panic; what is rewritten is right for regexp2, and ends.
func FuzzPattern(f *testing.F) {
	for _, p := range []string{
		`.*(?<!self)\.dense|(?P<n>a)(?P=n)+`, `(?xi) [^\W\d] {2,3}+ # end`, `((a)|b(?(2)c|d))*?\1\x41\101`, `(?a-i:[]\w-]\b)\Z`, `(?>a{,2}){1,}+(?#note)`, `(?=a)(?!b)[^]^-]`,
	} {
		f.Add(p, "model.layers.0.self_attn.q_proj")
	}
	f.Fuzz(func(t *testing.T, source, text string) {
		out, err := fromPython(source)
		if err != nil {
			return
		}
		re, err := regexp2.Compile(out, regexp2.None)
		require.NoError(t, err, "%q became %q", source, out)
		re.MatchTimeout = 50 * time.Millisecond
		start := time.Now()
		_, _ = re.MatchString(text)
		require.Less(t, time.Since(start), 5*time.Second)
	})
}
