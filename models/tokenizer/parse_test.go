package tokenizer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestParseErrors has a broken file for each kind of mistake, and what is said of it.
func TestParseErrors(t *testing.T) {
	model := `"model": {"type": "WordLevel", "vocab": {"a": 0}}`
	deep := strings.Repeat(`{"type": "Sequence", "normalizers": [`, 30) + strings.Repeat(`]}`, 30)
	for in, want := range map[string]string{
		``:                                 "tokenizer.json: found nothing, expected a value",
		`{`:                                "tokenizer.json: unexpected end of JSON input",
		`[]`:                               "tokenizer.json: found array, expected an object",
		`{}`:                               "tokenizer.json: model: found nothing, expected a value",
		`{"model": 1}`:                     "tokenizer.json.model: found number, expected an object",
		`{"model": {"type": "LSTM"}}`:      `model: found type "LSTM", expected one of WordPiece, WordLevel, BPE, Unigram`,
		`{"model": {"type": 3}}`:           "model.type: found number, expected a string",
		`{"model": {"type": "WordLevel"}}`: "model.vocab: found nothing, expected the list",
		`{"model": {"type": "WordPiece", "vocab": {"a": 0, "b": 0}}}`:                                                  `model.vocab: found id 0 for both "a" and "b"`,
		`{"model": {"type": "WordPiece", "vocab": {"a": 100000}}}`:                                                     `model.vocab: found id 100000 for token "a", expected 0 to 65539 in a vocabulary of 1 tokens`,
		`{"model": {"type": "WordPiece", "vocab": {"a": -1}}}`:                                                         "expected an id from 0 to 2147483647",
		`{"model": {"type": "WordPiece", "vocab": {"a": "b"}}}`:                                                        "expected an id from 0 to 2147483647",
		`{"model": {"type": "WordPiece", "vocab": [1]}}`:                                                               `found "[1]" at byte 0, expected "{"`,
		`{"model": {"type": "BPE", "vocab": {"a": 0}}}`:                                                                "model.merges: found nothing, expected the list",
		`{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}`:                                             `model.merges: merge 0: found the token "b", which is not in the vocabulary`,
		`{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a"]}}`:                                               `model.merges: found "a", expected two tokens and a space between`,
		`{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a"]]}}`:                                             `expected ","`,
		`{"model": {"type": "Unigram", "vocab": [["a", "b"]]}}`:                                                        "expected a number",
		`{"model": {"type": "Unigram", "vocab": [], "unk_id": 0}}`:                                                     "model: found unk_id 0, expected 0 to -1",
		`{` + model + `, "normalizer": {"type": "Upper"}}`:                                                             `normalizer: found type "Upper", expected one of Sequence,`,
		`{` + model + `, "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Upper"}]}}`:     `normalizer.normalizers[1]: found type "Upper"`,
		`{` + model + `, "normalizer": {"type": "Sequence"}}`:                                                          "normalizer.normalizers: found nothing, expected a value",
		`{` + model + `, "normalizer": ` + deep + `}`:                                                                  "found lists within lists deeper than 16",
		`{` + model + `, "normalizer": {"type": "Replace", "pattern": {}, "content": ""}}`:                             "normalizer: found no pattern",
		`{` + model + `, "normalizer": {"type": "Replace", "pattern": {"Regex": "("}, "content": ""}}`:                 `normalizer: pattern "(", byte 1: a ( without ) is not supported`,
		`{` + model + `, "normalizer": {"type": "Prepend", "prepend": "` + strings.Repeat("a", 300) + `"}}`:            "normalizer: found a replacement of 300 bytes, expected at most 256",
		`{` + model + `, "normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAA="}}`:                       "normalizer: found a table of 2 bytes",
		`{` + model + `, "normalizer": {"type": "Precompiled", "precompiled_charsmap": "/////wAAAAA="}}`:               "normalizer: found a trie of 4294967295 bytes in a table of 8",
		`{` + model + `, "pre_tokenizer": {"type": "Spaces"}}`:                                                         `pre_tokenizer: found type "Spaces"`,
		`{` + model + `, "pre_tokenizer": {"type": "Split", "pattern": {"String": "a"}, "behavior": "Gone"}}`:          `pre_tokenizer: found behavior "Gone"`,
		`{` + model + `, "pre_tokenizer": {"type": "Metaspace", "prepend_scheme": "last"}}`:                            `found prepend_scheme "last"`,
		`{` + model + `, "pre_tokenizer": {"type": "Metaspace", "replacement": "ab"}}`:                                 `found replacement "ab", expected one character`,
		`{` + model + `, "post_processor": {"type": "Frame"}}`:                                                         `post_processor: found type "Frame"`,
		`{` + model + `, "post_processor": {"type": "BertProcessing", "sep": ["a"], "cls": ["a", 1]}}`:                 "expected a list of a token and its id",
		`{` + model + `, "post_processor": {"type": "TemplateProcessing", "single": [], "pair": []}}`:                  "template for 1 texts: found the first text 0 times and the second 0 times",
		`{` + model + `, "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x"}}]}}`: `part 0: found 0 ids and 0 tokens for "x" in special_tokens`,
		`{` + model + `, "decoder": {"type": "Encoder"}}`:                                                              `decoder: found type "Encoder"`,
		`{` + model + `, "decoder": {"type": "Replace", "pattern": {"Regex": "a"}, "content": ""}}`:                    "decoder: found no string to replace",
		`{` + model + `, "added_tokens": [{"id": 5000000, "content": "x"}]}`:                                           `added_tokens: found id 5000000 for "x"`,
		`{` + model + `, "added_tokens": [{"id": 1, "content": ""}]}`:                                                  "added_tokens: found an empty token with the id 1",
		`{` + model + `, "added_tokens": [{"id": "1"}]}`:                                                               "found string, expected an integer",
		`{` + model + `, "truncation": {"max_length": 8, "strategy": "Some"}}`:                                         `truncation: found strategy "Some"`,
		`{` + model + `, "truncation": {"max_length": -8, "strategy": "OnlyFirst"}}`:                                   "truncation: found max_length -8",
		`{` + model + `, "padding": {"strategy": {"Fixed": 99999999999}, "pad_id": 0}}`:                                "padding: found length 99999999999",
		`{` + model + `, "padding": {"strategy": "Some"}}`:                                                             `expected "BatchLongest" or {"Fixed": …}`,
		`{` + model + `, "padding": {"strategy": "BatchLongest", "direction": "Up"}}`:                                  `padding: found direction "Up"`,
	} {
		_, err := Parse([]byte(in))
		require.ErrorContains(t, err, want, "%s", in)
	}
}

