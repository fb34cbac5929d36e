package lora

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"peft/peft"
	"peft/tensor"
)

// AdaLoRA is LoRA in the form of a singular value decomposition, whose small values are set to zero in the course of training (Zhang et al. 2023, arXiv:2303.10512):
//
//	ΔW = s·B·diag(E)·A,  s = α/(r + 10⁻⁵)
//
// All maps share a budget of ranks, which falls from InitRank to TargetRank each; the components that mattered least to the loss lose theirs. A term of the loss keeps A's rows and B's
// columns orthonormal. E starts at zero.
type AdaLoRA struct {
	Common      `json:"-"`
	InitRank    int               `json:"init_r"`          // r of each map at first, at least 1
	TargetRank  int               `json:"target_r"`        // the mean rank in the end
	Alpha       float64           `json:"lora_alpha"`      // α; 0, or less, means InitRank
	Dropout     float64           `json:"lora_dropout"`    // on the branch's input, in training
	Warmup      int               `json:"tinit"`           // steps before the budget falls
	Last        int               `json:"tfinal"`          // steps after it has fallen
	Every       int               `json:"deltaT"`          // steps from one choice of components to the next; 0 means 1
	Beta1       float64           `json:"beta1"`           // decay of the mean importance; 0 means 0.85
	Beta2       float64           `json:"beta2"`           // decay of its mean deviation; 0 means 0.85
	Orthogonal  float64           `json:"orth_reg_weight"` // the weight of the term of the loss
	Total       int               `json:"total_step"`      // steps of the whole course; 0 means those of the run
	RankPattern map[string][]bool `json:"rank_pattern"`    // by "SITE.lora_E", which components a finished patch has kept
	Init        Init              `json:"init_lora_weights"`
	Tokens      TokenRows         `json:"trainable_token_indices"` // rows of embeddings that are trained too
}

var adalora = kind{name: "ADALORA", bias: true, layout: true}

func init() {
	d := AdaLoRA{InitRank: 12, TargetRank: 8, Alpha: 8, Every: 1, Beta1: 0.85, Beta2: 0.85, Orthogonal: 0.5}
	register(adalora, unheeding(decoder(adalora, d, append([]string{"use_dora", "use_rslora", "lora_bias", "alpha_pattern", "target_parameters", "layer_replication"}, unsupported...)...), "use_rslora", "lora_bias", "alpha_pattern"))
}

