// Package tokenizer turns text into the numbers that language models read, and back, by the rules in a model's own tokenizer.json.
//
//	t, err := tokenizer.Open("models/bert-base-uncased")
//	e, err := t.Encode("Hello, world!")
//	e.IDs                     // [101 7592 1010 2088 999 102]
//	t.Decode(e.IDs)           // "hello, world!"
//
// A file names five parts, and a text passes through them in this order:
//
//  1. added tokens, such as [MASK], are taken out as they stand
//  2. a normalizer rewrites what lies between them: case, accents, normal forms of Unicode
//  3. a pre-tokenizer splits it into pieces: words, numbers, signs
//  4. a model takes each piece apart into tokens of its vocabulary: WordPiece, BPE, Unigram or WordLevel
//  5. a post-processor puts tokens such as [CLS] and [SEP] around one text or two
//
// A decoder goes the other way. Every part of the file format that published models use is known; a file with any other is refused when it is read, never
// read in part. The results are those of the reference library, Hugging Face's tokenizers: ids, tokens, offsets and decoded text, to the last
// peculiarity, which is why the sets of characters here come from its tables and not from package unicode.
//
// Truncation and padding that a file asks for are not applied unless the caller passes them on, see [Tokenizer.Truncation] and [Tokenizer.Padding].
//
// A Tokenizer does not change once it is made, but for a memory of words that it can share, so any number of goroutines may use it. Files and texts may come
// from strangers: sizes, growth and the work of patterns are bounded, and what goes beyond ends in an error.
//
// Package chat, below this one, writes a conversation as the text that a model was trained to read.
package tokenizer
