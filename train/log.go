package train

import (
	"encoding/json"
	"io"
	"math"
)

// A Step is what the log tells of one step.
type Step struct {
	Step            int     // counted from 1
	Loss            float64 // the mean over the step's targets, before its update
	LR              float64 // the learning rate of its update; the first parameter's, where they differ
	GradNorm        float64 // the gradients' global norm, before clipping
	TokensPerSecond float64
}

// An Eval is what the log tells of one evaluation.
type Eval struct {
	Step int // how many steps had been done
	Score
}

// MarshalJSON writes the keys of the log. A number that is not finite is null.
func (s Step) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Step            int    `json:"step"`
		Loss            number `json:"loss"`
		LR              number `json:"lr"`
		GradNorm        number `json:"grad_norm"`
		TokensPerSecond number `json:"tokens_per_second"`
	}{s.Step, number(s.Loss), number(s.LR), number(s.GradNorm), number(s.TokensPerSecond)})
}

// evalJSON is an Eval as the log and checkpoints have it.
type evalJSON struct {
	Step     int    `json:"step"`
	Loss     number `json:"eval_loss"`
	Accuracy number `json:"eval_accuracy"`
}

// MarshalJSON writes the keys of the log. A number that is not finite is null.
func (e Eval) MarshalJSON() ([]byte, error) {
	return json.Marshal(evalJSON{e.Step, number(e.Loss), number(e.Accuracy)})
}

// UnmarshalJSON reads what MarshalJSON writes; null is NaN.
func (e *Eval) UnmarshalJSON(text []byte) error {
	var j evalJSON
	err := json.Unmarshal(text, &j)
	*e = Eval{j.Step, Score{float64(j.Loss), float64(j.Accuracy)}}
	return err
}

// A number is a float64 that JSON has as null if it is not finite.
type number float64

func (x number) MarshalJSON() ([]byte, error) {
	if !finite(float64(x)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(x))
}

func (x *number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*x = number(math.NaN())
		return nil
	}
	return json.Unmarshal(text, (*float64)(x))
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// writeLine writes a record as one line of JSON, in one piece; nothing to a nil writer.
func writeLine(w io.Writer, record any) error {
	if w == nil {
		return nil
	}
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
