package lora

import (
	"cmp"

	"peft/peft"
	"peft/tensor"
)

// LoKr updates a linear map by a Kronecker product, whose right factor, or both, may be of low rank (Yeh et al. 2023, arXiv:2309.14859):
//
//	ΔW = s·w1 ⊗ w2,  w1 [l×m],  w2 [k×n] or w2_a·w2_b,  l·k = out,  m·n = in,  s = α/r
//
// w1 starts at zero.
type LoKr struct {
	Common        `json:"-"`
	Rank          int             `json:"r"`                  // r, at least 1
	Alpha         float64         `json:"alpha"`              // α; 0 means Rank
	Both          bool            `json:"decompose_both"`     // w1 = w1_a·w1_b too, where that is smaller
	Factor        int             `json:"decompose_factor"`   // l and m, where they divide out and in, else the largest l ≤ √out and m ≤ √in below it; 0 or −1: any
	RankPattern   peft.PatternMap `json:"rank_pattern"`       // ranks of single sites, by name
	AlphaPattern  peft.PatternMap `json:"alpha_pattern"`      // α of single sites, by name
	RankDropout   float64         `json:"rank_dropout"`       // on the rows of ΔW, in training
	Even          bool            `json:"rank_dropout_scale"` // rows that stay are made larger, so that the mean of all is what it was
	ModuleDropout float64         `json:"module_dropout"`     // on ΔW as a whole, in training
	Init          Init            `json:"init_weights"`       // or LyCORIS
}

// LyCORIS starts [LoKr] with zeros in w2 rather than in w1, as the library of that name does.
const LyCORIS Init = "lycoris"

var lokr = kind{name: "LOKR"}

func init() {
	register(lokr, decoder(lokr, LoKr{Rank: 8, Alpha: 8, Factor: -1}))
}

// Attach puts an update at each chosen map.
func (c LoKr) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.attach(lokr, s, func(q *peft.Patch, l *peft.Linear) error {
		r, alpha, err := c.ranks().of(l.Name())
		if err != nil {
			return err
		}
		rows, cols := factors(l.Out, c.Factor), factors(l.In, c.Factor)
		d := &kronecker{dropping: c.dropping(l.Name()), scale: alpha / float64(r)}
		d.w1 = c.factor(q, l.Name()+"/lokr_w1", [2]int{rows[0], cols[0]}, r, c.Both, c.Init != LyCORIS, rng)
		d.w2 = c.factor(q, l.Name()+"/lokr_w2", [2]int{rows[1], cols[1]}, r, true, c.Init == LyCORIS, rng)
		q.Add(l, peft.Out, &added{f: d.apply})
		return nil
	})
}

func (c LoKr) dropping(key string) dropping {
	return dropping{c.ModuleDropout, c.RankDropout, c.Even, key}
}

func (c LoKr) check() error {
	return cmp.Or(c.dropping("").check(), within("Rank", c.Rank, 1, mostRank), c.Common.check(lokr), c.Init.check(LyCORIS))
}

func (c LoKr) ranks() ranks { return ranks{c.Rank, c.Alpha, c.RankPattern, c.AlphaPattern} }

// Config is the configuration that Hugging Face PEFT reads.
func (c LoKr) Config(s *peft.Sites) (map[string]any, error) {
	c.Alpha = c.ranks().alphaOr(c.Rank)
	if c.Factor == 0 {
		c.Factor = -1
	}
	return lokr.write(c.Common, s, c)
}

// factor makes one side of the Kronecker product: whole, or split in two where that may be and is smaller.
func (c LoKr) factor(q *peft.Patch, name string, size [2]int, r int, split, zero bool, rng peft.Rand) []*peft.Param {
	draw := func(zero bool, rows, cols int) []float64 {
		if zero && c.Init != Random {
			return nil
		}
		return kaiming(rng, rows, cols)
	}
	if !split || 2*r >= max(size[0], size[1]) {
		return []*peft.Param{q.NewParam(name, draw(zero, size[0], size[1]), size[0], size[1])}
	}
	zeroA := zero && c.Init != LyCORIS
	return []*peft.Param{
		q.NewParam(name+"_a", draw(zeroA, size[0], r), size[0], r), q.NewParam(name+"_b", draw(zero && !zeroA, r, size[1]), r, size[1]),
	}
}

// factors splits a size in two factors, the first of which is the smaller one or the one that is asked for.
func factors(size, factor int) [2]int {
	if factor > 0 && size%factor == 0 {
		return [2]int{factor, size / factor}
	}
	if factor < 1 {
		factor = size
	}
	small := 1
	for i := 2; i <= factor && i*i <= size; i++ {
		if size%i == 0 {
			small = i
		}
	}
	return [2]int{small, size / small}
}

// kronecker is Δ(x) = s·x·(w1 ⊗ w2)ᵀ, without the matrix ΔW: with a row of x as [m×n], its image is w1·x·w2ᵀ.
type kronecker struct {
	dropping
	w1, w2 []*peft.Param // one, or two to be multiplied
	scale  float64
}

func (d *kronecker) apply(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	w1, w2 := whole(p, d.w1), whole(p, d.w2)
	rows, l, m, k := x.Rows(), w1.Rows(), w1.Cols(), w2.Rows()
	h := tensor.MatMulT(tensor.Reshape(x, rows*m, w2.Cols()), w2)
	h = tensor.MatMulT(tensor.Reshape(swap(h, rows, m, k), rows*k, m), w1)
	y := tensor.Scale(tensor.Reshape(swap(h, rows, k, l), rows, l*k), d.scale)
	if of := d.rows(p, l*k); of != nil {
		y = tensor.Mul(y, tensor.Transpose(of))
	}
	return y
}

func whole(p *peft.Pass, parts []*peft.Param) *tensor.Tensor {
	if len(parts) == 1 {
		return parts[0].In(p)
	}
	return tensor.MatMul(parts[0].In(p), parts[1].In(p))
}
