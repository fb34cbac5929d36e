package tokenizer_test

import (
	"fmt"

	"peft/models/tokenizer"
)

// small is a complete tokenizer.json with a handful of tokens.
const small = `{
	"added_tokens": [{"id": 0, "content": "[PAD]", "special": true}, {"id": 1, "content": "[UNK]", "special": true},
		{"id": 2, "content": "[CLS]", "special": true}, {"id": 3, "content": "[SEP]", "special": true}],
	"normalizer": {"type": "BertNormalizer", "lowercase": true},
	"pre_tokenizer": {"type": "BertPreTokenizer"},
	"post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 2], "sep": ["[SEP]", 3]},
	"decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
	"model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3,
		"token": 4, "##ize": 5, "##s": 6, "words": 7, "every": 8, "model": 9, "who": 10, "!": 11, "?": 12, "cafe": 13}}
}`

func Example() {
	t, err := tokenizer.Parse([]byte(small)) // tokenizer.Open("path/of/the/model") reads it from a model's folder
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := t.Encode("Every Café tokenizes words!")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.IDs)
	fmt.Println(e.Tokens)
	fmt.Println(t.Decode(e.IDs))
	// Output:
	// [2 8 13 4 5 6 7 11 3]
	// [[CLS] every cafe token ##ize ##s words ! [SEP]]
	// every cafe tokenizes words!
}

// Offsets lead back to the text, whatever the normalizer made of it.
func ExampleByteOffsets() {
	t, _ := tokenizer.Parse([]byte(small))
	text := "The Café tokenizes?"
	e, _ := t.Encode(text, tokenizer.NoSpecial(), tokenizer.ByteOffsets())
	for i, o := range e.Offsets {
		fmt.Printf("%s=%q ", e.Tokens[i], text[o[0]:o[1]])
	}
	// Output: [UNK]="The" cafe="Café" token="token" ##ize="ize" ##s="s" ?="?"
}

// Two texts of a pair are told apart by their types.
func ExampleTokenizer_EncodePair() {
	t, _ := tokenizer.Parse([]byte(small))
	e, _ := t.EncodePair("Who tokenizes?", "Every model!")
	fmt.Println(e.Tokens)
	fmt.Println(e.Types)
	// Output:
	// [[CLS] who token ##ize ##s ? [SEP] every model ! [SEP]]
	// [0 0 0 0 0 0 0 1 1 1 1]
}

// A long text in windows that overlap: the first is the encoding, the others are its overflow.
func ExampleTruncate() {
	t, _ := tokenizer.Parse([]byte(small))
	e, _ := t.Encode("every model tokenizes words!", tokenizer.Truncate(tokenizer.Truncation{MaxLength: 6, Stride: 1, Overflow: true}))
	fmt.Println(e.Tokens)
	for _, o := range e.Overflow {
		fmt.Println(o.Tokens)
	}
	// Output:
	// [[CLS] every model token ##ize [SEP]]
	// [[CLS] ##ize ##s words ! [SEP]]
}

func ExamplePad() {
	t, _ := tokenizer.Parse([]byte(small))
	batch, _ := t.EncodeBatch([][]string{{"words"}, {"every model!"}})
	pad, _ := t.PadID()
	tokenizer.Pad(tokenizer.Padding{ID: pad, Token: "[PAD]"}, batch...)
	for _, e := range batch {
		fmt.Println(e.IDs, e.Mask)
	}
	// Output:
	// [2 7 3 0 0] [true true true false false]
	// [2 8 9 11 3] [true true true true true]
}
