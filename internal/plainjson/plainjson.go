// Package plainjson says what is wrong with JSON in its own words, not in those of the program that reads it.
package plainjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Error is an error in which the words of encoding/json about a type, `json: cannot unmarshal string into Go struct field Config.r of type int`, or about an unknown field are replaced:
// `"r" is a string, expected a whole number`. Any other error stays as it is; so does what it wraps.
func Error(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		text = strings.Replace(text, e.Error(), describe(e), 1)
	}
	text = strings.Replace(text, "json: unknown field ", "unknown field ", 1)
	if text == err.Error() {
		return err
	}
	return &plain{text, err}
}

// A plain is an error in other words.
type plain struct {
	text string
	error
}

func (p *plain) Error() string { return p.text }

// Unwrap is the error in its first words.
func (p *plain) Unwrap() error { return p.error }

// describe says what was found and what was expected.
func describe(e *json.UnmarshalTypeError) string {
	found, _, _ := strings.Cut(e.Value, " ")
	if found != e.Value { // "number 2.5"
		found = strings.TrimPrefix(e.Value, found+" ")
	} else if name, ok := names[found]; ok {
		found = name
	}
	if e.Field == "" {
		return fmt.Sprintf("found %s, expected %s", found, expected(e.Type))
	}
	field := e.Field[strings.LastIndexByte(e.Field, '.')+1:] // what is before it may be the name of an embedded struct
	return fmt.Sprintf("%q is %s, expected %s", field, found, expected(e.Type))
}

// names are the kinds of values with their articles.
var names = map[string]string{"string": "a string", "number": "a number", "array": "a list", "object": "an object", "bool": "true or false"}

// expected is what a type of Go is in JSON.
func expected(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct, reflect.Interface:
		return "an object"
	case reflect.Pointer:
		return expected(t.Elem())
	}
	return "a " + t.String()
}
