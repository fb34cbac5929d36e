package peft

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Names is a field of adapter_config.json that holds null, a list of names, or one regular expression as a string. At most one of its fields is set. A List that is empty but not nil is
// an empty list in the file, which names nothing.
type Names struct {
	List    []string // names, or ends of names that begin after a dot
	Pattern string   // matches whole names, in Python's syntax; or "all-linear"
}

// Given reports whether there is a list or a pattern.
func (n Names) Given() bool { return n.List != nil || n.Pattern != "" }

// UnmarshalJSON reads null, a string or a list of strings.
func (n *Names) UnmarshalJSON(data []byte) error {
	*n = Names{}
	switch {
	case string(data) == `""`:
		n.List = []string{} // matches nothing, but is there
		return nil
	case bytes.HasPrefix(data, []byte(`"`)):
		return json.Unmarshal(data, &n.Pattern)
	}
	if err := json.Unmarshal(data, &n.List); err != nil {
		return fmt.Errorf("expected a list of names or one pattern, found %.40s", data)
	}
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (n Names) MarshalJSON() ([]byte, error) {
	if n.Pattern != "" {
		return []byte(encode(n.Pattern)), nil
	}
	return []byte(encode(n.List)), nil
}

// matcher makes a function that says whether a name is itself listed, and whether it matches at all.
func (n Names) matcher() (func(string) (listed, matched bool, err error), error) {
	if n.Pattern != "" {
		p, err := compileFull(n.Pattern)
		return func(name string) (bool, bool, error) {
			_, matched, err := p.find(name)
			return false, matched, err
		}, err
	}
	return func(name string) (bool, bool, error) {
		listed := slices.Contains(n.List, name)
		return listed, listed || endsWith(name, n.List), nil
	}, nil
}

// endsWith reports whether a name ends with a dot and one of the ends.
func endsWith(name string, ends []string) bool {
	return slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(name, "."+end) })
}

// OneOr is a field that holds null, one value or a list: "layers_to_transform": 3 means [3].
type OneOr[T any] []T

// UnmarshalJSON reads null, a value or a list of values.
func (l *OneOr[T]) UnmarshalJSON(data []byte) error {
	*l = nil
	var one T
	switch {
	case string(data) == "null":
		return nil
	case bytes.HasPrefix(data, []byte("[")):
		return json.Unmarshal(data, (*[]T)(l))
	}
	err := json.Unmarshal(data, &one)
	*l = OneOr[T]{one}
	return err
}

// encode is a value as JSON that does not mind what HTML minds. Values that JSON cannot hold are null.
func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return "null"
	}
	return strings.TrimSpace(b.String())
}
