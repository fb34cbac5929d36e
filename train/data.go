package train

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"
)

// maxLine is the longest line of a data file in bytes.
const maxLine = 1 << 28

// A Data is the examples of a file of JSON lines, all of one kind.
type Data struct {
	Kind     Kind
	Labelled bool // every example has a label; else none has
	Examples []Example
}

// An Example is one line of a data file. Only the fields of its [Kind] are set.
type Example struct {
	Text               string
	Prompt, Completion string
	Input, Target      string
	Image              string // a path, as the file has it
	Label              int    // a class; -1 without one
}

// A DataError is a line of a data file, or the whole file where Line is 0, that is not as it must be.
type DataError struct {
	File string
	Line int // counted from 1
	Err  error
}

func (e *DataError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

// Unwrap is what is wrong with the line.
func (e *DataError) Unwrap() error { return e.Err }

// ReadFile reads a file of JSON lines, see [Read].
func ReadFile(path string, labels *Labels) (*Data, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(f, path, labels)
}

// Read reads JSON lines: {"text"}, {"prompt", "completion"}, {"input", "target"} or {"image"}, the first and last also with a "label", an
// integer or a string; other fields are left alone, as are blank lines and a byte order mark. All lines must be of one kind. Labels turns
// labels into classes and is shared by all files of a task; nil is a fresh one.
//
// What is wrong with a line or with the file is a [*DataError] under the given name. A file without examples is an error.
func Read(r io.Reader, name string, labels *Labels) (*Data, error) {
	if labels == nil {
		labels = NewLabels()
	}
	d := &Data{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for ; lines.Scan(); n++ {
		if err := d.add(clean(lines.Bytes(), n), labels); err != nil {
			return nil, &DataError{name, n + 1, err}
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, &DataError{name, n + 1, fmt.Errorf("a line of more than %d bytes", maxLine)}
	case err != nil:
		return nil, &DataError{name, n + 1, err}
	case len(d.Examples) == 0:
		return nil, &DataError{name, 0, errors.New("found no examples, want at least one line of JSON")}
	}
	return d, nil
}

// clean is a line without white space around it and, if it is the first, without a byte order mark.
func clean(line []byte, number int) []byte {
	if number == 0 {
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	return bytes.TrimSpace(line)
}

// add adds the example of a line, if it is not blank.
func (d *Data) add(text []byte, labels *Labels) error {
	if len(text) == 0 {
		return nil
	}
	var l line
	if err := l.parse(text); err != nil {
		return err
	}
	kind, err := l.kind()
	if err != nil {
		return err
	}
	if err := d.same(kind, l.labelled()); err != nil {
		return err
	}
	e, err := l.example(labels)
	d.Examples = append(d.Examples, e)
	return err
}

// same fails if a line is of another kind than those before it.
func (d *Data) same(kind Kind, labelled bool) error {
	if len(d.Examples) == 0 {
		d.Kind, d.Labelled = kind, labelled
	}
	switch {
	case kind != d.Kind:
		return fmt.Errorf("found a line with %v, want %v as in the lines before", kind, d.Kind)
	case labelled && !d.Labelled:
		return errors.New(`found a "label", want none as in the lines before`)
	case !labelled && d.Labelled:
		return errors.New(`found no "label", want one as in the lines before`)
	}
	return nil
}

// A line is what a line of JSON says; nil where a field is missing.
type line struct {
	Text       *string         `json:"text"`
	Prompt     *string         `json:"prompt"`
	Completion *string         `json:"completion"`
	Input      *string         `json:"input"`
	Target     *string         `json:"target"`
	Image      *string         `json:"image"`
	Label      json.RawMessage `json:"label"`
}

func (l *line) parse(text []byte) error {
	if !utf8.Valid(text) {
		return errors.New("found bytes that are not UTF-8")
	}
	err := json.Unmarshal(text, l)
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("byte %d: JSON: %w", e.Offset, e)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if e.Field == "" {
			return fmt.Errorf(`found a JSON %s, want an object such as {"text": "...", "label": 1}`, e.Value)
		}
		return fmt.Errorf("%q is a JSON %s, want a string", e.Field, e.Value)
	}
	return err
}

func (l *line) labelled() bool { return l.Label != nil && string(l.Label) != "null" }

// example is the line with its label turned into a class.
func (l *line) example(labels *Labels) (Example, error) {
	e := Example{
		Text: text(l.Text), Prompt: text(l.Prompt), Completion: text(l.Completion), Input: text(l.Input), Target: text(l.Target), Image: text(l.Image),
		Label: -1,
	}
	if !l.labelled() {
		return e, nil
	}
	var err error
	e.Label, err = labels.parse(l.Label)
	return e, err
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
