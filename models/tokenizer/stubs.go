package tokenizer

func newUnigram(c config) (model, vocabulary, error) {
	return nil, vocabulary{}, c.errorf("found a Unigram model, expected WordPiece or WordLevel")
}
func newPrecompiled(c config) (normalizer, error) {
	return nil, c.errorf("found a Precompiled normalizer, which is not supported")
}
