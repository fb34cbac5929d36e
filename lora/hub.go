package lora

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"peft/peft"
)

// A Hub is LoRA, DoRA or IA3 as AdapterHub's library has them, whose folders it reads and writes. It acts on maps by what they do in their block. A map that a checkpoint fuses of several has
// an update for each that is chosen.
type Hub struct {
	Name         string      // of the adapter, a part of its keys in files; empty means "lora"
	Rank         int         // r, at least 1
	Alpha        float64     // α; 0 means Rank, so that s = 1
	Attention    []peft.Role // of peft.Query, peft.Key and peft.Value; nil means query and value, and an empty list none of them
	Intermediate bool        // the first map of each feed-forward network too; of Llama and its kin the last
	Output       bool        // the last map too; of Llama and its kin the first
	LeaveOut     []int       // blocks that are left as they are, by number, the decoder's counted after the encoder's
	Rescale      bool        // y = α·l∘(x·Wᵀ + b) in place of an update (IA3), where an α of 0 means 1; Rank counts for nothing
	Gate         bool        // a gate for each sequence in place of s (UniPELT: Mao et al. 2022, arXiv:2110.07577)
	DoRA         bool        // y = m/‖W + B·A‖∘(x·Wᵀ + b + s·(x·Aᵀ)·Bᵀ), ‖·‖ the lengths of rows
	Dropout      float64     // on the branch's input, in training
	Init         HubInit     // how A and B start
	Head         bool        // train the model's head whole
}

// HubInit is how A and B of [Hub] start.
type HubInit string

// The starts. IA3 starts at ones.
const (
	HubKaiming HubInit = ""     // A uniform within ±1/√in, B zero
	HubNormal  HubInit = "bert" // both N(0, 0.02²)
)

// Attach puts an update at each chosen map.
func (c Hub) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	q, found := peft.NewPatch(s), false
	first, last := 0, 0
	for l := range s.Linears() {
		if l.Layer() >= 0 {
			if l.Layer() < last {
				first += last + 1
			}
			last = l.Layer()
		}
		parts, err := c.parts(l, s.ModelType())
		if err != nil {
			return nil, fmt.Errorf("lora: %s: %w", l.Name(), err)
		}
		if parts == nil {
			continue
		}
		found = true
		if slices.Contains(c.LeaveOut, first+last) {
			continue
		}
		if err := c.linear(q, l, parts, rng); err != nil {
			return nil, fmt.Errorf("lora: %s: %w", l.Name(), err)
		}
	}
	if !found {
		return nil, fmt.Errorf("lora: %T has none of the linear maps that are chosen", s.Model())
	}
	if c.Head {
		q.TrainHead()
	}
	return q, nil
}

func (c Hub) check() error {
	for _, r := range c.Attention {
		if r != peft.Query && r != peft.Key && r != peft.Value {
			return fmt.Errorf("lora: Attention holds %q, must be of %q, %q and %q", r, peft.Query, peft.Key, peft.Value)
		}
	}
	switch {
	case c.Gate && (c.Rescale || c.DoRA), c.Rescale && c.DoRA:
		return errors.New("lora: only one of Rescale, Gate and DoRA may be set")
	case c.Init != HubKaiming && c.Init != HubNormal:
		return fmt.Errorf("lora: Init is %q, must be empty or %q", c.Init, HubNormal)
	case c.Rescale:
		return probability("Dropout", c.Dropout)
	}
	return cmp.Or(within("Rank", c.Rank, 1, mostRank), probability("Dropout", c.Dropout))
}

// swapped are the models in which the library calls the last map of a feed-forward network intermediate, and the first output.
var swapped = []string{"llama", "mistral", "qwen2", "gemma"}

// roles are those of the chosen maps, in the order in which the library has them.
func (c Hub) roles(modelType string) (all []peft.Role) {
	attention := c.Attention
	if attention == nil {
		attention = []peft.Role{peft.Query, peft.Value}
	}
	for _, r := range []peft.Role{peft.Query, peft.Key, peft.Value} {
		if slices.Contains(attention, r) {
			all = append(all, r)
		}
	}
	up, down := c.Intermediate, c.Output
	if slices.Contains(swapped, modelType) {
		up, down = down, up
	}
	if up {
		all = append(all, peft.Up)
	}
	if down {
		all = append(all, peft.Down)
	}
	return all
}

// parts are the output columns of a map that have updates of their own: all of it, or some of a fused one's; nil where it is not chosen.
func (c Hub) parts(l *peft.Linear, modelType string) (all []peft.Part, err error) {
	for _, r := range c.roles(modelType) {
		if l.Role == r {
			return []peft.Part{{Role: r, Lo: 0, Hi: l.Out}}, nil
		}
		n := len(all)
		for _, p := range l.Parts {
			if p.Role == r {
				all = append(all, p)
			}
		}
		if len(all) > n+1 {
			return nil, fmt.Errorf("it has %d parts for the role %q, must be one", len(all)-n, r)
		}
	}
	return all, nil
}

// linear makes the parameters at one map.
func (c Hub) linear(q *peft.Patch, l *peft.Linear, parts []peft.Part, rng peft.Rand) error {
	h := hub{branch: branchOf(l, c.Dropout), site: l, parts: parts, alpha: cmp.Or(c.Alpha, 1)}
	wide := 0
	for _, p := range parts {
		wide += p.Hi - p.Lo
	}
	if c.Rescale {
		h.b = q.NewParam(l.Name()+"/lora_B", slices.Repeat([]float64{1}, wide), wide, 1)
		q.Add(l, peft.Out, &after{h.rescale})
		return nil
	}
	if err := fits(c.Rank, wide, l.In); err != nil {
		return err
	}
	n := len(parts)
	h.a = q.NewParam(l.Name()+"/lora_A", c.start(rng, n*c.Rank*l.In, l.In, false), n*c.Rank, l.In)
	h.b = q.NewParam(l.Name()+"/lora_B", c.start(rng, wide*c.Rank, l.In, true), wide, c.Rank)
	low := &factored{h.branch, cmp.Or(c.Alpha, float64(c.Rank)) / float64(c.Rank), h.both}
	switch {
	case c.DoRA:
		if n > 1 || parts[0].Hi-parts[0].Lo < l.Out {
			return errors.New("DoRA of a part of a fused map is not supported")
		}
		q.Add(l, peft.Out, hubDoRA{h, low, q.NewParam(l.Name()+"/m.weight", lengths(q, l), l.Out, 1)})
	case c.Gate:
		q.Add(l, peft.Out, hubGated{h, peft.NewSequenceGate(q, l.Name()+"/gate", l.In, n, rng)})
	default:
		q.Add(l, peft.Out, low)
	}
	return nil
}

// start is n first numbers of A, or of B.
func (c Hub) start(rng peft.Rand, n, in int, up bool) []float64 {
	switch {
	case c.Init == HubNormal:
		return peft.Normal(rng, n, 0.02)
	case up:
		return nil
	}
	return peft.Uniform(rng, n, 1/math.Sqrt(float64(in)))
}
