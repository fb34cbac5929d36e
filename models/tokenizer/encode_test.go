package tokenizer

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// bertFile is a small WordPiece tokenizer, with %s for further fields of the file.
const bertFile = `{"added_tokens": [{"id": 2, "content": "[CLS]", "special": true}, {"id": 3, "content": "[SEP]", "special": true},
	{"id": 0, "content": "[PAD]", "special": true}, {"id": 20, "content": "<new>", "lstrip": true}],
	"normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": "BertPreTokenizer"},
	"post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 2], "sep": ["[SEP]", 3]},
	"decoder": {"type": "WordPiece"}, %s
	"model": {"type": "WordPiece", "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4, "b": 5, "##b": 6, "c": 7, "é": 8, "e": 9, "x": 10}}}`

func bert(t testing.TB) *Tokenizer {
	tok, err := Parse([]byte(fmt.Sprintf(bertFile, "")))
	require.NoError(t, err)
	return tok
}

func TestEncodeOptions(t *testing.T) {
	tok := bert(t)
	for _, c := range []struct {
		text    string
		opts    []Option
		tokens  string
		offsets [][2]int
	}{
		{"ab É <new>c", nil, "[CLS] a ##b e  <new> c [SEP]", [][2]int{{0, 0}, {0, 1}, {1, 2}, {3, 4}, {4, 10}, {10, 11}, {0, 0}}},
		{"ab É <new>c", []Option{NoSpecial()}, "a ##b e  <new> c", [][2]int{{0, 1}, {1, 2}, {3, 4}, {4, 10}, {10, 11}}},
		{"ab É <new>c", []Option{NoSpecial(), ByteOffsets()}, "a ##b e  <new> c", [][2]int{{0, 1}, {1, 2}, {3, 5}, {5, 11}, {11, 12}}},
		{"a b c a b c", []Option{MaxLength(4)}, "[CLS] a b [SEP]", [][2]int{{0, 0}, {0, 1}, {2, 3}, {0, 0}}},
		{"a b c a b c", []Option{Truncate(Truncation{MaxLength: 4, Left: true})}, "[CLS] b c [SEP]", [][2]int{{0, 0}, {8, 9}, {10, 11}, {0, 0}}},
		{"a\xffb", []Option{NoSpecial()}, "a ##b", [][2]int{{0, 1}, {2, 3}}}, // a broken byte is one U+FFFD, which BERT takes out
		{"", nil, "[CLS] [SEP]", [][2]int{{0, 0}, {0, 0}}},
		{"", []Option{NoSpecial()}, "", [][2]int{}},
	} {
		e, err := tok.Encode(c.text, c.opts...)
		require.NoError(t, err)
		require.Equal(t, c.tokens, strings.Join(e.Tokens, " "), "%q", c.text)
		require.Equal(t, c.offsets, e.Offsets, "%q", c.text)
	}
}

func TestEncodeErrors(t *testing.T) {
	noUnknown, err := Parse([]byte(`{"model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": {"a": 0}}}`))
	require.NoError(t, err)
	slow, err := Parse([]byte(`{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a|aa)+(a|aa)+(a|aa)+$x"}, "behavior": "Isolated"},
		"model": {"type": "WordLevel", "unk_token": "a", "vocab": {"a": 0}}}`))
	require.NoError(t, err)
	growing, err := Parse([]byte(`{"normalizer": {"type": "Sequence", "normalizers": [` +
		strings.Repeat(`{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"},`, 60) + `{"type": "NFC"}]},
		"model": {"type": "WordLevel", "unk_token": "a", "vocab": {"a": 0}}}`))
	require.NoError(t, err)
	tok := bert(t)
	for _, c := range []struct {
		tok  *Tokenizer
		in   []string
		opts []Option
		want string
	}{
		{noUnknown, []string{"b"}, nil, `tokenizer: "b" has no token, and the token for the unknown, "<unk>", is not in the vocabulary`},
		{slow, []string{strings.Repeat("a", 1000)}, nil, "takes too long on a text of 1000 bytes"},
		{growing, []string{"a"}, nil, "tokenizer: a normalizer makes a text longer than 65568 bytes"},
		{tok, []string{"a", "b", "c"}, nil, "tokenizer: found an input of 3 texts, expected 1 or 2"},
		{tok, []string{strings.Repeat("a", maxText+1)}, nil, "found a text of 33554433 bytes, expected at most 33554432"},
		{tok, []string{"a b c"}, []Option{MaxLength(-1)}, "tokenizer: truncation: found length -1 and stride 0, expected neither below 0"},
		{tok, []string{"a b c"}, []Option{Truncate(Truncation{MaxLength: 4, Stride: 3})}, "found stride 3, expected less than the length, which is 2"},
		{tok, []string{"a b c"}, []Option{Truncate(Truncation{MaxLength: 4, Strategy: OnlySecond})}, "found one text, expected a pair"},
		{tok, []string{"a b c", "a"}, []Option{Truncate(Truncation{MaxLength: 5, Strategy: OnlySecond})}, "text 2 has 1 tokens and is to lose 2"},
		{tok, []string{strings.Repeat("a ", 1<<16)}, []Option{Truncate(Truncation{MaxLength: 1026, Stride: 1023, Overflow: true})}, "the overflow would have"},
	} {
		_, err := c.tok.EncodeBatch([][]string{c.in}, c.opts...)
		require.ErrorContains(t, err, c.want)
	}
}

