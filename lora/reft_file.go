package lora

import (
	"encoding/json"
	"fmt"
	"strings"

	"peft/peft"
)

// reftFields is the configuration of [ReFT] in the words of AdapterHub's library, which has no word for DiReFT: subtract_projection is ours.
type reftFields struct {
	Architecture string  `json:"architecture"`
	Rank         int     `json:"r"`
	First        int     `json:"prefix_positions"`
	Last         int     `json:"suffix_positions"`
	Layers       layers  `json:"layers"`
	Orthogonal   bool    `json:"orthogonality"`
	Tied         bool    `json:"tied_weights"`
	Subtract     bool    `json:"subtract_projection"`
	Dropout      float64 `json:"dropout"`
	Output       bool    `json:"output_reft"`
	NonLinearity *string `json:"non_linearity"`
	DType        *string `json:"dtype"`
	Seed         *int    `json:"init_weights_seed"`
}

// layers is "all" or a list of numbers.
type layers []int

// UnmarshalJSON reads "all" or a list.
func (l *layers) UnmarshalJSON(text []byte) error {
	*l = nil
	if string(text) == `"all"` {
		return nil
	}
	return json.Unmarshal(text, (*[]int)(l))
}

// MarshalJSON writes what UnmarshalJSON reads.
func (l layers) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte(`"all"`), nil
	}
	return json.Marshal([]int(l))
}

func init() {
	lo := reftFields{Rank: 1, First: 3, Orthogonal: true, Subtract: true, Dropout: 0.05, Output: true}
	no, di := lo, lo
	no.Orthogonal = false
	di.Orthogonal, di.Subtract = false, false
	for name, preset := range map[string]reftFields{"loreft": lo, "noreft": no, "direft": di} {
		peft.Register(name, func(text []byte) (peft.Method, error) { return decodeReFT(text, preset) })
	}
	peft.Register(peft.HubFormat("reft"), func(text []byte) (peft.Method, error) {
		var doc peft.HubConfig
		if err := json.Unmarshal(text, &doc); err != nil {
			return nil, err
		}
		f := no
		if err := json.Unmarshal(doc.Config, &f); err != nil {
			return nil, err
		}
		return f.method(doc.Name, doc.Head, true)
	})
}

// decodeReFT reads a configuration that a person wrote.
func decodeReFT(text []byte, preset reftFields) (peft.Method, error) {
	f := struct {
		Name string `json:"name"`
		Head bool   `json:"head"`
		reftFields
	}{reftFields: preset}
	if err := peft.DecodeConfig(text, &f); err != nil {
		return nil, err
	}
	return f.method(f.Name, f.Head, false)
}

// method is what the fields mean, in a file of the library or not.
func (f reftFields) method(name string, head, filed bool) (peft.Method, error) {
	if !f.Output {
		return nil, fmt.Errorf("output_reft that is false is not supported")
	}
	c := ReFT{
		Name: name, Rank: f.Rank, First: f.First, Last: f.Last, Layers: f.Layers, Orthogonal: f.Orthogonal, Tied: f.Tied, Direct: !f.Subtract, Dropout: f.Dropout, Head: head, filed: filed,
	}
	if f.NonLinearity != nil {
		c.Activation = *f.NonLinearity
	}
	return c, c.check()
}

// Config is the configuration that AdapterHub's library reads.
func (c ReFT) Config(*peft.Sites) (map[string]any, error) {
	var function *string
	if c.Activation != "" {
		function = &c.Activation
	}
	text, err := json.Marshal(reftFields{
		NonLinearity: function,
		Architecture: "reft", Rank: c.Rank, First: c.First, Last: c.Last, Layers: c.Layers, Orthogonal: c.Orthogonal, Tied: c.Tied, Subtract: !c.Direct, Dropout: c.Dropout, Output: true,
	})
	if err != nil {
		return nil, err
	}
	var config map[string]any
	err = json.Unmarshal(text, &config)
	if !c.Direct {
		delete(config, "subtract_projection")
	}
	return config, err
}

// Key is a parameter's name in the file: BLOCK.reft_layer.refts.NAME.FIELD, or that of the base's own parameter.
func (c ReFT) Key(_ *peft.Patch, x *peft.Param) string {
	site, field, own := strings.Cut(x.Name, "/")
	if !own {
		return x.Name
	}
	return site + ".reft_layer.refts." + c.HubName() + "." + field
}
