package safetensors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"
)

// A scanner reads JSON token by token and refuses what encoding/json lets pass: repeated keys, null for a value, bytes that are no text.
type scanner struct{ dec *json.Decoder }

// scan reads text, one JSON object and nothing else, and calls field for each key, which reads the value.
func scan(text []byte, field func(s scanner, key string) error) error {
	if !utf8.Valid(text) {
		return wrong("bytes that are not UTF-8", "JSON text")
	}
	s := scanner{json.NewDecoder(bytes.NewReader(text))}
	s.dec.UseNumber()
	if err := s.object(func(key string) error { return field(s, key) }); err != nil {
		return err
	}
	if _, err := s.dec.Token(); err != io.EOF {
		return wrong("more after the JSON object", "nothing but spaces")
	}
	return nil
}

func (s scanner) token() (json.Token, error) {
	t, err := s.dec.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, wrong("broken JSON: "+err.Error(), "a JSON object")
	}
	return t, nil
}

func (s scanner) delim(want json.Delim) error {
	t, err := s.token()
	if err == nil && t != want {
		err = wrong(describe(t), string(want))
	}
	return err
}

func (s scanner) object(field func(key string) error) error {
	if err := s.delim('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for s.dec.More() {
		key, err := s.text()
		if err != nil {
			return err
		}
		if seen[key] {
			return wrong(fmt.Sprintf("key %q twice", key), "each key once")
		}
		seen[key] = true
		if err := field(key); err != nil {
			return err
		}
	}
	return s.delim('}')
}

func (s scanner) text() (string, error) {
	t, err := s.token()
	if err != nil {
		return "", err
	}
	text, ok := t.(string)
	if !ok {
		return "", wrong(describe(t), "a string")
	}
	return text, nil
}

// strings reads an object of strings.
func (s scanner) strings() (map[string]string, error) {
	m := map[string]string{}
	err := s.object(func(key string) (err error) {
		m[key], err = s.text()
		return inKey(key, err)
	})
	return m, err
}

// counts reads an array of at most limit whole numbers from 0 to the largest int.
func (s scanner) counts(limit int) ([]int, error) {
	if err := s.delim('['); err != nil {
		return nil, err
	}
	list := []int{}
	for s.dec.More() {
		n, err := s.count()
		if err != nil {
			return nil, err
		}
		if len(list) == limit {
			return nil, wrong(fmt.Sprintf("more than %d numbers", limit), fmt.Sprintf("at most %d", limit))
		}
		list = append(list, n)
	}
	return list, s.delim(']')
}

func (s scanner) count() (int, error) {
	t, err := s.token()
	if err != nil {
		return 0, err
	}
	if number, ok := t.(json.Number); ok {
		if n, err := strconv.ParseInt(number.String(), 10, 64); err == nil && n >= 0 && n <= math.MaxInt {
			return int(n), nil
		}
	}
	return 0, wrong(describe(t), fmt.Sprintf("a whole number from 0 to %d", math.MaxInt))
}

// skip reads a value of any kind.
func (s scanner) skip() error {
	var value json.RawMessage
	if err := s.dec.Decode(&value); err != nil {
		return wrong("broken JSON: "+err.Error(), "a JSON object")
	}
	return nil
}

// describe is a token in words for an error.
func describe(t json.Token) string {
	switch v := t.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("the string %.40q", v)
	}
	return fmt.Sprintf("%.40v", t)
}