// TestTruncationLengths checks every small pair of lengths: as many tokens stay as there is room for, and the shorter text loses nothing before the longer.
func TestTruncationLengths(t *testing.T) {
	for a := range 12 {
		for b := range 12 {
			for room := 1; room < 24; room++ {
				texts := []Encoding{*bertTokens(a), *bertTokens(b)}
				require.NoError(t, Truncation{MaxLength: room}.apply(texts, 0))
				x, y := texts[0].Len(), texts[1].Len()
				require.Equal(t, min(a+b, room), x+y, "%d %d %d", a, b, room)
				require.True(t, x == a || x+1 >= y, "%d %d %d: %d %d", a, b, room, x, y)
				require.True(t, y == b || y+1 >= x, "%d %d %d: %d %d", a, b, room, x, y)
			}
		}
	}
}

func bertTokens(n int) *Encoding {
	e := newEncoding(n)
	for i := range n {
		e.add(int32(i), "a", [2]int{i, i + 1}, i, 0)
	}
	return &e
}

// TestPadding pads a batch in every way, its overflow included.
func TestPadding(t *testing.T) {
	tok := bert(t)
	for _, c := range []struct {
		pad  Padding
		want [][]int32
	}{
		{Padding{}, [][]int32{{2, 4, 3, 0}, {2, 4, 5, 3}}},
		{Padding{Left: true, ID: 9}, [][]int32{{9, 2, 4, 3}, {2, 4, 5, 3}}},
		{Padding{Length: 5}, [][]int32{{2, 4, 3, 0, 0}, {2, 4, 5, 3, 0}}},
		{Padding{Length: 2}, [][]int32{{2, 4, 3}, {2, 4, 5, 3}}},
		{Padding{Multiple: 3}, [][]int32{{2, 4, 3, 0, 0, 0}, {2, 4, 5, 3, 0, 0}}},
	} {
		batch, err := tok.EncodeBatch([][]string{{"a"}, {"a b"}})
		require.NoError(t, err)
		Pad(c.pad, batch...)
		require.Equal(t, c.want, [][]int32{batch[0].IDs, batch[1].IDs})
	}
	Pad(Padding{}) // nothing to pad
}

// TestConcurrent encodes with one tokenizer on many goroutines; the race detector has an eye on it.
func TestConcurrent(t *testing.T) {
	for name, tok := range map[string]*Tokenizer{"WordPiece": bert(t), "BPE": smallBPE(t), "Unigram": smallUnigram(t)} {
		text := strings.Repeat("ab abab <new> a b é abba ", 50)
		want, err := tok.Encode(text)
		require.NoError(t, err)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 20 {
					if got, err := tok.Encode(text); err != nil || fmt.Sprint(got.IDs) != fmt.Sprint(want.IDs) || tok.Decode(got.IDs) != tok.Decode(want.IDs) {
						t.Errorf("%s: %v %v", name, err, got)
						return
					}
				}
			})
		}
		wg.Wait()
	}
}

// TestPublishedOffsets checks for every published tokenizer and text that the offsets are places in the text, in both units.
func TestPublishedOffsets(t *testing.T) {
	var texts struct{ Texts []string }
	readGolden(t, "texts.json", &texts)
	for _, name := range publishedNames {
		tok := published(t, name)
		for _, s := range texts.Texts {
			chars, err := tok.Encode(s)
			require.NoError(t, err)
			bytes, err := tok.Encode(s, ByteOffsets())
			require.NoError(t, err)
			for i, o := range bytes.Offsets {
				require.Equal(t, [2]int{utf8.RuneCountInString(s[:o[0]]), utf8.RuneCountInString(s[:o[1]])}, chars.Offsets[i], "%s: %q", name, s)
			}
		}
	}
}
