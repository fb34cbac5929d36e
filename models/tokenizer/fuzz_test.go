package tokenizer

import (
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzParse reads files of any content; what can be read encodes and decodes without a panic.
func FuzzParse(f *testing.F) {
	f.Add(fmt.Sprintf(bertFile, ""), "ab é")
	f.Add(`{"model": {"type": "BPE", "byte_fallback": true, "merges": ["a b"], "vocab": {"a": 0, "b": 1, "ab": 2}}, "decoder": {"type": "ByteFallback"},
		"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": "▁"}, {"type": "Prepend", "prepend": "▁"}]},
		"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "(?i:a+|b)"}, "behavior": "MergedWithNext"}, {"type": "ByteLevel"}]}}`, "ab AB")
	f.Add(`{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["?", 0], ["▁", -1], ["ab", -2.5]]}, "pre_tokenizer": {"type": "Metaspace", "prepend_scheme": "first"},
		"normalizer": {"type": "Precompiled", "precompiled_charsmap": "CAAAAAAAAAAAAAAAYQA="}, "decoder": {"type": "Metaspace"},
		"post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}]},
		"truncation": {"max_length": 3, "strategy": "LongestFirst", "stride": 1}, "padding": {"strategy": {"Fixed": 4}, "pad_id": 0}}`, "ab  ab")
	f.Fuzz(func(t *testing.T, file, s string) {
		tok, err := Parse([]byte(file))
		if err != nil || len(s) > 1<<12 {
			return
		}
		requireSound(t, tok, s)
		if cut, ok := tok.Truncation(); ok {
			cut.Overflow = true
			e, err := tok.EncodePair(s, s, Truncate(cut))
			require.True(t, err != nil || cut.MaxLength < tok.post.added(true) || e.Len() <= cut.MaxLength)
		}
	})
}

// FuzzEncode encodes any text with a tokenizer of each kind.
func FuzzEncode(f *testing.F) {
	toks := []*Tokenizer{bert(f), smallBPE(f), smallUnigram(f)}
	for _, name := range []string{"gpt2", "gpt-oss", "llama-2", "t5", "albert", "deepseek-v3"} {
		if tok, err := Open(tokenizers + "/" + name); err == nil { // published ones as far as they are there
			toks = append(toks, tok)
		}
	}
	for _, s := range []string{"", "Hello, world!", "naïve ﬁ 漢字 😀\u0301", "\xff\xfe\x00", "<|endoftext|> <extra_id_0>", "e\u0301\u0323\u0345", "  \r\n\t"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, tok := range toks {
			requireSound(t, tok, s)
		}
	})
}

// requireSound encodes a text and checks that what comes out fits together.
func requireSound(t *testing.T, tok *Tokenizer, s string) {
	t.Helper()
	e, err := tok.Encode(s)
	if err != nil {
		return
	}
	n := utf8.RuneCountInString(s)
	for i, o := range e.Offsets {
		require.True(t, 0 <= o[0] && o[0] <= o[1] && o[1] <= n, "token %d of %q lies at %v of %d characters", i, s, o, n)
		require.Less(t, int(e.IDs[i]), max(tok.VocabSize(), int(e.IDs[i])+1)) // ids of a post-processor may be any
	}
	require.Equal(t, []int{len(e.IDs), len(e.IDs), len(e.IDs), len(e.IDs), len(e.IDs)}, []int{len(e.Types), len(e.Tokens), len(e.Words), len(e.Special), len(e.Mask)})
	require.True(t, utf8.ValidString(tok.Decode(e.IDs)), "%q", tok.Decode(e.IDs))
}

// FuzzRegex runs any pattern on any text.
func FuzzRegex(f *testing.F) {
	f.Add(byteLevelWords, "it's 12 o'clock")
	f.Add(`(?i:[^\r\n\p{L}]?\p{Lu}*[a-z&&[^b]]+|(a|b*)*?){1,3}(?!\S)$`, "aAb \n")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		r, err := compileRegex(pattern)
		if err != nil || len(s) > 1<<10 {
			return
		}
		cuts, err := r.cuts(nil, s)
		if err != nil {
			return
		}
		done := 0
		for _, c := range cuts {
			require.True(t, c.lo == done && c.hi >= c.lo)
			done = c.hi
		}
		require.Equal(t, len(s), done)
	})
}
