package train

import (
	"encoding/json"
	"fmt"
	"math"
)

// Labels gives class numbers to the labels of a task: an integer is its own number, strings are numbered in the order in which they first appear. The zero value
// knows none yet.
type Labels struct {
	// Max is the number of classes that there may be, as a model with a head knows it; 0 is no limit.
	Max int

	names  []string
	ids    map[string]int
	given  int // how many names were known before any data
	count  int
	closed bool
}

// NewLabels numbers the given names from 0, and any others after them. Integers below their number are labels too.
func NewLabels(names ...string) *Labels {
	l := &Labels{}
	for _, name := range names {
		l.insert(name)
	}
	l.given = len(names)
	return l
}

// Close makes every label that has not appeared yet an error. It is called between reading the data to train on and that to evaluate on.
func (l *Labels) Close() { l.closed = true }

// Count is the number of classes: of names, or one more than the largest integer.
func (l *Labels) Count() int { return l.count }

// Names are the names of the classes in their order; none where labels are integers.
func (l *Labels) Names() []string { return l.names }

// parse is the class of a label in JSON.
func (l *Labels) parse(raw json.RawMessage) (int, error) {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		return l.named(name)
	}
	var id int
	if json.Unmarshal(raw, &id) == nil {
		return l.numbered(id)
	}
	return 0, fmt.Errorf(`"label" is %s, want an integer or a string`, raw)
}

// named is the class of a name, which is given the next number if it is new.
func (l *Labels) named(name string) (int, error) {
	id, known := l.ids[name]
	switch {
	case known:
		return id, nil
	case len(l.names) < l.count:
		return 0, fmt.Errorf("label %q is a string, want an integer as in the lines before", name)
	case l.closed:
		return 0, fmt.Errorf("label %q does not occur in the data to train on, which has %d labels", name, l.count)
	case l.Max > 0 && l.count >= l.Max:
		return 0, fmt.Errorf("label %q is one more than the %d classes of the model", name, l.Max)
	}
	return l.insert(name), nil
}

// numbered is the class of an integer.
func (l *Labels) numbered(id int) (int, error) {
	if len(l.names) > l.given {
		return 0, fmt.Errorf("label %d is an integer, want a string as in the lines before", id)
	}
	if limit := l.limit(); id < 0 || id >= limit {
		return 0, fmt.Errorf("label %d is out of range, want 0 to %d", id, limit-1)
	}
	l.count = max(l.count, id+1)
	return id, nil
}

// limit is how many classes integers may name.
func (l *Labels) limit() int {
	switch {
	case l.Max > 0:
		return l.Max
	case l.given > 0 || l.closed:
		return l.count
	}
	return math.MaxInt32
}

func (l *Labels) insert(name string) int {
	if l.ids == nil {
		l.ids = map[string]int{}
	}
	id := len(l.names)
	l.ids[name] = id
	l.names = append(l.names, name)
	l.count = max(l.count, len(l.names))
	return id
}
