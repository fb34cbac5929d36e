package tokenizer

import (
	"slices"
	"strings"
)

// A decoder turns tokens into parts of a text, which are then joined. It may write into the slice that it is given.
type decoder interface {
	decode(tokens []string) []string
}

// newDecoder builds the decoder that a part of a file describes; without one, tokens are joined by spaces.
func newDecoder(c config) (decoder, error) {
	if c.absent() {
		return decodeFunc(spaceBetween), nil
	}
	kind, err := c.kind()
	if err != nil {
		return nil, err
	}
	switch kind {
	case "Sequence":
		return newDecoders(c)
	case "WordPiece":
		return newWordPieceDecoder(c)
	case "ByteLevel":
		return newByteLevel(c)
	case "Metaspace":
		return newMetaspace(c)
	case "ByteFallback":
		return decodeFunc(byteFallback), nil
	case "Fuse":
		return decodeFunc(func(tokens []string) []string { return []string{strings.Join(tokens, "")} }), nil
	case "Strip":
		return newStripDecoder(c)
	case "Replace":
		return newReplaceDecoder(c)
	case "BPEDecoder":
		return newSuffixDecoder(c)
	case "CTC":
		return newCTC(c)
	}
	return nil, c.unknown(kind, "Sequence", "WordPiece", "ByteLevel", "Metaspace", "ByteFallback", "Fuse", "Strip", "Replace", "BPEDecoder", "CTC")
}

type decodeFunc func(tokens []string) []string

func (f decodeFunc) decode(tokens []string) []string { return f(tokens) }

// each is a decoder that looks at every token alone.
func each(f func(token string) string) decodeFunc {
	return func(tokens []string) []string {
		for i, token := range tokens {
			tokens[i] = f(token)
		}
		return tokens
	}
}

// decoders work one after the other.
type decoders []decoder

// newDecoders refuses replacements that together make tokens very long.
func newDecoders(c config) (decoder, error) {
	const most = 1 << 10
	all, err := parts(c, "decoders", newDecoder)
	if err != nil {
		return nil, err
	}
	if n := decoders(all).growth(); n > most {
		return nil, c.errorf("found replacements by which tokens grow %.0f-fold, expected %d-fold at most", n, most)
	}
	return decoders(all), nil
}

// growth returns how many times longer tokens may become.
func (all decoders) growth() float64 {
	n := 1.0
	for _, d := range all {
		switch d := d.(type) {
		case decoders:
			n *= d.growth()
		case replaceDecoder:
			n *= max(1, float64(len(d.new))/float64(len(d.old)))
		}
	}
	return n
}

func (all decoders) decode(tokens []string) []string {
	for _, d := range all {
		tokens = d.decode(tokens)
	}
	return tokens
}

func spaceBetween(tokens []string) []string { return []string{strings.Join(tokens, " ")} }

func newWordPieceDecoder(c config) (decoder, error) {
	v := struct {
		Prefix  string
		Cleanup bool
	}{"##", true}
	err := c.read(&v)
	return decodeFunc(func(tokens []string) []string {
		for i, token := range tokens {
			if rest, ok := strings.CutPrefix(token, v.Prefix); i > 0 && ok {
				token = rest
			} else if i > 0 {
				token = " " + token
			}
			if v.Cleanup {
				token = cleanup(token)
			}
			tokens[i] = token
		}
		return tokens
	}), err
}

// cleanup takes out spaces before punctuation and within English contractions, one kind after the other.
func cleanup(s string) string {
	if !strings.Contains(s, " ") {
		return s
	}
	for _, r := range [][2]string{{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"}, {" n't", "n't"}, {" 'm", "'m"},
		{" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}} {
		s = strings.ReplaceAll(s, r[0], r[1])
	}
	return s
}

func newStripDecoder(c config) (decoder, error) {
	var v struct {
		Content     string
		Start, Stop int
	}
	if err := c.read(&v); err != nil {
		return nil, err
	}
	_, err := single(c, "content", v.Content)
	return each(func(token string) string {
		for i := 0; i < v.Start && strings.HasPrefix(token, v.Content); i++ {
			token = token[len(v.Content):]
		}
		for i := 0; i < v.Stop && strings.HasSuffix(token, v.Content); i++ {
			token = token[:len(token)-len(v.Content)]
		}
		return token
	}), err
}

// replaceDecoder replaces a string in every token.
type replaceDecoder struct{ old, new string }

// newReplaceDecoder reads a replacement of a string; no published file decodes by a regular expression.
func newReplaceDecoder(c config) (decoder, error) {
	n, err := newReplace(c)
	if err != nil {
		return nil, err
	}
	old, ok := n.pattern.(literal)
	if !ok || old == "" {
		return nil, c.errorf("found no string to replace, expected {\"String\": …} in a decoder")
	}
	return replaceDecoder{string(old), n.content}, nil
}

func (d replaceDecoder) decode(tokens []string) []string {
	for i, token := range tokens {
		tokens[i] = strings.ReplaceAll(token, d.old, d.new)
	}
	return tokens
}

// newSuffixDecoder takes the mark of a word's end for a space.
func newSuffixDecoder(c config) (decoder, error) {
	v := struct{ Suffix string }{"</w>"}
	if err := c.read(&v); err != nil {
		return nil, err
	}
	if v.Suffix == "" {
		return nil, c.errorf("found an empty suffix")
	}
	return decodeFunc(func(tokens []string) []string {
		for i, token := range tokens {
			space := " "
			if i == len(tokens)-1 {
				space = ""
			}
			tokens[i] = strings.ReplaceAll(token, v.Suffix, space)
		}
		return tokens
	}), nil
}

// newCTC joins what a model wrote for each moment of a recording: a token that is repeated counts once, and the padding token ends a repetition.
func newCTC(c config) (decoder, error) {
	v := struct {
		Pad     string `json:"pad_token"`
		Space   string `json:"word_delimiter_token"`
		Cleanup bool
	}{"<pad>", "|", true}
	if err := c.read(&v); err != nil {
		return nil, err
	}
	if v.Pad == "" || v.Space == "" {
		return nil, c.errorf("found pad_token %q and word_delimiter_token %q, expected neither empty", v.Pad, v.Space)
	}
	return decodeFunc(func(tokens []string) []string {
		var out []string
		for _, token := range slices.Compact(tokens) {
			token = strings.ReplaceAll(token, v.Pad, "")
			if v.Cleanup {
				token = strings.ReplaceAll(cleanup(token), v.Space, " ")
			}
			if token != "" {
				out = append(out, token)
			}
		}
		return out
	}), nil
}
