package prefix

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"peft/peft"
	"peft/tensor"
)

// An Adaption is LLaMA-Adapter (Zhang et al. 2023, arXiv:2303.16199): in the self-attentions of the last blocks, V rows P of the stream's width, which the block's own maps turn to keys and values,
// with a softmax of their own and a gate g, a number for each block:
//
//	softmax(q·kᵀ/√size + mask)·v + g·softmax(q·(P·Wkᵀ + bk)ᵀ/√size)·(P·Wvᵀ + bv)
//
// The gate starts at zero, so a fresh patch changes nothing. Rows take no positions and no part in their rotation. In GPT-2, as in Hugging Face PEFT, their part is added after the attention's
// output map and not before it.
type Adaption struct {
	Tokens int  `json:"adapter_len"`    // V, at least 1
	Layers int  `json:"adapter_layers"` // how many blocks, counted from the last, at least 1
	Head   bool `json:"head"`           // train the model's head whole
}

// adapted is the name of the module that Hugging Face PEFT adapts in this way, by the model's type.
var adapted = map[string]string{"llama": "self_attn", "mistral": "self_attn", "gpt2": "attn"}

func init() {
	for _, name := range []string{"ADAPTION_PROMPT", "adaption_prompt"} {
		peft.Register(name, decodeAdaption)
	}
}

func decodeAdaption(text []byte) (peft.Method, error) {
	f := struct {
		Adaption
		Modules string `json:"target_modules"`
	}{Adaption: Adaption{Tokens: 10, Layers: 1}}
	if err := peft.DecodeConfig(text, &f); err != nil {
		return nil, err
	}
	if f.Modules != "" && f.Modules != "self_attn" && f.Modules != "attn" {
		return nil, fmt.Errorf("target_modules is %q, expected \"self_attn\", or \"attn\" for GPT-2", f.Modules)
	}
	return f.Adaption, nil
}

// Attach adds the rows' part to what attentions put out.
func (c Adaption) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	all := slices.DeleteFunc(slices.Collect(s.Attentions()), func(a *peft.Attention) bool { return a.Cross })
	if len(all) == 0 {
		return nil, fmt.Errorf("prefix: the model has no self-attention")
	}
	if err := cmp.Or(within("Tokens", c.Tokens, 1, mostTokens), within("Layers", c.Layers, 1, len(all))); err != nil {
		return nil, err
	}
	q := peft.NewPatch(s)
	for _, a := range all[len(all)-c.Layers:] {
		d, err := c.delta(q, a, rng)
		if err != nil {
			return nil, err
		}
		if s.ModelType() != "gpt2" {
			q.Add(a, peft.Out, d)
			continue
		}
		for x := range s.Sublayers() {
			if x.Layer() == a.Layer() && x.Role == peft.SelfBlock {
				q.Add(x, peft.Out, d)
			}
		}
	}
	if c.Head {
		q.TrainHead()
	}
	return q, nil
}

// delta makes the parameters of an attention.
func (c Adaption) delta(q *peft.Patch, a *peft.Attention, rng peft.Rand) (*adaption, error) {
	of := func(r peft.Role) partMap { return mapOf(q.Sites(), a.Layer(), r) }
	d := &adaption{query: of(peft.Query), key: of(peft.Key), value: of(peft.Value), heads: tensor.Attention{Heads: a.Heads, KVHeads: a.KVHeads}}
	if d.query.Linear == nil || d.key.Linear == nil || d.value.Linear == nil {
		return nil, fmt.Errorf("prefix: the block of %s has no linear maps to queries, keys and values", a.Name())
	}
	d.rows = q.NewParam(a.Name()+"/adaption_prompt", peft.Normal(rng, c.Tokens*d.key.In, 1), 1, c.Tokens, d.key.In)
	d.gate = q.NewParam(a.Name()+"/adaption_gate", nil, 1)
	return d, nil
}

// Config is the configuration that Hugging Face PEFT reads.
func (c Adaption) Config(s *peft.Sites) (map[string]any, error) {
	return map[string]any{"peft_type": "ADAPTION_PROMPT", "adapter_len": c.Tokens, "adapter_layers": c.Layers, "target_modules": orNull(adapted[s.ModelType()])}, nil
}

// Key is a parameter's name in adapter_model.safetensors: ATTENTION.adaption_prompt and the like, or that of the base's own parameter.
func (c Adaption) Key(q *peft.Patch, x *peft.Param) string {
	if site, field, own := strings.Cut(x.Name, "/"); own {
		return peft.Wrapper + site + "." + field
	}
	return q.BaseKey(x)
}

// A partMap is a linear map, or the output columns of a fused one that are one of its parts.
type partMap struct {
	*peft.Linear
	lo, hi int
}

// mapOf is the map of a block with the given role; none where there is no such map.
func mapOf(s *peft.Sites, layer int, role peft.Role) partMap {
	for l := range s.Linears() {
		if l.Layer() != layer {
			continue
		}
		if l.Role == role {
			return partMap{l, 0, l.Out}
		}
		for _, part := range l.Parts {
			if part.Role == role {
				return partMap{l, part.Lo, part.Hi}
			}
		}
	}
	return partMap{}
}

// of maps the rows of x as the frozen model does, or what stands in for it.
func (m partMap) of(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	return tensor.Columns(p.Matrix(m.W).Linear(x, tensor.Affine{Bias: p.Vector(m.B)}), m.lo, m.hi)
}

// adaption is g·softmax(q·kᵀ/√size)·v with keys and values of V rows, for every query.
type adaption struct {
	rows, gate        *peft.Param
	query, key, value partMap
	heads             tensor.Attention
}

// Forward is the rows' part of the attention. Where the site is no attention, queries are made once more from its input.
func (d *adaption) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	q := t.Q
	if q == nil {
		q = d.query.of(p, t.X)
	}
	rows := d.rows.In(p)
	n := rows.Shape()[1]
	rows = tensor.Reshape(rows, n, rows.Cols())
	each, layout := everywhere(n, q.Layout().Sequences())
	k, v := tensor.GatherRows(d.key.of(p, rows), each, layout), tensor.GatherRows(d.value.of(p, rows), each, layout)
	return tensor.Mul(tensor.Attend(q, k, v, d.heads), tensor.Reshape(d.gate.In(p), 1, 1))
}

// everywhere is n rows over again for each sequence.
func everywhere(n, sequences int) (each []int32, l *tensor.Layout) {
	lengths := make([]int, sequences)
	for s := range lengths {
		lengths[s] = n
		for i := range n {
			each = append(each, int32(i))
		}
	}
	return each, tensor.NewLayout(lengths...)
}
