package chat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// Values are nil (none), undefined, bool, int, float64, string, []any, *object and function.
type (
	undefined struct{ name string }
	function  func(f *frame, a arguments) any
)

// An object is a mapping that remembers the order of its keys. Only namespaces, which templates make, can be changed.
type object struct {
	keys  []string
	items map[string]any
	named bool // it is a namespace
}

func newObject() *object { return &object{items: map[string]any{}} }

func (o *object) set(key string, v any) {
	if _, ok := o.items[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.items[key] = v
}

// fromGo makes a value of what encoding/json can write.
func fromGo(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, int, float64, string:
		return v, nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return decode(d)
}

// decode reads a value and keeps the order of objects.
func decode(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Number:
		return number(string(token)), nil
	case json.Delim:
		if token == '[' {
			return decodeList(d)
		}
		return decodeObject(d)
	}
	return token, nil
}

func decodeList(d *json.Decoder) (any, error) {
	list := []any{}
	for d.More() {
		v, err := decode(d)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

func decodeObject(d *json.Decoder) (any, error) {
	o := newObject()
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := decode(d)
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, io.ErrUnexpectedEOF
		}
		o.set(name, v)
	}
	_, err := d.Token()
	return o, err
}

// number reads an integer or, if it is none, a float.
func number(s string) any {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	x, _ := strconv.ParseFloat(s, 64)
	return x
}

// truth says whether a value counts as true: what is empty, zero or none does not.
func truth(v any) bool {
	switch v := v.(type) {
	case nil, undefined:
		return false
	case bool:
		return v
	case function:
		return true
	case *object:
		return v.named || len(v.keys) > 0
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	}
	x, _ := float(v)
	return x != 0
}

// float returns a number as a float; ok is false if v is none. True counts as one.
func float(v any) (x float64, ok bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// str writes a value as Python's str does.
func str(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case undefined:
		return ""
	}
	return repr(v)
}

// kind names the type of a value, for messages.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case undefined:
		return fmt.Sprintf("%s, which is not defined", v.name)
	case bool:
		return "a truth value"
	case int, float64:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "a list"
	case *object:
		if v.named {
			return "a namespace"
		}
		return "an object"
	}
	return "a function"
}

// pairs returns the keys of an object with their values.
func pairs(o *object) []any {
	out := make([]any, len(o.keys))
	for i, key := range o.keys {
		out[i] = []any{key, o.items[key]}
	}
	return out
}

// elements returns what a loop over a value sees.
func elements(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case *object:
		return keys(v)
	case string:
		var out []any
		for _, c := range v {
			out = append(out, string(c))
		}
		return out
	case undefined:
		return nil
	}
	fail("found %s, expected something to go through", kind(v))
	return nil
}

func keys(o *object) []any {
	out := make([]any, len(o.keys))
	for i, key := range o.keys {
		out[i] = key
	}
	return out
}

// length returns the number of characters, elements or keys.
func length(v any) int {
	if s, ok := v.(string); ok {
		return utf8.RuneCountInString(s)
	}
	return len(elements(v))
}

// attribute returns v.name or v["name"], undefined if there is none.
func attribute(v any, name string) any {
	if o, ok := v.(*object); ok {
		if item, ok := o.items[name]; ok {
			return item
		}
	}
	if m, ok := method(v, name); ok {
		return m
	}
	if u, ok := v.(undefined); ok {
		fail("found %s, expected something with %q in it", kind(u), name)
	}
	return undefined{name}
}

// item returns v[i].
func item(v, i any) any {
	switch at := i.(type) {
	case string:
		return attribute(v, at)
	case int:
		if _, ok := v.(*object); ok {
			return undefined{strconv.Itoa(at)}
		}
		all := elements(v)
		if at < 0 {
			at += len(all)
		}
		if at >= 0 && at < len(all) {
			return all[at]
		}
		return undefined{fmt.Sprintf("element %d of %d", i, len(all))}
	}
	fail("found %s as an index, expected a number or a string", kind(i))
	return nil
}
