package sparsemask

import (
	"fmt"
	"math"
	"strings"

	"peft/peft"
	"peft/tensor/safetensors"
)

func init() {
	peft.Register(shira, decodeSHiRA)
	peft.Register(strings.ToLower(shira), decodeSHiRA)
}

// shiraFields are the fields of a configuration beside the common ones.
type shiraFields struct {
	Rank   int     `json:"r"`
	Mask   string  `json:"mask_type"`
	Seed   *uint64 `json:"random_seed"`
	Init   bool    `json:"init_weights"`
	Layout bool    `json:"fan_in_fan_out"` // how the base's file holds a matrix; not asked
}

func decodeSHiRA(config []byte) (peft.Method, error) {
	f := shiraFields{Rank: 32, Mask: "random", Init: true}
	t, err := peft.DecodeTargeted(shira, config, &f)
	if err == nil && f.Mask != "random" {
		err = fmt.Errorf("mask_type is %q, expected random", f.Mask)
	}
	return SHiRA{Targeted: t, Rank: f.Rank, Seed: f.Seed, Random: !f.Init}, err
}

// Config is the configuration that Hugging Face PEFT reads.
func (c SHiRA) Config(s *peft.Sites) (map[string]any, error) {
	return c.Fields(shira, s, shiraFields{Rank: c.Rank, Mask: "random", Seed: c.Seed, Init: !c.Random})
}

// indices is the end of the keys of entries.
const indices = ".shira_indices"

// Indices are the rows and the columns of a site's entries: I32 [2×n].
func (c SHiRA) Indices(q *peft.Patch, x *peft.Param) safetensors.Tensor {
	site, _, _ := strings.Cut(x.Name, "/")
	n, in := len(x.Places), int32(q.Sites().Find(site).(*peft.Linear).In)
	both := make([]int32, 2*n)
	for i, at := range x.Places {
		both[i], both[n+i] = at/in, at%in
	}
	return safetensors.I32(peft.Wrapper+site+indices, []int{2, n}, both)
}

// Restore takes the entries from a file.
func (c SHiRA) Restore(w *safetensors.File) (peft.Method, error) {
	c.places = map[string]pairs{}
	for t := range w.All() {
		site, ok := strings.CutSuffix(strings.TrimPrefix(t.Name, peft.Wrapper), indices)
		if !ok {
			continue
		}
		p, err := readPairs(t)
		if err != nil {
			return nil, err
		}
		c.places[site] = p
	}
	return c, nil
}

// readPairs reads rows and columns.
func readPairs(t safetensors.Tensor) (p pairs, err error) {
	if len(t.Shape) != 2 || t.Shape[0] != 2 {
		return p, fmt.Errorf("%s has shape %v, expected [2 n]", t.Name, t.Shape)
	}
	wide, err := t.Ints()
	if err != nil {
		return p, err
	}
	both := make([]int32, len(wide))
	for i, at := range wide {
		if at < 0 || at > math.MaxInt32 {
			return p, fmt.Errorf("%s holds %d, expected a row or column", t.Name, at)
		}
		both[i] = int32(at)
	}
	return pairs{both[:len(both)/2], both[len(both)/2:]}, nil
}