// TestFileTruncationAndPadding checks that what a file asks for can be read and is not applied.
func TestFileTruncationAndPadding(t *testing.T) {
	tok, err := Parse([]byte(fmt.Sprintf(bertFile, `"truncation": {"max_length": 4, "strategy": "OnlyFirst", "stride": 1, "direction": "Left"},
		"padding": {"strategy": {"Fixed": 9}, "direction": "Left", "pad_to_multiple_of": 2, "pad_id": 7, "pad_type_id": 1, "pad_token": "c"},`)))
	require.NoError(t, err)
	cut, ok := tok.Truncation()
	require.True(t, ok)
	require.Equal(t, Truncation{MaxLength: 4, Strategy: OnlyFirst, Left: true, Stride: 1}, cut)
	pad, ok := tok.Padding()
	require.True(t, ok)
	require.Equal(t, Padding{9, 2, true, 7, 1, "c"}, pad)
	e, err := tok.Encode("a b c a b c")
	require.NoError(t, err)
	require.Equal(t, 8, e.Len())
	id, ok := tok.PadID()
	require.True(t, ok)
	require.EqualValues(t, 7, id)

	_, ok = bert(t).Truncation()
	require.False(t, ok)
	_, ok = bert(t).Padding()
	require.False(t, ok)
}

// TestOpen reads a folder in the forms that there are.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(dir)
	require.ErrorContains(t, err, "found neither tokenizer.json nor vocab.txt")
	_, err = Open(filepath.Join(dir, "nothing"))
	require.ErrorContains(t, err, "no such file")

	write := func(name, content string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nÉtat\n")
	write("tokenizer_config.json", `{"do_lower_case": false, "cls_token": {"content": "[CLS]"}, "mask_token": "État", "model_max_length": 512}`)
	tok, err := Open(dir)
	require.NoError(t, err)
	require.Equal(t, 5, tok.VocabSize())
	e, err := tok.Encode("État [UNK] etat")
	require.NoError(t, err)
	require.Equal(t, []int32{2, 4, 1, 1, 3}, e.IDs)
	for role, want := range map[string]int32{"cls": 2, "mask": 4, "pad": 0, "sep": 3, "unk": 1} {
		id, ok := tok.RoleID(role)
		require.True(t, ok, role)
		require.Equal(t, want, id, role)
	}
	_, ok := tok.RoleID("eos")
	require.False(t, ok)

	write("tokenizer.json", fmt.Sprintf(bertFile, ""))
	for _, path := range []string{dir, filepath.Join(dir, "tokenizer.json")} {
		tok, err = Open(path)
		require.NoError(t, err)
		require.Equal(t, 21, tok.VocabSize())
	}
	write("tokenizer.json", "{")
	_, err = Open(dir)
	require.ErrorContains(t, err, "tokenizer.json: unexpected end of JSON input")
	write("tokenizer_config.json", "[]")
	_, err = Open(dir)
	require.ErrorContains(t, err, "tokenizer_config.json: found array, expected an object")
}

// TestVocabulary looks tokens up in both directions.
func TestVocabulary(t *testing.T) {
	tok := bert(t)
	for id, token := range map[int32]string{4: "a", 6: "##b", 20: "<new>", 2: "[CLS]"} {
		got, ok := tok.ID(token)
		require.True(t, ok)
		require.Equal(t, id, got)
		back, ok := tok.Token(id)
		require.True(t, ok)
		require.Equal(t, token, back)
	}
	for _, id := range []int32{-1, 15, 21, 1 << 30} {
		_, ok := tok.Token(id)
		require.False(t, ok, id)
	}
	_, ok := tok.ID("nowhere")
	require.False(t, ok)
	require.True(t, tok.IsSpecial(2))
	require.False(t, tok.IsSpecial(20))
	require.False(t, tok.IsSpecial(4))
	require.Equal(t, "a <new>", tok.Decode([]int32{2, 4, 15, 20, -7, 3}))
	require.Equal(t, "[CLS] a <new> [SEP]", tok.DecodeAll([]int32{2, 4, 15, 20, -7, 3}))
}
