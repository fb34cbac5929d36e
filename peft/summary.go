package peft

import (
	"fmt"
	"strings"
)

// A Summary says what a patch trains.
type Summary struct {
	Trainable int // trained numbers
	Total     int // numbers of the base and of the patch, as Hugging Face PEFT counts them
	Params    []ParamCount
}

// A ParamCount is the size of one parameter of a patch.
type ParamCount struct {
	Name  string
	Shape []int
	Len   int
	Fixed bool
}

// Summary counts what the patch trains.
func (q *Patch) Summary() Summary {
	s := Summary{Trainable: q.Trainable(), Total: q.sites.Count()}
	for _, x := range q.params {
		s.Params = append(s.Params, ParamCount{x.Name, x.Tensor().Shape(), x.Count(), x.Fixed})
		if !x.Buffer && !q.inPlace(x) {
			s.Total += x.Count()
		}
	}
	return s
}

// Percent is the share of the total that is trained.
func (s Summary) Percent() float64 { return 100 * float64(s.Trainable) / float64(max(1, s.Total)) }

func (s Summary) String() string {
	var b strings.Builder
	for _, p := range s.Params {
		fmt.Fprintf(&b, "%10d  %-14s %s\n", p.Len, fmt.Sprint(p.Shape), p.Name)
	}
	fmt.Fprintf(&b, "trained %d of %d (%.4f %%)", s.Trainable, s.Total, s.Percent())
	return b.String()
}

// inPlace reports whether a parameter takes the place of one of the base's rather than stand beside it: a head that is saved whole counts as both.
func (q *Patch) inPlace(x *Param) bool {
	return !q.beside[x.Name] && !strings.Contains(x.Name, "/")
}
