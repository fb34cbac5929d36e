package lora

import (
	"strings"

	"peft/peft"
	"peft/tensor/safetensors"
)

// Restore takes the ranks from a file: Hugging Face PEFT writes rank_pattern, but does not ask it where it makes a patch.
func (c HiRA) Restore(w *safetensors.File) (peft.Method, error) {
	c.filed = map[string]int{}
	for t := range w.All() {
		name := strings.TrimPrefix(t.Name, peft.Wrapper)
		for _, end := range []string{".hira_A", ".hira_embedding_A"} {
			if site, ok := strings.CutSuffix(name, end); ok && len(t.Shape) == 2 {
				c.filed[site] = t.Shape[0]
			}
		}
	}
	return c, nil
}

// rank is that of a site.
func (c HiRA) rank(x peft.Site) (int, error) {
	if r, ok := c.filed[x.Name()]; ok {
		return r, within("r", r, 1, mostRank)
	}
	r, _, err := ranks{rank: c.Rank, rankPattern: c.RankPattern}.of(x.Name())
	return r, err
}
