package tokenizer

import (
	"encoding/json"
	"fmt"
)

// template arranges texts and special tokens, as in [CLS] A [SEP] B [SEP].
type template struct{ single, pair []templatePart }

// A templatePart is a text or some special tokens.
type templatePart struct {
	text   int // the number of the text, negative for special tokens
	kind   int32
	ids    []int32
	tokens []string
}

// templateFile is how files write a template.
type templateFile struct {
	Single, Pair []templatePiece
	Special      map[string]specialTokens `json:"special_tokens"`
}

type templatePiece struct {
	Sequence     *templateItem
	SpecialToken *templateItem
}

type templateItem struct {
	ID   string
	Type int32 `json:"type_id"`
}

type specialTokens struct {
	IDs    []int32
	Tokens []string
}

func newTemplate(c config) (postProcessor, error) {
	var v templateFile
	if err := c.read(&v); err != nil {
		return nil, err
	}
	single, err := v.parts(c, v.Single, 1)
	if err != nil {
		return nil, err
	}
	pair, err := v.parts(c, v.Pair, 2)
	return template{single, pair}, err
}

// parts reads one of the two arrangements, each of whose texts occurs once.
func (v templateFile) parts(c config, pieces []templatePiece, texts int) ([]templatePart, error) {
	const most = 1 << 10
	var out []templatePart
	seen, special := [2]int{}, 0
	for i, p := range pieces {
		part, err := v.part(p)
		if err != nil {
			return nil, c.errorf("template for %d texts, part %d: %w", texts, i, err)
		}
		if part.text >= 0 {
			seen[part.text]++
		}
		if special += len(part.ids); special > most {
			return nil, c.errorf("template for %d texts: found more than %d special tokens", texts, most)
		}
		out = append(out, part)
	}
	if seen != [2]int{1, texts - 1} {
		return nil, c.errorf("template for %d texts: found the first text %d times and the second %d times", texts, seen[0], seen[1])
	}
	return out, nil
}

func (v templateFile) part(p templatePiece) (templatePart, error) {
	switch {
	case p.Sequence != nil && p.Sequence.ID == "A":
		return templatePart{text: 0, kind: p.Sequence.Type}, nil
	case p.Sequence != nil && p.Sequence.ID == "B":
		return templatePart{text: 1, kind: p.Sequence.Type}, nil
	case p.SpecialToken == nil:
		return templatePart{}, fmt.Errorf("found neither a sequence A or B nor a special token")
	}
	s, ok := v.Special[p.SpecialToken.ID]
	if !ok || len(s.IDs) != len(s.Tokens) {
		return templatePart{}, fmt.Errorf("found %d ids and %d tokens for %q in special_tokens", len(s.IDs), len(s.Tokens), p.SpecialToken.ID)
	}
	return templatePart{-1, p.SpecialToken.Type, s.IDs, s.Tokens}, nil
}

func (t template) arrangement(pair bool) []templatePart {
	if pair {
		return t.pair
	}
	return t.single
}

func (t template) process(texts []Encoding, add bool) []Encoding {
	var out []Encoding
	for _, p := range t.arrangement(len(texts) > 1) {
		if p.text >= 0 {
			e := texts[p.text]
			e.setTypes(p.kind) // those of the overflow stay, as in the reference library
			out = append(out, e)
		} else if add {
			out = append(out, special(p.ids, p.tokens, p.kind))
		}
	}
	return out
}

func (t template) added(pair bool) (n int) {
	for _, p := range t.arrangement(pair) {
		n += len(p.ids)
	}
	return n
}

// namedToken is how files write a token with its number: ["[SEP]", 102].
type namedToken struct {
	token string
	id    int32
}

func (n *namedToken) UnmarshalJSON(data []byte) error {
	parts := [2]any{&n.token, &n.id}
	var list []json.RawMessage
	if json.Unmarshal(data, &list) != nil || len(list) != 2 || json.Unmarshal(list[0], parts[0]) != nil || json.Unmarshal(list[1], parts[1]) != nil {
		return fmt.Errorf("found %.40s, expected a list of a token and its id", data)
	}
	return nil
}

// part returns the token as a part of a template.
func (n namedToken) part(kind int32) templatePart {
	return templatePart{-1, kind, []int32{n.id}, []string{n.token}}
}

// newBertProcessing arranges texts as BERT does: [CLS] A [SEP] B [SEP], the second text and what follows it of type 1.
func newBertProcessing(c config) (postProcessor, error) {
	var v struct{ Sep, Cls namedToken }
	err := c.read(&v)
	one := []templatePart{v.Cls.part(0), {text: 0}, v.Sep.part(0)}
	return template{one, append(one[:3:3], templatePart{text: 1, kind: 1}, v.Sep.part(1))}, err
}

// robertaProcessing arranges texts as RoBERTa does, <s> A </s></s> B </s>, all of type 0, and adjusts offsets as ByteLevel does.
type robertaProcessing struct {
	template
	trim byteLevel
}

func newRobertaProcessing(c config) (postProcessor, error) {
	v := struct {
		Sep, Cls namedToken
		Trim     bool `json:"trim_offsets"`
		Prefix   bool `json:"add_prefix_space"`
	}{Trim: true, Prefix: true}
	err := c.read(&v)
	one := []templatePart{v.Cls.part(0), {text: 0}, v.Sep.part(0)}
	pair := append(one[:3:3], v.Sep.part(0), templatePart{text: 1}, v.Sep.part(0))
	return robertaProcessing{template{one, pair}, byteLevel{prefixSpace: v.Prefix, trimOffsets: v.Trim}}, err
}

func (r robertaProcessing) process(texts []Encoding, add bool) []Encoding {
	for i := range texts {
		texts[i].each(func(e *Encoding) { e.setTypes(0) })
	}
	return r.template.process(r.trim.process(texts, add), add)
}
