package lora

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"peft/peft"
	"peft/tensor"
)

// IA3 scales what linear maps put out, or take in, by a learned vector (Liu et al. 2022, arXiv:2205.05638):
//
//	y = l ∘ (x·Wᵀ + b),  or for feed-forward maps  y = (l ∘ x)·Wᵀ + b
//
// The vectors start at one, so a fresh patch changes nothing.
type IA3 struct {
	Common      `json:"-"`
	FeedForward peft.Names `json:"feedforward_modules"` // the maps that are scaled at their input, by ends of names or a pattern; none given: those that are usual for the model's type
	Init        Init       `json:"init_ia3_weights"`

	filed bool // the parameters are in a file
}

var ia3 = kind{name: "IA3", layout: true}

func init() { register(ia3, decoder(ia3, IA3{})) }

// Attach puts a vector at each chosen map.
func (c IA3) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if name, err := c.contradicted(s); !c.filed && (name != "" || err != nil) {
		return nil, cmp.Or(err, fmt.Errorf("lora: FeedForward holds %q, which none of the chosen maps is called", name))
	}
	feeds, err := c.feeds(s)
	if err != nil {
		return nil, err
	}
	return c.attach(ia3, s, func(q *peft.Patch, l *peft.Linear) error {
		if feeds(l.Name()) {
			d := &scaling{q.NewParam(l.Name()+"/ia3_l", c.start(rng, l.In), 1, l.In)}
			q.Add(l, peft.In, &before{d.change})
			return nil
		}
		d := &scaling{q.NewParam(l.Name()+"/ia3_l", c.start(rng, l.Out), l.Out, 1)}
		q.Add(l, peft.Out, &after{d.change})
		return nil
	})
}

// Filed is the method as a file may have it, with names of feed-forward maps that are not chosen.
func (c IA3) Filed() peft.Method {
	c.filed = true
	return c
}

func (c IA3) check() error { return cmp.Or(c.Common.check(ia3), c.Init.check()) }

// feeds reports which sites are scaled at their input. Names in a list match any end of a site's name, as in Hugging Face PEFT.
func (c IA3) feeds(s *peft.Sites) (func(name string) bool, error) {
	ends := c.feedForward(s.ModelType()).List
	if c.FeedForward.Pattern != "" {
		sites, err := peft.FullMatch(c.FeedForward.Pattern).Select(s)
		if err != nil {
			return nil, err
		}
		return func(name string) bool {
			return slices.ContainsFunc(sites, func(x peft.Site) bool { return x.Name() == name })
		}, nil
	}
	return func(name string) bool { return endsWithAny(name, ends) }, nil
}

func endsWithAny(name string, ends []string) bool {
	return slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(name, end) })
}

func (c IA3) feedForward(modelType string) peft.Names {
	if c.FeedForward.Given() {
		return c.FeedForward
	}
	return peft.Names{List: peft.UsualFeedForward(modelType)}
}

func (c IA3) start(rng peft.Rand, n int) []float64 {
	if c.Init == Random {
		return peft.Normal(rng, n, 1)
	}
	return slices.Repeat([]float64{1}, n)
}

// Config is the configuration that Hugging Face PEFT reads. It wants feed-forward modules to be among the target modules, by the same names.
func (c IA3) Config(s *peft.Sites) (map[string]any, error) {
	c.FeedForward = c.feedForward(s.ModelType())
	config, err := ia3.write(c.Common, s, c)
	if err != nil {
		return nil, err
	}
	targets, _ := config["target_modules"].(peft.Names)
	if targets.Pattern != "" || c.FeedForward.Pattern != "" {
		return config, nil
	}
	both := peft.Names{List: []string{}}
	for _, name := range targets.List {
		if endsWithAny(name, c.FeedForward.List) {
			both.List = append(both.List, name)
		}
	}
	config["feedforward_modules"] = both
	return config, nil
}

// contradicted is a name of a feed-forward map that is given and that no chosen map has, empty if there is none.
func (c IA3) contradicted(s *peft.Sites) (string, error) {
	chosen, err := c.linears(ia3, s)
	if err != nil {
		return "", err
	}
	for _, end := range c.FeedForward.List {
		if !slices.ContainsFunc(chosen, func(l *peft.Linear) bool { return strings.HasSuffix(l.Name(), end) }) {
			return end, nil
		}
	}
	return "", nil
}

// scaling is (l − 1) ∘ x: what scaling by l adds.
type scaling struct{ l *peft.Param }

func (d *scaling) change(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	l := d.l.In(p)
	return tensor.Mul(x, tensor.Shift(tensor.Reshape(l, 1, l.Len()), -1))
}
