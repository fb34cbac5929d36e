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
	Gate         bool        // a gate for each sequence in place of s or α (UniPELT: Mao et al. 2022, arXiv:2110.07577)
	DoRA         bool        // y = m/‖W + B·A‖∘(x·Wᵀ + b + s·(x·Aᵀ)·Bᵀ), ‖·‖ the lengths of rows
	Dropout      float64     // on the branch's input, in training
	VeRA         *HubVeRA    // A and B are not trained, and are the same for all maps: see there
	Init         HubInit     // how A and B start; empty means HubKaiming, and of IA3 HubOnes
	Head         bool        // train the model's head whole
}

// HubInit is how A and B of [Hub] start, or IA3's l as B does.
type HubInit string

// The starts.
const (
	HubKaiming HubInit = "lora" // A uniform within ±1/√in, B zero
	HubNormal  HubInit = "bert" // both N(0, 0.02²)
	HubOnes    HubInit = "ia3"  // ones
	HubUniform HubInit = "vera" // A uniform within ±√(6/in), B within ±√(6/r)
)

// HubVeRA is VeRA as AdapterHub's library has it (Kopiczko et al. 2023, arXiv:2310.11454): B·A becomes E·B·D·A with whole matrices D [r×r] and E [out×out] of each map, which start as
// diagonal ones. A and B stay what they were at first.
type HubVeRA struct{ D, B float64 } // the first numbers on the diagonals of D and of E, which the library calls B too

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
	case c.Rescale && (c.DoRA || c.VeRA != nil):
		return errors.New("lora: Rescale may not be set with DoRA or VeRA")
	case c.Init != "" && !slices.Contains([]HubInit{HubKaiming, HubNormal, HubOnes, HubUniform}, c.Init):
		return fmt.Errorf("lora: Init is %q, must be empty, %q, %q, %q or %q", c.Init, HubKaiming, HubNormal, HubOnes, HubUniform)
	case c.Rescale:
		return probability("Dropout", c.Dropout)
	}
	return cmp.Or(within("Rank", c.Rank, 1, mostRank), probability("Dropout", c.Dropout))
}

// swapped are the models in which the library calls the last map of a feed-forward network intermediate, and the first output.
var swapped = []string{"llama", "mistral", "qwen2", "gemma"}

// roles are those of the chosen maps, in the order in which the library has them.
func (c Hub) roles(modelType string) (all []peft.Role) {
	attention := c.attention()
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

// attention are the chosen maps of attention.
func (c Hub) attention() []peft.Role {
	if c.Attention == nil {
		return []peft.Role{peft.Query, peft.Value}
	}
	return c.Attention
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
	d := hub{branch: branchOf(l, c.Dropout), site: l, parts: parts}
	wide := 0
	for _, p := range parts {
		wide += p.Hi - p.Lo
	}
	whole := len(parts) == 1 && wide == l.Out
	switch {
	case c.Rescale:
		d.b, d.scale = q.NewParam(l.Name()+"/lora_B", c.start(rng, wide, l.In, true), wide, 1), cmp.Or(c.Alpha, 1)
	case (c.DoRA || c.VeRA != nil) && !whole:
		return errors.New("DoRA or VeRA of a part of a fused map is not supported")
	default:
		if err := c.factors(q, &d, wide, rng); err != nil {
			return err
		}
	}
	if c.DoRA {
		d.m = q.NewParam(l.Name()+"/m.weight", lengths(q, l), l.Out, 1)
	}
	if c.Gate {
		d.gate = peft.NewSequenceGate(q, l.Name()+"/gate", l.In, len(parts), rng)
	}
	q.Add(l, peft.Out, d.delta())
	return nil
}

// factors makes A and B.
func (c Hub) factors(q *peft.Patch, d *hub, wide int, rng peft.Rand) error {
	l, n := d.site, len(d.parts)
	if err := fits(c.Rank, wide, l.In); err != nil {
		return err
	}
	d.scale = cmp.Or(c.Alpha, float64(c.Rank)) / float64(c.Rank)
	if c.VeRA != nil {
		return c.vera(q, d, rng)
	}
	a := q.NewParam(l.Name()+"/lora_A", c.start(rng, n*c.Rank*l.In, l.In, false), n*c.Rank, l.In)
	d.b = q.NewParam(l.Name()+"/lora_B", c.start(rng, wide*c.Rank, l.In, true), wide, c.Rank)
	d.factors = d.both(a)
	return nil
}

// start is n first numbers of A, or of B or IA3's l.
func (c Hub) start(rng peft.Rand, n, in int, up bool) []float64 {
	switch init := c.init(); {
	case init == HubNormal:
		return peft.Normal(rng, n, 0.02)
	case init == HubOnes:
		return slices.Repeat([]float64{1}, n)
	case init == HubUniform && up:
		return peft.Uniform(rng, n, math.Sqrt(6/float64(max(1, c.Rank))))
	case init == HubUniform:
		return peft.Uniform(rng, n, math.Sqrt(6/float64(in)))
	case up:
		return nil
	}
	return peft.Uniform(rng, n, 1/math.Sqrt(float64(in)))
}

// init is how A and B start.
func (c Hub) init() HubInit {
	if c.Rescale {
		return cmp.Or(c.Init, HubOnes)
	}
	return cmp.Or(c.Init, HubKaiming)
}
