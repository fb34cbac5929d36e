package safetensors

import (
	"errors"
	"fmt"
)

// A FormatError is a file, or a tensor, that is not as the format wants it.
type FormatError struct {
	File   string // the path; empty for bytes and for tensors that come from no file
	Tensor string // empty where the fault is not one tensor's
	Found  string
	Want   string
}

func (e *FormatError) Error() string {
	s := "safetensors: "
	if e.File != "" {
		s += e.File + ": "
	}
	if e.Tensor != "" {
		s += fmt.Sprintf("tensor %q: ", e.Tensor)
	}
	return s + "found " + e.Found + ", expected " + e.Want
}

func wrong(found, want string) error { return &FormatError{Found: found, Want: want} }

// inKey names the key whose value err is about.
func inKey(key string, err error) error {
	if e, ok := errors.AsType[*FormatError](err); ok {
		e.Found += fmt.Sprintf(" in %q", key)
	}
	return err
}

// inTensor names the tensor that err is about.
func inTensor(name string, err error) error {
	if e, ok := errors.AsType[*FormatError](err); ok && e.Tensor == "" {
		e.Tensor = name
	}
	return err
}

// inFile names the file that err is about.
func inFile(path string, err error) error {
	if e, ok := errors.AsType[*FormatError](err); ok && e.File == "" {
		e.File = path
	}
	return err
}
