package train

import (
	"errors"
	"strconv"
)

// A Kind is what the lines of a data file hold.
type Kind uint8

// The kinds of data.
const (
	Texts       Kind = iota + 1 // {"text"}, perhaps with a "label"
	Completions                 // {"prompt", "completion"}
	Pairs                       // {"input", "target"}
	Images                      // {"image"}, perhaps with a "label"
)

// kindNames are the fields of each kind, as errors write them.
var kindNames = [...]string{Texts: `"text"`, Completions: `"prompt" and "completion"`, Pairs: `"input" and "target"`, Images: `"image"`}

// String is the names of the kind's fields.
func (k Kind) String() string {
	if k == 0 || int(k) >= len(kindNames) {
		return "kind " + strconv.Itoa(int(k))
	}
	return kindNames[k]
}

// kind is the one kind whose fields the line has.
func (l *line) kind() (Kind, error) {
	var found Kind
	for k, has := range l.has() {
		switch {
		case !has:
			continue
		case found != 0:
			return 0, errors.New("found " + found.String() + " and " + Kind(k).String() + ", want one of them")
		}
		found = Kind(k)
	}
	if found == 0 {
		return 0, errors.New(`found none of "text", "prompt" and "completion", "input" and "target", "image"`)
	}
	if l.labelled() && (found == Completions || found == Pairs) {
		return 0, errors.New("found " + found.String() + ` with a "label", want none`)
	}
	return found, nil
}

// has tells for each kind whether the line has its fields.
func (l *line) has() [5]bool {
	return [...]bool{
		Texts:       l.Text != nil,
		Completions: l.Prompt != nil && l.Completion != nil,
		Pairs:       l.Input != nil && l.Target != nil,
		Images:      l.Image != nil,
	}
}
