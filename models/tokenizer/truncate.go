package tokenizer

import "fmt"

// A Truncation says how texts that are too long are cut. It acts before special tokens are added and leaves room for them; where MaxLength is less than
// the number of special tokens, nothing is cut.
type Truncation struct {
	// MaxLength is the greatest number of tokens, special ones and both texts of a pair included.
	MaxLength int
	// Strategy says which text of a pair is cut.
	Strategy Strategy
	// Left says that tokens are cut off at the left end, not at the right.
	Left bool
	// Overflow says that what is cut off is kept in [Encoding.Overflow], in pieces of the same length.
	Overflow bool
	// Stride is how many tokens a piece of the overflow has in common with the one before.
	Stride int
}

// A Strategy says which text of a pair is cut.
type Strategy uint8

// The strategies.
const (
	LongestFirst Strategy = iota // the longer text, and both when they are of one length
	OnlyFirst                    // the first text; an error if that is not enough
	OnlySecond                   // the second text; an error if that is not enough
)

var strategies = map[string]Strategy{"LongestFirst": LongestFirst, "OnlyFirst": OnlyFirst, "OnlySecond": OnlySecond}

// maxLength bounds the lengths that a file may ask for, and the tokens in the overflow of one text.
const maxLength = 1 << 24

// newTruncation reads what a file asks for, nil if it asks for none.
func newTruncation(c config) (*Truncation, error) {
	if c.absent() {
		return nil, nil
	}
	var v struct {
		MaxLength int `json:"max_length"`
		Strategy  string
		Stride    int
		Direction string
	}
	if err := c.read(&v); err != nil {
		return nil, err
	}
	strategy, ok := strategies[v.Strategy]
	if !ok {
		return nil, c.errorf("found strategy %q, expected LongestFirst, OnlyFirst or OnlySecond", v.Strategy)
	}
	if v.MaxLength < 0 || v.MaxLength > maxLength || v.Stride < 0 || v.Stride > maxLength {
		return nil, c.errorf("found max_length %d and stride %d, expected 0 to %d", v.MaxLength, v.Stride, maxLength)
	}
	left, err := isLeft(c, v.Direction)
	return &Truncation{MaxLength: v.MaxLength, Strategy: strategy, Left: left, Stride: v.Stride}, err
}

// isLeft reads a direction; a missing one means right.
func isLeft(c config, direction string) (bool, error) {
	switch direction {
	case "Left":
		return true, nil
	case "Right", "":
		return false, nil
	}
	return false, c.errorf("found direction %q, expected Left or Right", direction)
}

// apply cuts one text or two so that special more tokens fit in.
func (t Truncation) apply(texts []Encoding, special int) error {
	if t.MaxLength < 0 || t.Stride < 0 {
		return fmt.Errorf("truncation: found length %d and stride %d, expected neither below 0", t.MaxLength, t.Stride)
	}
	room := t.MaxLength - special
	if room < 0 {
		return nil
	}
	if t.Stride > room {
		return fmt.Errorf("truncation: found stride %d, expected less than the length, which is %d without %d special tokens", t.Stride, room, special)
	}
	lengths, err := t.lengths(texts, room)
	if err != nil {
		return err
	}
	if err := t.bound(texts, lengths); err != nil {
		return err
	}
	for i := range texts {
		if err := t.cut(&texts[i], lengths[i]); err != nil {
			return err
		}
	}
	return nil
}

// lengths returns how many tokens of each text are to stay.
func (t Truncation) lengths(texts []Encoding, room int) ([]int, error) {
	lengths, total := make([]int, len(texts)), 0
	for i := range texts {
		lengths[i] = texts[i].Len()
		total += lengths[i]
	}
	which := 0
	switch {
	case room == 0:
		return make([]int, len(texts)), nil
	case total <= room:
		return lengths, nil
	case t.Strategy == LongestFirst && len(texts) == 1:
		return []int{room}, nil
	case t.Strategy == LongestFirst:
		return longestFirst(lengths, room), nil
	case t.Strategy == OnlySecond:
		which = 1
	}
	if which >= len(texts) {
		return nil, fmt.Errorf("truncation: found one text, expected a pair of which the second can be cut")
	}
	if over := total - room; over >= lengths[which] {
		return nil, fmt.Errorf("truncation: text %d has %d tokens and is to lose %d", which+1, lengths[which], over)
	}
	lengths[which] -= total - room
	return lengths, nil
}

// longestFirst shares room between two texts that do not fit: a text of less than half of it stays whole.
func longestFirst(n []int, room int) []int {
	short, long := min(n[0], n[1]), max(n[0], n[1])
	long = min(long, room-min(short, room))
	if long < short {
		short, long = room/2, room-room/2
	}
	if n[0] > n[1] {
		return []int{long, short}
	}
	return []int{short, long}
}

// bound refuses an overflow that is too large: that of a pair has the product of both sides.
func (t Truncation) bound(texts []Encoding, lengths []int) error {
	if !t.Overflow {
		return nil
	}
	pieces, width := 1.0, 0
	for i := range texts {
		width += lengths[i]
		if step := lengths[i] - t.Stride; lengths[i] < texts[i].Len() && step > 0 {
			pieces *= float64(texts[i].Len())/float64(step) + 1
		}
	}
	if pieces*float64(width) > maxLength {
		return fmt.Errorf("truncation: the overflow would have %.0f pieces of %d tokens, expected at most %d tokens", pieces, width, maxLength)
	}
	return nil
}

// cut shortens a text to n tokens.
func (t Truncation) cut(e *Encoding, n int) error {
	if n >= e.Len() {
		return nil
	}
	whole := *e
	if n == 0 {
		*e = newEncoding(0)
		if t.Overflow {
			e.Overflow = []Encoding{whole}
		}
		return nil
	}
	if t.Stride >= n {
		return fmt.Errorf("truncation: found stride %d, expected less than the %d tokens that are left of the text", t.Stride, n)
	}
	windows := t.windows(whole.Len(), n)
	*e = whole.slice(windows[0][0], windows[0][1])
	for _, w := range windows[1:] {
		e.Overflow = append(e.Overflow, whole.slice(w[0], w[1]))
	}
	return nil
}

// windows returns the windows of n out of all tokens, the one that is kept first.
func (t Truncation) windows(all, n int) (out [][2]int) {
	for lo := 0; ; lo += n - t.Stride {
		hi := min(lo+n, all)
		if t.Left {
			out = append(out, [2]int{all - hi, all - lo})
		} else {
			out = append(out, [2]int{lo, hi})
		}
		if hi == all || !t.Overflow {
			return out
		}
	}
}
