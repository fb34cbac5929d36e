package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the reference library computes, and the published tokenizers with which it did.
const (
	golden     = "../../../shared/golden/tokenizers"
	tokenizers = "../../../shared/tokenizers"
)

// readGolden reads one of the golden files; the test is skipped where there are none.
func readGolden(t testing.TB, name string, v any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(golden, name))
	if os.IsNotExist(err) {
		t.Skipf("no golden files: %v", err)
	}
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, v))
}

// published opens a published tokenizer; the test is skipped where it was not fetched.
func published(t testing.TB, name string) *Tokenizer {
	t.Helper()
	dir := filepath.Join(tokenizers, name)
	if _, err := os.Stat(filepath.Join(dir, "tokenizer.json")); err != nil {
		t.Skipf("the published tokenizer is not there: %v", err)
	}
	tok, err := Open(dir)
	require.NoError(t, err)
	return tok
}

var publishedNames = []string{
	"bert-uncased", "bert-chinese", "wordpiece-cased", "gpt2", "roberta-style", "smollm2", "llama-3", "qwen3", "gpt-oss", "deepseek-v3", "clip", "llama-2", "mistral", "gemma3", "t5", "mt5", "albert",
}

// TestPublished compares ids, decoded texts and offsets for every published tokenizer and every text.
func TestPublished(t *testing.T) {
	var texts struct{ Texts []string }
	readGolden(t, "texts.json", &texts)
	for _, name := range publishedNames {
		t.Run(name, func(t *testing.T) {
			tok := published(t, name)
			var want struct {
				IDs, Special   [][]int32
				IDsSpecial     [][]int32 `json:"ids_special"`
				Decoded        []string
				DecodedSpecial []string   `json:"decoded_special"`
				OffsetsOf      []int      `json:"offsets_of"`
				Offsets        [][][2]int `json:"offsets"`
			}
			readGolden(t, name+".json", &want)
			offsets := map[int][][2]int{}
			for i, n := range want.OffsetsOf {
				offsets[n] = want.Offsets[i]
			}
			for i, text := range texts.Texts {
				plain, err := tok.Encode(text, NoSpecial())
				require.NoError(t, err)
				require.Equal(t, want.IDs[i], plain.IDs, "text %d: %q: %q", i, text, plain.Tokens)
				e, err := tok.Encode(text)
				require.NoError(t, err)
				require.Equal(t, want.IDsSpecial[i], e.IDs, "text %d: %q", i, text)
				require.Equal(t, want.Decoded[i], tok.Decode(e.IDs), "text %d: %q", i, text)
				require.Equal(t, want.DecodedSpecial[i], tok.DecodeAll(e.IDs), "text %d: %q", i, text)
				if o, ok := offsets[i]; ok {
					require.Equal(t, o, e.Offsets, "text %d: %q: %q", i, text, e.Tokens)
				}
			}
		})
	}
}

// goldenEncoding is an encoding as the golden files write it.
type goldenEncoding struct {
	IDs, Types  []int32
	TypeIDs     []int32 `json:"type_ids"`
	Mask        []int   `json:"attention_mask"`
	Special     []int   `json:"special_tokens_mask"`
	Offsets     [][2]int
	Words       []*int `json:"word_ids"`
	Overflowing []goldenEncoding
}

// encoding returns it as an Encoding without tokens.
func (g goldenEncoding) encoding() Encoding {
	e := Encoding{IDs: g.IDs, Types: g.TypeIDs, Offsets: g.Offsets}
	for i := range g.IDs {
		word := -1
		if g.Words[i] != nil {
			word = *g.Words[i]
		}
		e.Words = append(e.Words, word)
		e.Special = append(e.Special, g.Special[i] == 1)
		e.Mask = append(e.Mask, g.Mask[i] == 1)
	}
	for _, o := range g.Overflowing {
		e.Overflow = append(e.Overflow, o.encoding())
	}
	return e
}

// requireEncoding compares everything but the tokens.
func requireEncoding(t *testing.T, want, got Encoding, context ...any) {
	t.Helper()
	require.Equal(t, len(want.IDs), len(got.IDs), context...)
	if len(want.IDs) > 0 {
		require.Equal(t, want.IDs, got.IDs, context...)
		require.Equal(t, want.Types, got.Types, context...)
		require.Equal(t, want.Offsets, got.Offsets, context...)
		require.Equal(t, want.Words, got.Words, context...)
		require.Equal(t, want.Special, got.Special, context...)
		require.Equal(t, want.Mask, got.Mask, context...)
	}
	require.Len(t, got.Overflow, len(want.Overflow), context...)
	for i, o := range want.Overflow {
		o.Overflow = nil // the library repeats in it what is in the list already
		requireEncoding(t, o, got.Overflow[i], context...)
	}
}

// goldenCase is one call of the reference library with pairs, truncation or padding.
type goldenCase struct {
	Tokenizer  string
	Inputs     [][]string
	Special    bool `json:"add_special_tokens"`
	Truncation *struct {
		MaxLength int `json:"max_length"`
		Strategy  string
		Direction string
		Stride    int
	}
	Padding *struct {
		Direction string
		ID        int32  `json:"pad_id"`
		Type      int32  `json:"pad_type_id"`
		Token     string `json:"pad_token"`
		Length    int
		Multiple  int `json:"pad_to_multiple_of"`
	}
	AsLoaded bool `json:"as_loaded"`
	Results  []goldenEncoding
	Error    string
}