// Attach puts an update at each chosen map.
func (c AdaLoRA) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	c.bare = c.Tokens != nil
	q, err := c.attach(adalora, s, func(q *peft.Patch, l *peft.Linear) error {
		d := c.triplet(q, l, rng)
		if c.rank(l) > 0 {
			q.Add(l, peft.Out, &factored{branchOf(l, c.Dropout), c.alpha() / (float64(c.InitRank) + 1e-5), d.factors})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return q, c.Tokens.train(q)
}

// triplet makes the parameters of one map, and what is kept beside them.
func (c AdaLoRA) triplet(q *peft.Patch, l *peft.Linear, rng peft.Rand) *triplet {
	r, name := c.rank(l), l.Name()
	d := &triplet{
		site: name, A: q.NewParam(name+"/lora_A", peft.Normal(rng, r*l.In, 0.02), r, l.In), B: q.NewParam(name+"/lora_B", peft.Normal(rng, l.Out*r, 0.02), l.Out, r),
		E: q.NewParam(name+"/lora_E", c.Init.last(func() []float64 { return peft.Normal(rng, r, 1) }), r, 1),
	}
	q.NewFixed(name+ranknum, []float64{float64(c.InitRank)}, 1)
	for _, x := range []*peft.Param{d.A, d.B, d.E} {
		q.NewBuffer(x.Name+importance, nil, x.Tensor().Shape()...)
		q.NewBuffer(x.Name+deviation, nil, x.Tensor().Shape()...)
	}
	q.NewBuffer(name+kept, slices.Repeat([]float64{1}, r), r, 1)
	return d
}

// The ends of the names of what is kept beside the parameters, but not in files.
const (
	ranknum    = "/ranknum"
	importance = ".importance"
	deviation  = ".deviation"
	kept       = "/kept"
)

// rank is that of a map: what a finished patch has left of it.
func (c AdaLoRA) rank(l *peft.Linear) int {
	pattern, ok := c.RankPattern[l.Name()+".lora_E"]
	if !ok {
		return c.InitRank
	}
	r := 0
	for _, in := range pattern {
		if in {
			r++
		}
	}
	return r
}

func (c AdaLoRA) alpha() float64 { return ranks{alpha: max(0, c.Alpha)}.alphaOr(c.InitRank) }

func (c AdaLoRA) check() error {
	err := cmp.Or(within("InitRank", c.InitRank, 1, mostRank), atLeast("TargetRank", c.TargetRank, 0), atLeast("Warmup", c.Warmup, 0), atLeast("Last", c.Last, 0),
		probability("Dropout", c.Dropout), probability("Beta1", c.Beta1), probability("Beta2", c.Beta2), c.Common.check(adalora), c.Init.check())
	switch {
	case err != nil:
		return err
	case c.Orthogonal < 0:
		return fmt.Errorf("lora: Orthogonal is %v, must not be negative", c.Orthogonal)
	case c.TargetRank > c.InitRank:
		return fmt.Errorf("lora: TargetRank is %d, must not be above InitRank, %d", c.TargetRank, c.InitRank)
	case c.Total < 0 || c.Total > 0 && c.Warmup >= c.Total-c.Last:
		return fmt.Errorf("lora: Total is %d, which leaves no step between %d of Warmup and %d of Last", c.Total, c.Warmup, c.Last)
	}
	return nil
}

// Config is the configuration that Hugging Face PEFT reads.
func (c AdaLoRA) Config(s *peft.Sites) (map[string]any, error) {
	c = c.withDefaults()
	return adalora.write(c.Common, s, c)
}

// withDefaults has a number in place of each zero that stands for one. Hugging Face PEFT wants a course even where nothing is trained any more.
func (c AdaLoRA) withDefaults() AdaLoRA {
	c.Alpha, c.Every = c.alpha(), max(1, c.Every)
	for _, b := range []*float64{&c.Beta1, &c.Beta2} {
		if *b == 0 {
			*b = 0.85
		}
	}
	if c.Total == 0 {
		c.Total = c.Warmup + c.Last + 1
	}
	return c
}

// Key is a parameter's name in the file: SITE.lora_A, SITE.lora_B, SITE.lora_E. What only training needs is not there.
func (c AdaLoRA) Key(q *peft.Patch, x *peft.Param) string {
	if slices.ContainsFunc([]string{ranknum, importance, deviation, kept}, func(end string) bool { return strings.HasSuffix(x.Name, end) }) {
		return ""
	}
	return c.Common.Key(q, x)
}

// A triplet is the parameters of one map.
type triplet struct {
	site    string
	A, B, E *peft.Param
}

func (d *triplet) factors(p *peft.Pass) (a, b *tensor.Tensor) {
	return tensor.Mul(d.A.In(p), d.E.In(p)), d.B.In(p)
}

// Penalty is the term of the loss: the mean over all A and B of ‖A·Aᵀ − I‖ and ‖Bᵀ·B − I‖, weighted.
func (c AdaLoRA) Penalty(p *peft.Pass, q *peft.Patch) *tensor.Tensor {
	sum, n := p.Scope().Tensor(nil), 0
	for d := range triplets(q) {
		a, b := d.A.In(p), d.B.In(p)
		for _, gram := range []*tensor.Tensor{tensor.MatMulT(a, a), tensor.TMatMul(b, b)} {
			off := tensor.Sub(gram, identity(p, gram.Rows()))
			sum = tensor.Add(sum, tensor.Apply(tensor.Sqrt, tensor.Sum(tensor.Apply(tensor.Square, off))))
			n++
		}
	}
	return tensor.Scale(sum, c.Orthogonal/float64(max(1, n)))
}
