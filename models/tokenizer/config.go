package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A config is a part of a tokenizer file with the path that leads to it, for messages.
type config struct {
	path string
	data json.RawMessage
}

// errorf returns an error that says where it happened.
func (c config) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %w", c.path, fmt.Errorf(format, args...))
}

// absent says whether the part is missing or null.
func (c config) absent() bool {
	return len(c.data) == 0 || bytes.Equal(c.data, []byte("null"))
}

// read decodes the part into v; what v has no field for is left alone.
func (c config) read(v any) error {
	if c.absent() {
		return c.errorf("found nothing, expected a value")
	}
	err := json.Unmarshal(c.data, v)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		if wrong.Field != "" {
			c.path += "." + strings.ToLower(wrong.Field) // what has no tag is in lower case in files
		}
		return c.errorf("found %s, expected %s", wrong.Value, plainType(wrong.Type.String()))
	}
	if err != nil {
		return c.errorf("%w", err)
	}
	return nil
}

// plainType names a type of Go in the words of JSON.
func plainType(name string) string {
	switch {
	case strings.HasPrefix(name, "[]"), strings.HasPrefix(name, "["):
		return "a list"
	case strings.HasPrefix(name, "map"), strings.Contains(name, "."), strings.HasPrefix(name, "struct"):
		return "an object"
	case name == "bool":
		return "true or false"
	case name == "string":
		return "a string"
	case strings.HasPrefix(name, "int"):
		return "an integer"
	default:
		return "a number"
	}
}

// kind returns the type that a component says it is, "" if it does not say.
func (c config) kind() (string, error) {
	var v struct{ Type string }
	err := c.read(&v)
	return v.Type, err
}

// unknown is the error for a component of a type that is not among the known ones.
func (c config) unknown(kind string, known ...string) error {
	return c.errorf("found type %q, expected one of %s", kind, strings.Join(known, ", "))
}

// list returns the elements of the list that the part holds under key.
func (c config) list(key string) ([]config, error) {
	const deepest = 16
	if strings.Count(c.path, "[") >= deepest {
		return nil, c.errorf("found lists within lists deeper than %d", deepest)
	}
	var fields map[string]json.RawMessage
	if err := c.read(&fields); err != nil {
		return nil, err
	}
	inner := config{c.path + "." + key, fields[key]}
	var elements []json.RawMessage
	if err := inner.read(&elements); err != nil {
		return nil, err
	}
	all := make([]config, len(elements))
	for i, e := range elements {
		all[i] = config{fmt.Sprintf("%s[%d]", inner.path, i), e}
	}
	return all, nil
}

// parts builds each element of the list under key.
func parts[T any](c config, key string, build func(config) (T, error)) ([]T, error) {
	list, err := c.list(key)
	if err != nil {
		return nil, err
	}
	all := make([]T, len(list))
	for i, e := range list {
		if all[i], err = build(e); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// patternConfig is how files write a pattern: {"String": …} or {"Regex": …}.
type patternConfig struct {
	String *string
	Regex  *string
}

// compile returns the pattern that the part of the file asks for.
func (v patternConfig) compile(c config) (pattern, error) {
	switch {
	case v.String != nil:
		return literal(*v.String), nil
	case v.Regex != nil:
		r, err := compileRegex(*v.Regex)
		if err != nil {
			return nil, c.errorf("%w", err)
		}
		return r, nil
	default:
		return nil, c.errorf("found no pattern, expected {\"String\": …} or {\"Regex\": …}")
	}
}

// check makes sure that a behavior is one of the known ones.
func (b behavior) check(c config) error {
	if !slices.Contains(behaviors, b) {
		return c.errorf("found behavior %q, expected one of %q", string(b), behaviors)
	}
	return nil
}

// single returns the only character of a string of the file.
func single(c config, name, value string) (rune, error) {
	all := []rune(value)
	if len(all) != 1 {
		return 0, c.errorf("found %s %q, expected one character", name, value)
	}
	return all[0], nil
}