// options returns what the case asks for; pad is nil if it asks for no padding.
func (c goldenCase) options(tok *Tokenizer) (opts []Option, pad *Padding) {
	if !c.Special {
		opts = append(opts, NoSpecial())
	}
	if v := c.Truncation; v != nil {
		strategy := map[string]Strategy{"only_first": OnlyFirst, "only_second": OnlySecond}[v.Strategy]
		opts = append(opts, Truncate(Truncation{MaxLength: v.MaxLength, Strategy: strategy, Left: v.Direction == "left", Stride: v.Stride, Overflow: true}))
	}
	if v := c.Padding; v != nil {
		pad = &Padding{v.Length, v.Multiple, v.Direction == "left", v.ID, v.Type, v.Token}
	}
	if c.AsLoaded {
		cut, _ := tok.Truncation()
		cut.Overflow = true
		loaded, _ := tok.Padding()
		return append(opts, Truncate(cut)), &loaded
	}
	return opts, pad
}

// TestEncodings compares pairs, truncation and padding.
func TestEncodings(t *testing.T) {
	var file struct{ Cases []goldenCase }
	readGolden(t, "encodings.json", &file)
	byName := map[string]*Tokenizer{}
	for i, c := range file.Cases {
		tok, ok := byName[c.Tokenizer]
		if !ok {
			tok = published(t, c.Tokenizer)
			byName[c.Tokenizer] = tok
		}
		opts, pad := c.options(tok)
		got, err := tok.EncodeBatch(c.Inputs, opts...)
		if c.Error != "" {
			require.Error(t, err, "case %d: %+v", i, c)
			continue
		}
		require.NoError(t, err, "case %d: %+v", i, c)
		if pad != nil {
			Pad(*pad, got...)
		}
		for j, want := range c.Results {
			requireEncoding(t, want.encoding(), *got[j], "case %d: input %q, %s %+v %+v", i, c.Inputs[j], c.Tokenizer, c.Truncation, c.Padding)
		}
	}
}

// TestComponents compares single normalizers, pre-tokenizers and decoders.
func TestComponents(t *testing.T) {
	var file struct {
		Texts      []string
		TokenLists [][]string `json:"token_lists"`
		Components []struct {
			Kind    string
			Config  json.RawMessage
			Results json.RawMessage
		}
	}
	readGolden(t, "components.json", &file)
	for _, c := range file.Components {
		t.Run(c.Kind+" "+string(c.Config)[:min(len(c.Config), 60)], func(t *testing.T) {
			part := config{c.Kind, c.Config}
			switch c.Kind {
			case "normalizer":
				testNormalizer(t, part, file.Texts, c.Results)
			case "pre_tokenizer":
				testPreTokenizer(t, part, file.Texts, c.Results)
			default:
				testDecoder(t, part, file.TokenLists, c.Results)
			}
		})
	}
}

func testNormalizer(t *testing.T, c config, texts []string, results json.RawMessage) {
	var want []string
	require.NoError(t, json.Unmarshal(results, &want))
	n, err := newNormalizer(c)
	require.NoError(t, err)
	for i, s := range texts {
		got, err := n.normalize(text{s: s})
		require.NoError(t, err)
		require.Equal(t, want[i], got.s, "%s on text %d, %q", c.data, i, s)
		checkSpans(t, got, len(s))
	}
}

// checkSpans checks that every byte comes from a part of the original, and that characters stay in their order.
func checkSpans(t *testing.T, got text, length int) {
	t.Helper()
	last := int32(0)
	for i := range got.s {
		at := got.span(i, i+1)
		require.True(t, last <= at.start && at.start <= at.end && int(at.end) <= length, "byte %d of %q comes from %v of %d bytes", i, got.s, at, length)
		last = at.start
	}
}

func testPreTokenizer(t *testing.T, c config, texts []string, results json.RawMessage) {
	var want [][][3]any
	require.NoError(t, json.Unmarshal(results, &want))
	pre, err := newPreTokenizer(c)
	require.NoError(t, err)
	for i, s := range texts {
		var p pieces
		require.NoError(t, pre.split(&p, text{s: s}))
		at := offsetsIn(s, false)
		got := [][3]any{}
		for _, piece := range p.all {
			o := at(piece.span(0, len(piece.s)))
			got = append(got, [3]any{piece.plain().s, float64(o[0]), float64(o[1])})
		}
		require.Equal(t, want[i], got, "%s on text %d, %q", c.data, i, s)
	}
}

func testDecoder(t *testing.T, c config, lists [][]string, results json.RawMessage) {
	var want []*string
	require.NoError(t, json.Unmarshal(results, &want))
	d, err := newDecoder(c)
	require.NoError(t, err)
	for i, tokens := range lists {
		got := ""
		for _, s := range d.decode(append([]string(nil), tokens...)) {
			got += s
		}
		if want[i] != nil { // the reference library panics there
			require.Equal(t, *want[i], got, "%s on tokens %q", c.data, tokens)
		}
	}
}

// TestAddedTokens compares every flag of added tokens.
func TestAddedTokens(t *testing.T) {
	var file struct {
		Texts []string
		Cases []struct {
			Tokenizer json.RawMessage
			IDs       [][]int32
			Tokens    [][]string
			Offsets   [][][2]int
			Decoded   []string
		}
	}
	readGolden(t, "added_tokens.json", &file)
	for k, c := range file.Cases {
		tok, err := Parse(c.Tokenizer)
		require.NoError(t, err)
		for i, s := range file.Texts {
			e, err := tok.Encode(s)
			require.NoError(t, err)
			require.Equal(t, c.Tokens[i], e.Tokens, "case %d, text %d, %q", k, i, s)
			require.Equal(t, c.IDs[i], e.IDs, "case %d, text %d, %q", k, i, s)
			require.Equal(t, c.Offsets[i], e.Offsets, "case %d, text %d, %q", k, i, s)
			require.Equal(t, c.Decoded[i], tok.Decode(e.IDs), "case %d, text %d, %q", k, i, s)
		}
	}
}
