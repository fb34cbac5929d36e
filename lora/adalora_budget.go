package lora

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"peft/peft"
	"peft/tensor"
	"peft/tensor/optim"
)

// triplets yields the parameters of each map of a patch.
func triplets(q *peft.Patch) iter.Seq[*triplet] {
	return func(yield func(*triplet) bool) {
		for x := range q.Params() {
			site, ok := strings.CutSuffix(x.Name, "/lora_E")
			if ok && !yield(&triplet{site, q.Param(site + "/lora_A"), q.Param(site + "/lora_B"), x}) {
				return
			}
		}
	}
}

// Stepped is called by the training loop after each step. It measures what each component matters to the loss, and from time to time sets those to zero that matter least.
func (c AdaLoRA) Stepped(q *peft.Patch, grads tensor.Grads, step, total int) error {
	c.Total = cmp.Or(c.Total, total)
	c = c.withDefaults()
	now, end := step-1, c.Total-c.Last
	switch {
	case c.Warmup >= end:
		return fmt.Errorf("adalora: %d steps leave none between %d of Warmup and %d of Last", c.Total, c.Warmup, c.Last)
	case now > end:
		c.mask(q)
		return nil
	case now < end:
		c.measure(q, grads)
	}
	if now == end || now > c.Warmup && now%c.Every == 0 {
		c.choose(q, now)
	}
	if now == end {
		c.forget(q)
	}
	return nil
}

// State is what Stepped moves beside the parameters.
func (c AdaLoRA) State(q *peft.Patch) (all []optim.Param) {
	for x := range q.Params() {
		if x.Buffer && c.Key(q, x) == "" {
			all = append(all, optim.Param{Name: x.Name, Value: x.Tensor()})
		}
	}
	return all
}

// measure moves the running means of each number's importance |p·∂L/∂p| and of its deviation from that mean.
func (c AdaLoRA) measure(q *peft.Patch, grads tensor.Grads) {
	for d := range triplets(q) {
		for _, x := range []*peft.Param{d.A, d.B, d.E} {
			g := grads.Of(x.Tensor())
			if g == nil {
				continue
			}
			mean, spread := q.Param(x.Name+importance).Tensor(), q.Param(x.Name+deviation).Tensor()
			m, s, values := mean.Float64s(), spread.Float64s(), x.Tensor().Float64s()
			for i, dx := range g.Float64s() {
				now := math.Abs(values[i] * dx)
				m[i] = c.Beta1*m[i] + (1-c.Beta1)*now
				s[i] = c.Beta2*s[i] + (1-c.Beta2)*math.Abs(now-m[i])
			}
			mean.Assign(m)
			spread.Assign(s)
		}
	}
}

// choose sets the components to zero for which the budget has no room: those with the lowest scores of all maps.
func (c AdaLoRA) choose(q *peft.Patch, now int) {
	scores, all := map[string][]float64{}, []float64{}
	for d := range triplets(q) {
		scores[d.site] = d.scores(q)
		all = append(all, scores[d.site]...)
	}
	surplus := len(all) - c.budget(now, len(all), c.TargetRank*len(scores))
	if surplus < 1 {
		return
	}
	slices.Sort(all)
	for site, each := range scores {
		in := make([]float64, len(each))
		for i, v := range each {
			if v > all[surplus-1] {
				in[i] = 1
			}
		}
		q.Param(site + kept).Tensor().Assign(in)
	}
	c.mask(q)
}

// budget is how many components all maps have together: first falling slowly from all to the target, then fast, then slowly.
func (c AdaLoRA) budget(now, all, target int) int {
	left := 1 - float64(now-c.Warmup)/float64(c.Total-c.Last-c.Warmup)
	return int(float64(all-target)*(left*left*left) + float64(target))
}

// scores are those of a map's components: of its number in E, and the means of those in its row of A and in its column of B.
func (d *triplet) scores(q *peft.Patch) []float64 {
	score := func(x *peft.Param) (each []float64, rows, cols int) {
		m, s := q.Param(x.Name+importance).Tensor(), q.Param(x.Name+deviation).Tensor().Float64s()
		each = m.Float64s()
		for i := range each {
			each[i] *= s[i]
		}
		return each, m.Rows(), m.Cols()
	}
	sum, r, _ := score(d.E)
	inA, _, in := score(d.A)
	for i, v := range inA {
		sum[i/in] += v / float64(in)
	}
	inB, out, _ := score(d.B)
	for i, v := range inB {
		sum[i%r] += v / float64(out)
	}
	return sum
}

// mask sets the components to zero that are not kept.
func (c AdaLoRA) mask(q *peft.Patch) {
	for d := range triplets(q) {
		e, in := d.E.Tensor().Float64s(), q.Param(d.site+kept).Tensor().Float64s()
		for i := range e {
			e[i] *= in[i]
		}
		d.E.Tensor().Assign(e)
	}
}

// forget sets the running means back to zero.
func (c AdaLoRA) forget(q *peft.Patch) {
	for x := range q.Params() {
		if strings.HasSuffix(x.Name, importance) || strings.HasSuffix(x.Name, deviation) {
			x.Tensor().Assign(make([]float64, x.Len()))
		}
	}
}

// Collapse is the patch without the components that have been set to zero, once some have.
func (c AdaLoRA) Collapse(p *peft.Pass, q *peft.Patch) (peft.Method, map[string]*tensor.Tensor) {
	values, pattern, lost := map[string]*tensor.Tensor{}, map[string][]bool{}, false
	for d := range triplets(q) {
		rows := d.rows(q)
		lost = lost || len(rows) < d.E.Len()
		pattern[d.site+".lora_E"] = c.pattern(d.site, rows)
		d.cut(p, rows, values)
	}
	if !lost {
		return nil, nil
	}
	c.RankPattern = pattern
	return c, values
}

// rows are the components that are kept. What others have become since the last choice is lost, as in Hugging Face PEFT.
func (d *triplet) rows(q *peft.Patch) (rows []int32) {
	for i, in := range q.Param(d.site + kept).Tensor().Float64s() {
		if in != 0 {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// pattern says which of the first components are left, given the rows that are of those that were.
func (c AdaLoRA) pattern(site string, rows []int32) []bool {
	before := c.RankPattern[site+".lora_E"]
	if before == nil {
		before = slices.Repeat([]bool{true}, c.InitRank)
	}
	after, row := make([]bool, len(before)), int32(0)
	for i, in := range before {
		if in {
			after[i] = slices.Contains(rows, row)
			row++
		}
	}
	return after
}

// cut has the given rows of all that is kept of a map.
func (d *triplet) cut(p *peft.Pass, rows []int32, values map[string]*tensor.Tensor) {
	values[d.A.Name], values[d.E.Name] = tensor.GatherRows(d.A.In(p), rows, nil), tensor.GatherRows(d.E.In(p), rows, nil)
	values[d.B.Name] = tensor.Transpose(tensor.GatherRows(tensor.Transpose(d.B.In(p)), rows, nil))
	for _, x := range []*peft.Param{d.A, d.B, d.E} {
		zero := p.Scope().Tensor(nil, values[x.Name].Shape()...)
		values[x.Name+importance], values[x.Name+deviation] = zero, zero
	}
	values[d.site+kept] = p.Scope().Tensor(slices.Repeat([]float64{1}, len(rows)), len(rows), 1)
}
