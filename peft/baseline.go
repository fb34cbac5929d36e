package peft

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

func init() {
	Register("full", func(config []byte) (Method, error) {
		head, err := decodeHead(config, &struct{}{})
		return Full{NoHead: !head}, err
	})
	Register("head", func(config []byte) (Method, error) {
		head, err := decodeHead(config, &struct{}{})
		if err == nil && !head {
			err = fmt.Errorf("head is false, must be true: the head is all that this method trains")
		}
		return Heads{}, err
	})
	Register("last", func(config []byte) (Method, error) {
		m := LastLayers{K: 1}
		head, err := decodeHead(config, &m)
		m.NoHead = !head
		return m, err
	})
}

// decodeHead reads a configuration's field "head", which is true where it is absent, and the others into own.
func decodeHead(config []byte, own any) (head bool, err error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(config, &all); err != nil {
		return false, err
	}
	head = true
	if raw, ok := all["head"]; ok {
		if err := json.Unmarshal(raw, &head); err != nil {
			return false, fmt.Errorf("head: %w", err)
		}
	}
	delete(all, "head")
	text, err := json.Marshal(all)
	if err != nil {
		return false, err
	}
	return head, DecodeConfig(text, own)
}

// Full is full fine-tuning, the baseline: every parameter of the model is trained.
type Full struct {
	NoHead bool // but for those of the model's head
}

// Attach lets a trained copy stand in for every parameter.
func (m Full) Attach(s *Sites, _ Rand) (*Patch, error) {
	q := NewPatch(s)
	head := s.head()
	for f := range s.Params() {
		if !m.NoHead || head[f.Name] == nil {
			q.Train(f)
		}
	}
	return q, nil
}

// Config is {"method": "full"}.
func (m Full) Config(*Sites) (map[string]any, error) { return baseline("full", m.NoHead), nil }

// baseline is the configuration of a method, which says of the head only that it is not trained.
func baseline(name string, noHead bool) map[string]any {
	config := map[string]any{"method": name}
	if noHead {
		config["head"] = false
	}
	return config
}

// Key is the parameter's own name in the base.
func (Full) Key(_ *Patch, x *Param) string { return x.Name }

// Heads is the other baseline: the base is frozen and the model's head alone is trained.
type Heads struct{}

// Attach lets trained copies stand in for the head's parameters.
func (Heads) Attach(s *Sites, _ Rand) (*Patch, error) {
	q := NewPatch(s)
	if q.TrainHead(); len(q.params) == 0 {
		return nil, fmt.Errorf("peft: the model has no head to train: no linear map with the role %q", Head)
	}
	return q, nil
}

// Config is {"method": "head"}.
func (Heads) Config(*Sites) (map[string]any, error) { return baseline("head", false), nil }

// Key is the parameter's own name in the base.
func (Heads) Key(_ *Patch, x *Param) string { return x.Name }

// LastLayers is between the two: the model's last K blocks and its head are trained whole.
type LastLayers struct {
	K      int  `json:"layers"` // at least 1
	NoHead bool `json:"-"`      // the blocks alone
}

// Attach lets trained copies stand in for the parameters of the last blocks and of the head.
func (m LastLayers) Attach(s *Sites, _ Rand) (*Patch, error) {
	blocks := 0
	for x := range s.All() {
		blocks = max(blocks, x.Layer()+1)
	}
	switch {
	case blocks == 0:
		return nil, errors.New("peft: the model has no blocks, of which the last could be trained")
	case m.K < 1 || m.K > blocks:
		return nil, fmt.Errorf("peft: K is %d, must be 1 to %d, the number of blocks", m.K, blocks)
	}
	q := NewPatch(s)
	for x := range s.All() {
		if x.Layer() >= blocks-m.K {
			q.trainSite(x)
		}
	}
	if !m.NoHead {
		q.TrainHead()
	}
	return q, nil
}

// Config is {"method": "last", "layers": K}.
func (m LastLayers) Config(*Sites) (map[string]any, error) {
	config := baseline("last", m.NoHead)
	config["layers"] = m.K
	return config, nil
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

// TrainModules trains a copy of each module whose path ends with one of the names, as Hugging Face's modules_to_save does: what the base ties to the module, as an embedding to a head, keeps
// its own numbers.
func (q *Patch) TrainModules(names []string) {
	for x := range q.sites.All() {
		if !below(x.Name(), names) {
			continue
		}
		for i, f := range x.Frozen() {
			if !f.Absent {
				own := q.untie(x, i, outermost(x.Name(), names))
				q.Train(own)
				q.beside[own.Name] = true
			}
		}
	}
}

// trainTied trains the modules and what the base ties to them as one.
func (q *Patch) trainTied(names []string) {
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

// outermost is the path of the outermost of the named modules that a site is in.
func outermost(site string, names []string) string {
	for at := range len(site) {
		if site[at] == '.' && below(site[:at], names) {
			return site[:at]
		}
	}
	return site
}

// TrainBiases trains every bias of the model.
func (q *Patch) TrainBiases() {
	for f := range q.sites.Params() {
		if strings.HasSuffix(f.Name, "bias") {
			q.Train(f)
		}
	}
}
