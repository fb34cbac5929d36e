package lora

import (
	"cmp"
	"fmt"
	"slices"

	"peft/peft"
	"peft/tensor"
)

// RoAd turns and scales pairs of a linear map's outputs (Liao and Monz 2024, arXiv:2409.00119). A pair is a number of the first half of a group and the one at its place in the second half:
//
//	(y₁, y₂) → (α·cos θ·y₁ − α·sin θ·y₂, α·cos θ·y₂ + α·sin θ·y₁)
//
// θ starts at zero and α at one, so that a fresh patch changes nothing.
type RoAd struct {
	Common  `json:"-"`
	Variant Variant `json:"variant"`    // which numbers have their own θ and α; empty means Road1
	Group   int     `json:"group_size"` // even, and a divisor of the size of the output; 0 means 64
	Init    Init    `json:"init_weights"`
}

// A Variant says how many numbers a [RoAd] trains.
type Variant string

// The variants of [RoAd], with so many θ and α for each pair.
const (
	Road1 Variant = "road_1" // one
	Road2 Variant = "road_2" // one for each number
	Road4 Variant = "road_4" // two for each number: for its cosine and for its sine
)

var road = kind{name: "ROAD"}

func init() { register(road, decoder(road, RoAd{Variant: Road1, Group: 64})) }

// Attach puts rotations after each chosen map.
func (c RoAd) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.attach(road, s, func(q *peft.Patch, l *peft.Linear) error {
		if l.Out%c.Group != 0 {
			return fmt.Errorf("groups of %d do not make an output of %d", c.Group, l.Out)
		}
		d := &pairs{half: c.Group / 2}
		d.cos, d.sin = c.places(l.Out)
		n := int(slices.Max(d.sin)) + 1
		theta, alpha := make([]float64, n), slices.Repeat([]float64{1}, n)
		if c.Init == Random {
			theta, alpha = peft.Normal(rng, n, 0.5), peft.Normal(rng, n, 0.5)
		}
		d.theta, d.alpha = q.NewParam(l.Name()+"/road_theta", theta, n), q.NewParam(l.Name()+"/road_alpha", alpha, n)
		q.Add(l, peft.Out, &after{d.change})
		return nil
	})
}

func (c RoAd) withDefaults() RoAd {
	c.Variant, c.Group = cmp.Or(c.Variant, Road1), cmp.Or(c.Group, 64)
	return c
}

func (c RoAd) check() error {
	switch {
	case !slices.Contains([]Variant{Road1, Road2, Road4}, c.Variant):
		return fmt.Errorf("lora: Variant is %q, must be %q, %q or %q", c.Variant, Road1, Road2, Road4)
	case c.Group < 2 || c.Group%2 != 0:
		return fmt.Errorf("lora: Group is %d, must be even and at least 2", c.Group)
	}
	return cmp.Or(c.Common.check(road), c.Init.check())
}

// places are where the θ and α of each output stand: those of its cosine, and those of its sine.
func (c RoAd) places(out int) (cos, sin []int32) {
	for i := range out {
		group, at := i/c.Group, i%c.Group
		switch c.Variant {
		case Road1:
			cos = append(cos, int32(group*(c.Group/2)+at%(c.Group/2)))
		case Road2:
			cos = append(cos, int32(i))
		case Road4:
			cos, sin = append(cos, int32(2*group*c.Group+at)), append(sin, int32((2*group+1)*c.Group+at))
		}
	}
	if sin == nil {
		sin = cos
	}
	return cos, sin
}

// Config is the configuration that Hugging Face PEFT reads.
func (c RoAd) Config(s *peft.Sites) (map[string]any, error) {
	c = c.withDefaults()
	return road.write(c.Common, s, c)
}

// pairs is the change of one map's output.
type pairs struct {
	theta, alpha *peft.Param
	cos, sin     []int32
	half         int // of a group
}

// change is (α·cos θ − 1)∘y + α·sin θ∘y', where y' has the halves of each group exchanged and the sign of the first one turned.
func (d *pairs) change(p *peft.Pass, y *tensor.Tensor) *tensor.Tensor {
	part := func(f tensor.Func, places []int32) *tensor.Tensor {
		angle := pick(d.theta.In(p), places, 1, len(places))
		return tensor.Mul(pick(d.alpha.In(p), places, 1, len(places)), tensor.Apply(f, angle))
	}
	sign := make([]float64, len(d.sin))
	for i := range sign {
		sign[i] = 2*float64(i/d.half%2) - 1
	}
	stay := tensor.Shift(part(tensor.Cos, d.cos), -1)
	cross := tensor.Mul(part(tensor.Sin, d.sin), p.Scope().Tensor(sign, 1, len(sign)))
	return tensor.Add(tensor.Mul(y, stay), tensor.Mul(d.exchanged(y), cross))
}

func (d *pairs) exchanged(y *tensor.Tensor) *tensor.Tensor {
	rows := make([]int32, y.Len()/d.half)
	for i := range rows {
		rows[i] = int32(i ^ 1)
	}
	halves := tensor.GatherRows(tensor.Reshape(y, len(rows), d.half), rows, nil)
	return tensor.Reshape(halves, y.Rows(), y.Cols())
}
