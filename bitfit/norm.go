package bitfit

import (
	"fmt"
	"strings"

	"peft/peft"
)

// NormTuning trains norms, gain and bias: Hugging Face PEFT's LN_TUNING (Zhao et al. 2023, arXiv:2312.11420). A fresh patch changes nothing.
type NormTuning struct {
	peft.Targeted // the norms; where none are named, what is usual for the model's type, or all

	filed bool // the parameters are in a file, which may have linear maps and embeddings too
}

const normTuning = "LN_TUNING"

func init() {
	for _, name := range []string{normTuning, strings.ToLower(normTuning)} {
		peft.Register(name, func(config []byte) (peft.Method, error) {
			t, err := peft.DecodeTargeted(normTuning, config, &struct{}{})
			return NormTuning{Targeted: t}, err
		})
	}
}

// Attach lets trained copies stand in for the parameters of each chosen norm.
func (c NormTuning) Attach(s *peft.Sites, _ peft.Rand) (*peft.Patch, error) {
	sites, err := c.chosen(s).Sites(normTuning, s)
	if err != nil {
		return nil, err
	}
	q := peft.NewPatch(s)
	for _, x := range sites {
		if _, ok := x.(*peft.Norm); !ok && !c.filed {
			return nil, fmt.Errorf("bitfit: %s: norm tuning trains norms, not a %T", x.Name(), x)
		}
		for _, f := range x.Frozen() {
			if !f.Absent {
				q.TrainAs(f, x.Name()+"/ln_tuning_layers."+field(f))
			}
		}
	}
	c.Whole(q)
	return q, c.chosen(s).KeepTables(normTuning, q, sites)
}

// Filed is the method as a file may have it: Hugging Face PEFT trains any module as it trains norms.
func (c NormTuning) Filed() peft.Method {
	c.filed = true
	return c
}

// field is the last part of a parameter's name.
func field(f *peft.Frozen) string { return f.Name[strings.LastIndexByte(f.Name, '.')+1:] }

// chosen takes all norms where none are named and none are usual.
func (c NormTuning) chosen(s *peft.Sites) peft.Targeted {
	if _, err := peft.Usual(normTuning, s.ModelType()).Select(s); c.On == nil && err != nil {
		c.On = peft.OfType[*peft.Norm]()
	}
	return c.Targeted
}

// Config is the configuration that Hugging Face PEFT reads.
func (c NormTuning) Config(s *peft.Sites) (map[string]any, error) {
	return c.chosen(s).Fields(normTuning, s, struct{}{})
}
