package tokenizer

import "strings"

// metaspace writes spaces as a visible character, ▁, with which a word begins, and back again.
type metaspace struct {
	mark   string
	scheme string // which pieces get a mark in front
	words  bool   // the text is split before each mark
}

// The schemes of metaspace.
const (
	always = "always" // every piece
	first  = "first"  // the piece at the start of the text
	never  = "never"
)

func newMetaspace(c config) (*metaspace, error) {
	v := struct {
		Replacement string
		Scheme      string `json:"prepend_scheme"`
		Prefix      *bool  `json:"add_prefix_space"` // what older files have in place of the scheme
		Split       bool
	}{"▁", always, nil, true}
	if err := c.read(&v); err != nil {
		return nil, err
	}
	if v.Prefix != nil && !*v.Prefix {
		v.Scheme = never
	}
	if v.Scheme != always && v.Scheme != first && v.Scheme != never {
		return nil, c.errorf("found prepend_scheme %q, expected always, first or never", v.Scheme)
	}
	_, err := single(c, "replacement", v.Replacement)
	return &metaspace{v.Replacement, v.Scheme, v.Split}, err
}

func (m *metaspace) split(p *pieces, t text) error {
	t, err := replace{literal(" "), m.mark}.normalize(t)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(t.s, m.mark) && (m.scheme == always || m.scheme == first && t.start == 0) {
		t = t.prepend(m.mark)
	}
	if !m.words {
		p.add(t)
		return nil
	}
	return p.split(t, literal(m.mark), mergedWithNext)
}

// decode writes marks as spaces, but leaves out those of the first token where a mark is put in front.
func (m *metaspace) decode(tokens []string) []string {
	for i, token := range tokens {
		space := " "
		if i == 0 && m.scheme != never {
			space = ""
		}
		tokens[i] = strings.ReplaceAll(token, m.mark, space)
	}
	return tokens
}
