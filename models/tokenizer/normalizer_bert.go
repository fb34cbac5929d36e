package tokenizer

// bertNormalizer is the normalizer of BERT.
type bertNormalizer struct {
	clean, ideographs, accents, lowercase bool
}

func newBertNormalizer(c config) (normalizer, error) {
	v := struct {
		Clean      bool  `json:"clean_text"`
		Ideographs bool  `json:"handle_chinese_chars"`
		Accents    *bool `json:"strip_accents"`
		Lowercase  bool
	}{true, true, nil, true}
	if err := c.read(&v); err != nil {
		return nil, err
	}
	n := bertNormalizer{v.Clean, v.Ideographs, v.Lowercase, v.Lowercase} // accents follow case unless the file says otherwise
	if v.Accents != nil {
		n.accents = *v.Accents
	}
	return n, nil
}

func (n bertNormalizer) normalize(t text) (text, error) {
	if n.clean {
		t = t.mapRunes(cleaned)
	}
	if n.ideographs {
		t = spaced(t)
	}
	if n.accents {
		t = nfd.apply(t).without(bertMarks())
	}
	if n.lowercase {
		t = lowercase(t)
	}
	return t, nil
}

// cleaned makes white space of all kinds a space and leaves out control characters and what could not be decoded.
func cleaned(c rune) rune {
	switch {
	case ' ' <= c && c <= '~':
		return c
	case blanks().has(c):
		return ' '
	case controls().has(c):
		return -1
	}
	return c
}

// spaced puts a space on either side of each Chinese character, as a part of it.
func spaced(t text) text {
	first := indexRune(t.s, ideographs())
	if first < 0 {
		return t
	}
	w := rewrite(t, first)
	for w.more() {
		c := w.peek()
		if !ideographs().has(c) {
			w.replace(c)
			continue
		}
		w.replace(' ')
		w.insert(c)
		w.insert(' ')
	}
	return w.text()
}

// indexRune returns where the first character of the set begins, -1 if there is none.
func indexRune(s string, in *set) int {
	for i, c := range s {
		if c >= 0x80 && in.has(c) {
			return i
		}
	}
	return -1
}
