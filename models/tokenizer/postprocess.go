package tokenizer

import "slices"

// A postProcessor puts special tokens around one text or two, and adjusts offsets.
type postProcessor interface {
	// process returns the parts of the whole, in their order; special says whether special tokens are added.
	process(parts []Encoding, special bool) []Encoding
	// added returns how many special tokens are added to one text, or to a pair.
	added(pair bool) int
}

// newPostProcessor builds the post-processor that a part of a file describes; a missing one adds nothing.
func newPostProcessor(c config) (postProcessor, error) {
	if c.absent() {
		return postProcessors{}, nil
	}
	kind, err := c.kind()
	if err != nil {
		return nil, err
	}
	switch kind {
	case "Sequence":
		return newPostProcessors(c)
	case "TemplateProcessing":
		return newTemplate(c)
	case "BertProcessing":
		return newBertProcessing(c)
	case "RobertaProcessing":
		return newRobertaProcessing(c)
	case "ByteLevel":
		return newByteLevel(c)
	}
	return nil, c.unknown(kind, "Sequence", "TemplateProcessing", "BertProcessing", "RobertaProcessing", "ByteLevel")
}

// postProcessors work one after the other.
type postProcessors []postProcessor

// newPostProcessors refuses two that arrange texts: the second would find more parts than texts.
func newPostProcessors(c config) (postProcessor, error) {
	all, err := parts(c, "processors", newPostProcessor)
	if err != nil {
		return nil, err
	}
	arranging := 0
	for _, p := range all {
		if _, trims := p.(*byteLevel); !trims {
			arranging++
		}
	}
	if arranging > 1 {
		return nil, c.errorf("found %d processors that arrange texts, expected one", arranging)
	}
	return postProcessors(all), nil
}

func (all postProcessors) process(parts []Encoding, special bool) []Encoding {
	for _, p := range all {
		parts = p.process(parts, special)
	}
	return parts
}

func (all postProcessors) added(pair bool) (n int) {
	for _, p := range all {
		n += p.added(pair)
	}
	return n
}

// special returns tokens that come from no text, all of one type.
func special(ids []int32, tokens []string, kind int32) Encoding {
	n := len(ids)
	e := Encoding{
		IDs:     slices.Clone(ids),
		Types:   slices.Repeat([]int32{kind}, n),
		Tokens:  slices.Clone(tokens),
		Offsets: make([][2]int, n),
		Words:   slices.Repeat([]int{-1}, n),
		Special: slices.Repeat([]bool{true}, n),
		Mask:    slices.Repeat([]bool{true}, n),
	}
	return e
}
