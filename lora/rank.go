package lora

import (
	"fmt"

	"peft/peft"
)

// ranks says which rank and which α a site has.
type ranks struct {
	rank         int
	alpha        float64 // 0 means the rank
	rankPattern  peft.PatternMap
	alphaPattern peft.PatternMap
}

// of is what holds for a site of that name.
func (r ranks) of(name string) (rank int, alpha float64, err error) {
	rank = r.rank
	if v, ok := r.rankPattern.Lookup(name); ok {
		rank = int(v)
	}
	if rank < 1 {
		return 0, 0, fmt.Errorf("rank is %d, must be at least 1", rank)
	}
	if rank > mostRank {
		return 0, 0, fmt.Errorf("rank is %d, must be at most %d", rank, mostRank)
	}
	if v, ok := r.alphaPattern.Lookup(name); ok {
		return rank, v, nil
	}
	return rank, r.alphaOr(rank), nil
}

func (r ranks) alphaOr(rank int) float64 {
	if r.alpha == 0 {
		return float64(rank)
	}
	return r.alpha
}
