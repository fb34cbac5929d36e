package tokenizer

// A work is one text on its way through the parts of a tokenizer, with memory that the next text can use again.
type work struct {
	*Tokenizer
	e               *Encoding
	kind            int32             // the type of the tokens
	word            int               // the pieces that are done with
	at              func(span) [2]int // makes offsets
	raw, normalized []segment
	pieces          pieces
	tokens          []token
}

// text takes added tokens out of a text and goes on with what lies between them.
func (w *work) text(t text) error {
	w.raw = w.added.raw.split(w.raw[:0], t)
	for _, s := range w.raw {
		if s.token != nil {
			w.special(s)
		} else if err := w.plain(s.text); err != nil {
			return err
		}
	}
	return nil
}

// plain normalizes a text, takes further tokens out, and goes on with what lies between those.
func (w *work) plain(t text) error {
	t, err := w.normalizer.normalize(t)
	if err != nil {
		return err
	}
	w.normalized = w.added.normalized.split(w.normalized[:0], t)
	for _, s := range w.normalized {
		if s.token != nil {
			w.special(s)
		} else if err := w.split(s.text); err != nil {
			return err
		}
	}
	return nil
}

// special enters an added token.
func (w *work) special(s segment) {
	w.e.add(s.token.ID, s.s, w.at(s.span(0, len(s.s))), w.word, w.kind)
	w.word++
}

// split splits a text into pieces, and enters the tokens of each.
func (w *work) split(t text) error {
	w.pieces.all = w.pieces.all[:0]
	if err := w.pre.split(&w.pieces, t); err != nil {
		return err
	}
	for _, p := range w.pieces.all {
		if p.raw && !w.model.rawBytes() {
			p = p.plain()
		}
		if err := w.tokenize(p); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) tokenize(p text) (err error) {
	if w.tokens, err = w.model.tokenize(w.tokens[:0], p); err != nil {
		return err
	}
	for _, k := range w.tokens {
		w.e.add(k.id, k.value, w.at(p.span(int(k.lo), int(k.hi))), w.word, w.kind)
	}
	w.word++
	return nil
}
