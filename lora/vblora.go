package lora

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"peft/peft"
	"peft/tensor"
)

// VBLoRA makes LoRA's factors of pieces, each a mixture of a few vectors from a bank that all sites share (Li et al. 2024, arXiv:2405.15179):
//
//	piece = Σᵢ softmax(logits of the TopK largest)ᵢ·bank[i],  ΔW = B·A
type VBLoRA struct {
	Common  `json:"-"`
	Rank    int     `json:"r"`                      // r, at least 1
	Vectors int     `json:"num_vectors"`            // how many the bank has; 0 means 256
	Length  int     `json:"vector_length"`          // of each, which divides both sides of each map; 0 means 256
	TopK    int     `json:"topk"`                   // how many are mixed; 0 means 2
	Dropout float64 `json:"vblora_dropout"`         // on the branch's input, in training
	Bound   float64 `json:"init_vector_bank_bound"` // the bank starts uniform within it; 0 means 0.02
	Std     float64 `json:"init_logits_std"`        // the logits start normal; 0 means 0.1
	Small   bool    `json:"save_only_topk_weights"` // files hold the shares that are mixed and not the logits, which cannot be trained on then

	filed map[string][]int32 // of the small form: the numbers of the vectors that are mixed, by parameter
}

var vblora = kind{name: "VBLORA", bias: true, layout: true}

func init() {
	d := VBLoRA{Rank: 4, Vectors: 256, Length: 256, TopK: 2, Bound: 0.02, Std: 0.1}
	register(vblora, decoder(vblora, d))
}

// Attach puts logits at each chosen map.
func (c VBLoRA) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	var bank *peft.Param
	return c.attach(vblora, s, func(q *peft.Patch, l *peft.Linear) error {
		if l.In%c.Length != 0 || l.Out%c.Length != 0 {
			return fmt.Errorf("vectors of %d numbers do not make the sides of a matrix of %v", c.Length, l.W.Shape)
		}
		if bank == nil {
			bank = q.NewParam("/vblora_vector_bank", peft.Uniform(rng, c.Vectors*c.Length, c.Bound), c.Vectors, c.Length)
		}
		logits := c.shares
		if c.filed == nil {
			logits = func(q *peft.Patch, name string, rows, cols int) (*peft.Param, error) {
				return q.NewParam(name, peft.Normal(rng, rows*cols*c.Vectors, c.Std), rows, cols, c.Vectors), nil
			}
		}
		a, errA := logits(q, l.Name()+"/vblora_logits_A", c.Rank, l.In/c.Length)
		b, errB := logits(q, l.Name()+"/vblora_logits_B", l.Out/c.Length, c.Rank)
		d := &mixtures{bank: bank, topK: c.TopK, a: a, b: b}
		if err := cmp.Or(errA, errB); err != nil {
			return err
		}
		q.Add(l, peft.Out, &factored{branchOf(l, c.Dropout), 1, d.factors})
		return nil
	})
}

func (c VBLoRA) withDefaults() VBLoRA {
	c.Vectors, c.Length, c.TopK = cmp.Or(c.Vectors, 256), cmp.Or(c.Length, 256), cmp.Or(c.TopK, 2)
	c.Bound, c.Std = cmp.Or(c.Bound, 0.02), cmp.Or(c.Std, 0.1)
	return c
}

func (c VBLoRA) check() error {
	if c.TopK > c.Vectors {
		return errors.New("lora: TopK is above the number of Vectors")
	}
	return cmp.Or(within("Rank", c.Rank, 1, mostRank), within("Vectors", c.Vectors, 0, mostVectors), within("Length", c.Length, 0, mostVectors), atLeast("TopK", c.TopK, 0), probability("Dropout", c.Dropout),
		c.Common.check(vblora))
}

// Config is the configuration that Hugging Face PEFT reads.
func (c VBLoRA) Config(s *peft.Sites) (map[string]any, error) {
	c = c.withDefaults()
	return vblora.write(c.Common, s, c)
}

// mixtures are the factors of one map: logits of A [r × in/length × vectors] and of B [out/length × r × vectors].
type mixtures struct {
	bank, a, b *peft.Param
	topK       int
}

func (d *mixtures) factors(p *peft.Pass) (a, b *tensor.Tensor) {
	r, tiles, bank := d.a.Tensor().Shape()[0], d.b.Tensor().Shape()[0], d.bank.In(p)
	a = d.mix(d.a, p, bank)
	b = swap(d.mix(d.b, p, bank), 1, tiles, r) // rows of length numbers in the order (rank, tile)
	return tensor.Reshape(a, r, a.Len()/r), tensor.Transpose(tensor.Reshape(b, r, b.Len()/r))
}

// mix is a mixture of vectors for each row of logits, or of shares.
func (d *mixtures) mix(x *peft.Param, p *peft.Pass, bank *tensor.Tensor) *tensor.Tensor {
	best, shares := x.Places, x.In(p)
	if best == nil {
		best, shares = topShares(shares, d.topK)
	} else {
		shares = allShares(p, shares, len(best)/d.topK, d.topK)
	}
	var sum *tensor.Tensor
	for k := range d.topK {
		ids := make([]int32, len(best)/d.topK)
		for i := range ids {
			ids[i] = best[i*d.topK+k]
		}
		part := tensor.Mul(tensor.GatherRows(bank, ids, nil), tensor.Columns(shares, k, k+1))
		if sum == nil {
			sum = part
		} else {
			sum = tensor.Add(sum, part)
		}
	}
	return sum
}

// topShares are the numbers of the k vectors with the largest logits in each row, and the softmax of these.
func topShares(logits *tensor.Tensor, k int) (best []int32, shares *tensor.Tensor) {
	best = largest(logits.Float64s(), logits.Cols(), k)
	places := make([]int32, len(best))
	for i, v := range best {
		places[i] = int32(i/k*logits.Cols()) + v
	}
	return best, tensor.Softmax(pick(logits, places, logits.Rows(), k))
}

// largest are the numbers of the k largest entries of each row of n, the largest first.
func largest(v []float64, n, k int) (all []int32) {
	order := make([]int32, n)
	for lo := 0; lo < len(v); lo += n {
		row := v[lo : lo+n]
		for i := range order {
			order[i] = int32(i)
		}
		slices.SortStableFunc(order, func(i, j int32) int { return cmp.Compare(row[j], row[i]) })
		all = append(all, order[:k]...)
	}
	return all
}
