package peft

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
)

// A PatternMap gives sites numbers by their names: rank_pattern and alpha_pattern of adapter_config.json. Its zero value is empty. A copy may be changed without changing the original.
type PatternMap struct{ entries []patternEntry }

type patternEntry struct {
	key     string
	value   float64
	pattern *pattern
}

// Set adds a number for names that match a regular expression in Python's syntax, from their beginning or from after a dot, to their end: "query" is for "layer.0.query", not for
// "layer.0.myquery"; a leading ^ pins it to the beginning. A key that is there already keeps its place and gets the new number. An error says what is wrong with the expression.
func (m *PatternMap) Set(key string, value float64) error {
	e, err := newPatternEntry(key, value)
	if err != nil {
		return err
	}
	m.entries = slices.Clone(m.entries)
	if i := slices.IndexFunc(m.entries, func(e patternEntry) bool { return e.key == key }); i >= 0 {
		m.entries[i] = e
		return nil
	}
	m.entries = append(m.entries, e)
	return nil
}

func newPatternEntry(key string, value float64) (patternEntry, error) {
	p, err := compile(`(.*\.)?(` + key + `)$`)
	if err != nil {
		return patternEntry{}, fmt.Errorf("key %.200q: %w", key, err)
	}
	return patternEntry{key, value, p}, nil
}

// Lookup is the number of the first key, in order, that matches the name of a site; ok is false if none does. A key whose match takes longer than a second does not match.
func (m PatternMap) Lookup(name string) (value float64, ok bool) {
	for _, e := range m.entries {
		if _, matched, err := e.pattern.find(name); matched && err == nil {
			return e.value, true
		}
	}
	return 0, false
}

// Len is the number of keys.
func (m PatternMap) Len() int { return len(m.entries) }

// All yields keys and numbers in order.
func (m PatternMap) All() iter.Seq2[string, float64] {
	return func(yield func(string, float64) bool) {
		for _, e := range m.entries {
			if !yield(e.key, e.value) {
				return
			}
		}
	}
}

// String is the map as JSON.
func (m PatternMap) String() string { return encode(m) }

// MarshalJSON writes an object with the keys in order.
func (m PatternMap) MarshalJSON() ([]byte, error) {
	var fields []string
	for key, value := range m.All() {
		fields = append(fields, encode(key)+":"+encode(value))
	}
	return []byte("{" + strings.Join(fields, ",") + "}"), nil
}

// UnmarshalJSON reads an object of numbers, keeping the order of its keys, or null.
func (m *PatternMap) UnmarshalJSON(data []byte) error {
	*m = PatternMap{}
	d := json.NewDecoder(bytes.NewReader(data))
	switch open, err := d.Token(); {
	case err != nil:
		return err
	case open == nil:
		return nil
	case open != json.Delim('{'):
		return fmt.Errorf("expected an object of patterns and numbers, found %.40s", data)
	}
	seen := map[string]int{}
	for d.More() {
		e, err := decodeEntry(d)
		if err != nil {
			return err
		}
		if i, again := seen[e.key]; again {
			m.entries[i] = e
			continue
		}
		seen[e.key] = len(m.entries)
		m.entries = append(m.entries, e)
	}
	return nil
}

func decodeEntry(d *json.Decoder) (e patternEntry, err error) {
	key, err := d.Token()
	if err != nil {
		return e, err
	}
	var value any
	if err := d.Decode(&value); err != nil {
		return e, err
	}
	number, ok := value.(float64)
	if !ok {
		return e, fmt.Errorf("key %.200q: expected a number, found %.40v", key, value)
	}
	return newPatternEntry(key.(string), number)
}

// A pattern is a compiled regular expression in Python's syntax that matches from the beginning of a text.
type pattern struct {
	source string
	re     *regexp2.Regexp
}

// patience is how long one match may take. Patterns come from files, and expressions that look back can take for ever.
const patience = time.Second

// compile makes the expression of Python's re.match.
func compile(source string) (*pattern, error) { return compileAs(source, `\A(?:%s)`) }

// compileFull makes the expression of Python's re.fullmatch.
func compileFull(source string) (*pattern, error) { return compileAs(source, `\A(?:%s)\z`) }

func compileAs(source, frame string) (*pattern, error) {
	translated, err := fromPython(source)
	if err != nil {
		return nil, err
	}
	re, err := regexp2.Compile(fmt.Sprintf(frame, translated), regexp2.None)
	if err != nil {
		return nil, fmt.Errorf("pattern %.200q: %w", source, err)
	}
	re.MatchTimeout = patience
	return &pattern{source, re}, nil
}

// find reports whether the pattern matches, and what its first group then holds.
func (p *pattern) find(text string) (group string, matched bool, err error) {
	m, err := p.re.FindStringMatch(text)
	switch {
	case err != nil:
		return "", false, fmt.Errorf("pattern %.200q takes longer than %v on %.200q", p.source, patience, text)
	case m == nil:
		return "", false, nil
	}
	if g := m.GroupByNumber(1); g != nil {
		group = g.String()
	}
	return group, true, nil
}
