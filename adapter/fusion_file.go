package adapter

import (
	"encoding/json"
	"fmt"
	"strings"

	"peft/peft"
)

func init() { peft.Register(peft.HubFormat("fusion"), decodeFusion) }

// fusionFields are the fields of AdapterHub's configurations of fusions.
type fusionFields struct {
	Key         bool     `json:"key"`
	Query       bool     `json:"query"`
	Value       bool     `json:"value"`
	BeforeNorm  bool     `json:"query_before_ln"`
	Regularize  bool     `json:"regularization"`
	Residual    bool     `json:"residual_before"`
	Temperature bool     `json:"temperature"`
	ValueFirst  bool     `json:"value_before_softmax"`
	Initialized *bool    `json:"value_initialized"`
	Dropout     *float64 `json:"dropout_prob"`
}

// decodeFusion reads the configuration of a fusion. The term that keeps Value near the identity is not asked for by the file: the library's trainer adds it, not the fusion.
func decodeFusion(config []byte) (peft.Method, error) {
	var doc peft.HubConfig
	if err := json.Unmarshal(config, &doc); err != nil {
		return nil, err
	}
	yes := true
	f := fusionFields{Key: true, Query: true, Value: true, ValueFirst: true, Initialized: &yes}
	if err := json.Unmarshal(doc.Config, &f); err != nil {
		return nil, err
	}
	switch {
	case f.Temperature:
		return nil, fmt.Errorf("temperature is true, must be false: the library's temperature falls with each pass, so that no two passes compute the same")
	}
	c := Fusion{
		NoQuery: !f.Query, NoKey: !f.Key, NoValue: !f.Value, QueryBranch: f.BeforeNorm, ResidualFirst: f.Residual, RandomValue: f.Initialized != nil && !*f.Initialized,
		file: fusionFile{regularize: f.Regularize, valueLast: !f.ValueFirst, read: true},
	}
	if f.Dropout != nil {
		c.Dropout = *f.Dropout
	}
	return c, nil
}

// fusionFile is what a file said that makes no difference to what a fusion computes, and is to be said again: whether the library's trainer keeps Value near the identity, and whether Value
// is applied to the sum rather than to what is summed.
type fusionFile struct{ regularize, valueLast, read bool }

// HubName is the names of the adapters, joined by commas.
func (c Fusion) HubName() string {
	var names []string
	for _, q := range c.Of {
		if a, ok := q.Method().(Config); ok {
			names = append(names, a.name())
		}
	}
	return strings.Join(names, ",")
}

// Fused are the adapters.
func (c Fusion) Fused() []*peft.Patch { return c.Of }

// Fusing is the same fusion of other adapters.
func (c Fusion) Fusing(of []*peft.Patch, head bool) peft.Method {
	c.Of, c.Head = of, head
	return c
}

// FusionConfig is the configuration that AdapterHub's library reads.
func (c Fusion) FusionConfig() map[string]any {
	config := map[string]any{
		"key": !c.NoKey, "query": !c.NoQuery, "value": !c.NoValue, "query_before_ln": c.QueryBranch, "regularization": !c.file.read || c.file.regularize, "residual_before": c.ResidualFirst,
		"temperature": false, "value_before_softmax": !c.file.valueLast, "value_initialized": !c.RandomValue, "dropout_prob": nil,
	}
	if c.Dropout > 0 {
		config["dropout_prob"] = c.Dropout
	}
	return config
}

// Key is the name of a parameter in the files of AdapterHub's library: PLACE.adapter_fusion_layer.NAMES.FIELD, or that of the base's own parameter.
func (c Fusion) Key(q *peft.Patch, x *peft.Param) string {
	site, field, own := strings.Cut(x.Name, "/")
	if !own {
		return x.Name
	}
	return place(q.Sites(), site) + "." + fused + "." + c.HubName() + strings.TrimPrefix(field, fused)
}
