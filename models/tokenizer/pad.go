package tokenizer

import (
	"encoding/json"
	"fmt"
	"slices"
)

// A Padding says how encodings are made equally long. Models of this module do not need it: their batches are ragged.
type Padding struct {
	// Length is the length of all encodings; 0 stands for that of the longest in the batch.
	Length int
	// Multiple, if it is not 0, is a number of which the length is to be a multiple.
	Multiple int
	// Left says that the padding goes in front.
	Left bool
	// ID, Type and Token are the padding token's number, type and text.
	ID, Type int32
	Token    string
}

// newPadding reads what a file asks for, nil if it asks for none.
func newPadding(c config) (*Padding, error) {
	if c.absent() {
		return nil, nil
	}
	var v struct {
		Strategy  paddingStrategy
		Direction string
		Multiple  int    `json:"pad_to_multiple_of"`
		ID        int32  `json:"pad_id"`
		Type      int32  `json:"pad_type_id"`
		Token     string `json:"pad_token"`
	}
	if err := c.read(&v); err != nil {
		return nil, err
	}
	if n := v.Strategy.fixed; n < 0 || n > maxLength || v.Multiple < 0 || v.Multiple > maxLength {
		return nil, c.errorf("found length %d and pad_to_multiple_of %d, expected 0 to %d", n, v.Multiple, maxLength)
	}
	left, err := isLeft(c, v.Direction)
	return &Padding{v.Strategy.fixed, v.Multiple, left, v.ID, v.Type, v.Token}, err
}

// paddingStrategy is a length of padding as files write it; fixed is 0 for that of the longest.
type paddingStrategy struct{ fixed int }

func (s *paddingStrategy) UnmarshalJSON(data []byte) error {
	if string(data) == `"BatchLongest"` {
		return nil
	}
	var v struct{ Fixed *int }
	if err := json.Unmarshal(data, &v); err != nil || v.Fixed == nil {
		return fmt.Errorf("found %.40s, expected \"BatchLongest\" or {\"Fixed\": …}", data)
	}
	s.fixed = *v.Fixed
	return nil
}

// Pad appends padding to the encodings of a batch, and to their overflow. One that is longer than the length stays as it is.
func Pad(p Padding, batch ...*Encoding) {
	n := p.Length
	if n == 0 {
		for _, e := range batch {
			n = max(n, e.Len())
		}
	}
	if p.Multiple > 0 {
		n = (n + p.Multiple - 1) / p.Multiple * p.Multiple
	}
	for _, e := range batch {
		e.each(func(e *Encoding) { p.apply(e, n) })
	}
}

// apply pads one encoding to n tokens.
func (p Padding) apply(e *Encoding, n int) {
	n -= e.Len()
	if n <= 0 {
		return
	}
	pad := special(slices.Repeat([]int32{p.ID}, n), slices.Repeat([]string{p.Token}, n), p.Type)
	clear(pad.Mask)
	overflow := e.Overflow
	if p.Left {
		*e = concat(&pad, e)
	} else {
		*e = concat(e, &pad)
	}
	e.Overflow = overflow
}
