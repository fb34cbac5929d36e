package tensor

import "fmt"

// A ShapeError says that an operation was given tensors whose shapes do not fit. It is the only value this package panics with.
type ShapeError struct {
	Op        string // the operation
	Got, Want string
}

func (e *ShapeError) Error() string {
	return fmt.Sprintf("tensor: %s: got %s, want %s", e.Op, e.Got, e.Want)
}

// misfit panics with a ShapeError.
func misfit(op string, want string, got ...*Tensor) {
	panic(&ShapeError{Op: op, Got: shapes(got), Want: want})
}

func shapes(ts []*Tensor) string {
	s := ""
	for i, t := range ts {
		if i > 0 {
			s += " and "
		}
		s += fmt.Sprint(t.shape)
	}
	return s
}

// Try runs f and returns the ShapeError it panics with, if it does; other panics go on.
func Try(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*ShapeError)
			if !ok {
				panic(r)
			}
			err = e
		}
	}()
	return f()
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

func sameShape(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i, d := range a {
		if d != b[i] {
			return false
		}
	}
	return true
}
