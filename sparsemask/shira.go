package sparsemask

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"peft/peft"
	"peft/tensor"
)

// SHiRA adds trained numbers to random entries of linear maps, as many as a low-rank update of the same rank would have (Bhardwaj et al. 2024, arXiv:2406.13175; Hugging Face PEFT's SHIRA):
//
//	y = x·(W + S)ᵀ + b,  S [out×in] with r·(in+out) entries that are not zero
//
// They start at zero, so a fresh patch changes nothing. Other places that have the same W, as the embedding that a head is tied to, do not see S.
type SHiRA struct {
	peft.Targeted
	Rank   int     // r, at least 1
	Seed   *uint64 // of the entries; nil: drawn anew for each site
	Random bool    // the numbers start normal rather than at zero

	places map[string]pairs // of each site, as a file has them; nil: drawn
}

// pairs are the rows and columns of entries.
type pairs struct{ row, col []int32 }

const shira = "SHIRA"

// Attach lets the sum of W and the trained entries stand in for the weight of each chosen map.
func (c SHiRA) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if c.Rank < 1 {
		return nil, fmt.Errorf("sparsemask: Rank is %d, must be at least 1", c.Rank)
	}
	sites, err := c.Sites(shira, s)
	if err != nil {
		return nil, err
	}
	q := peft.NewPatch(s)
	for _, x := range sites {
		if err := c.site(q, x, rng); err != nil {
			return nil, fmt.Errorf("sparsemask: %s: %w", x.Name(), err)
		}
	}
	c.Whole(q)
	return q, c.KeepTables(shira, q, sites)
}

func (c SHiRA) site(q *peft.Patch, x peft.Site, rng peft.Rand) error {
	l, ok := x.(*peft.Linear)
	if !ok {
		return fmt.Errorf("SHiRA adapts linear maps, not a %T", x)
	}
	n := c.Rank * (l.In + l.Out)
	if n > l.In*l.Out {
		return fmt.Errorf("rank %d asks for %d entries of %d", c.Rank, n, l.In*l.Out)
	}
	flat, err := c.entries(l, n, rng)
	if err != nil {
		return err
	}
	var start []float64
	if c.Random {
		start = peft.Normal(rng, n, 1)
	}
	v := q.NewParam(l.Name()+"/shira_weight", start, n)
	v.Places = flat
	q.Substitute(q.Own(l), plus{v, tensor.NewEntries(l.Out, l.In, flat)})
	return nil
}

// entries are n flat places in a map's weight [out×in].
func (c SHiRA) entries(l *peft.Linear, n int, rng peft.Rand) ([]int32, error) {
	if c.places != nil {
		return c.places[l.Name()].flat(l, n)
	}
	if c.Seed != nil {
		rng = rand.New(rand.NewPCG(*c.Seed, 0))
	}
	return draw(rng, l.In*l.Out, n), nil
}

func (p pairs) flat(l *peft.Linear, n int) ([]int32, error) {
	if len(p.row) != n {
		return nil, fmt.Errorf("the file has %d entries, the rank asks for %d", len(p.row), n)
	}
	flat := make([]int32, n)
	for i := range flat {
		if p.row[i] < 0 || int(p.row[i]) >= l.Out || p.col[i] < 0 || int(p.col[i]) >= l.In {
			return nil, fmt.Errorf("the file has an entry (%d, %d), beyond the [%d×%d] of the weight", p.row[i], p.col[i], l.Out, l.In)
		}
		flat[i] = p.row[i]*int32(l.In) + p.col[i]
	}
	return flat, nil
}

// draw is n different numbers below limit, ascending (Floyd's algorithm).
func draw(rng peft.Rand, limit, n int) []int32 {
	taken, all := map[int]bool{}, make([]int32, 0, n)
	for top := limit - n; top < limit; top++ {
		x := rng.IntN(top + 1)
		if taken[x] {
			x = top
		}
		taken[x] = true
		all = append(all, int32(x))
	}
	slices.Sort(all)
	return all
}

// plus is the stand-in W + S.
type plus struct {
	v  *peft.Param
	at *tensor.Entries
}

// Value is base with the numbers added.
func (d plus) Value(p *peft.Pass, _ *peft.Frozen, base tensor.Map) tensor.Map {
	if w, ok := base.(*tensor.Weight); ok {
		return tensor.Sparse{W: w, At: d.at, V: d.v.In(p)}
	}
	return tensor.Dense{W: tensor.AddEntries(base.Dense(p.Scope()), d.at, d.v.In(p))}
}
