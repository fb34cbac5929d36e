package peft

import (
	"fmt"
	"strings"
)

func init() {
	Register("full", func(config []byte) (Method, error) { return Full{}, DecodeConfig(config, &struct{}{}) })
	Register("head", func(config []byte) (Method, error) { return Heads{}, DecodeConfig(config, &struct{}{}) })
	Register("last", func(config []byte) (Method, error) {
		m := LastLayers{K: 1}
		err := DecodeConfig(config, &m)
		return m, err
	})
}

// Full is full fine-tuning, the baseline: every parameter of the model is trained.
type Full struct{}

// Attach lets a trained copy stand in for every parameter.
func (Full) Attach(s *Sites, _ Rand) (*Patch, error) {
	q := NewPatch(s)
	for f := range s.Params() {
		q.Train(f)
	}
	return q, nil
}

// Config is {"method": "full"}.
func (Full) Config(*Sites) (map[string]any, error) { return map[string]any{"method": "full"}, nil }

// Key is the parameter's own name in the base.
func (Full) Key(_ *Patch, x *Param) string { return x.Name }

// Heads is the other baseline: the base is frozen and the model's head alone is trained.
type Heads struct{}

// Attach lets trained copies stand in for the head's parameters.
func (Heads) Attach(s *Sites, _ Rand) (*Patch, error) {
	q := NewPatch(s)
	q.TrainHead()
	return q, nil
}

// Config is {"method": "head"}.
func (Heads) Config(*Sites) (map[string]any, error) { return map[string]any{"method": "head"}, nil }

// Key is the parameter's own name in the base.
func (Heads) Key(_ *Patch, x *Param) string { return x.Name }

// LastLayers is between the two: the model's last K blocks and its head are trained whole.
type LastLayers struct {
	K int `json:"layers"` // at least 1
}

// Attach lets trained copies stand in for the parameters of the last blocks and of the head.
func (m LastLayers) Attach(s *Sites, _ Rand) (*Patch, error) {
	blocks := 0
	for x := range s.All() {
		blocks = max(blocks, x.Layer()+1)
	}
	if m.K < 1 || m.K > blocks {
		return nil, fmt.Errorf("peft: K is %d, must be 1 to %d, the number of blocks", m.K, blocks)
	}
	q := NewPatch(s)
	for x := range s.All() {
		if x.Layer() >= blocks-m.K {
			q.trainSite(x)
		}
	}
	q.TrainHead()
	return q, nil
}

// Config is {"method": "last", "layers": K}.
func (m LastLayers) Config(*Sites) (map[string]any, error) {
	return map[string]any{"method": "last", "layers": m.K}, nil
}

// Key is the parameter's own name in the base.
func (LastLayers) Key(_ *Patch, x *Param) string { return x.Name }

// TrainHead trains the parameters of all sites whose role is [Head], whole.
func (q *Patch) TrainHead() {
	for l := range q.sites.Linears() {
		if l.Role == Head {
			q.trainSite(l)
		}
	}
}

// TrainModules trains the parameters below each module whose path ends with one of the names, as Hugging Face's modules_to_save does.
func (q *Patch) TrainModules(names []string) {
	for x := range q.sites.All() {
		if below(x.Name(), names) {
			q.trainSite(x)
			for _, f := range x.Frozen() {
				q.beside[f.Name] = true
			}
		}
	}
}

func (q *Patch) trainSite(x Site) {
	for _, f := range x.Frozen() {
		if !f.Absent {
			q.Train(f)
		}
	}
}

// below reports whether a site is, or lies below, a module whose path ends with one of the names.
func below(site string, names []string) bool {
	for _, n := range names {
		if strings.HasSuffix(site, n) || strings.Contains(site, n+".") {
			return true
		}
	}
	return false
}

// TrainBiases trains every bias of the model.
func (q *Patch) TrainBiases() {
	for f := range q.sites.Params() {
		if strings.HasSuffix(f.Name, "bias") {
			q.Train(f)
		}
	}
}
