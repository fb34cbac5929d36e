package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"peft/peft"
	"peft/tensor"
)

// A FlexibleHead is what AdapterHub's library says of a head that it builds itself, in its classes named …AdapterModel: Layers linear maps, all but the last as wide as the stream and with the
// function Act after them, the last to the classes.
type FlexibleHead struct {
	Name   string // a part of its keys
	Type   string // "classification", of the first token, or "tagging", of all
	Layers int    // at least 1
	Labels int
	Act    string // the name of a function; empty for none
	Pooler bool   // the first token goes through the base's pooler
	Bias   bool   // the last map has one
}

// flexibleTasks are what the types of heads are for.
var flexibleTasks = map[string]Task{"classification": SequenceClassification, "tagging": TokenClassification}

// isFlexible reports whether a class is one that takes such heads.
func isFlexible(class string) bool { return strings.HasSuffix(class, "AdapterModel") }

// mostLayers are as many as a head may ask for.
const mostLayers = 16

// flexibleHead reads what a folder of AdapterHub's library says of such a head; the zero value if there is none.
func flexibleHead(dir string) (h FlexibleHead, err error) {
	text, err := os.ReadFile(filepath.Join(dir, peft.HubHeadConfigFile))
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return h, fmt.Errorf("models: %w", err)
	}
	var file struct {
		Name   string `json:"name"`
		Config *struct {
			Type   string  `json:"head_type"`
			Layers int     `json:"layers"`
			Labels int     `json:"num_labels"`
			Act    *string `json:"activation_function"`
			Pooler bool    `json:"use_pooler"`
			Bias   *bool   `json:"bias"`
		} `json:"config"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return h, fmt.Errorf("models: %s: %w", filepath.Join(dir, peft.HubHeadConfigFile), err)
	}
	c := file.Config
	if c == nil {
		return h, nil
	}
	h = FlexibleHead{Name: file.Name, Type: c.Type, Layers: c.Layers, Labels: c.Labels, Pooler: c.Pooler, Bias: c.Bias == nil || *c.Bias}
	if c.Act != nil {
		h.Act = *c.Act
	}
	if err := h.check(); err != nil {
		return h, fmt.Errorf("models: %s: %w", filepath.Join(dir, peft.HubHeadConfigFile), err)
	}
	return h, nil
}

func (h FlexibleHead) check() error {
	_, known := activations[h.Act]
	switch {
	case flexibleTasks[h.Type] == NoTask:
		return fmt.Errorf("head_type is %q, expected \"classification\" or \"tagging\"", h.Type)
	case h.Layers < 1 || h.Layers > mostLayers:
		return fmt.Errorf("layers is %d, expected 1 to %d", h.Layers, mostLayers)
	case h.Labels < 1 || h.Labels > mostLabels:
		return fmt.Errorf("num_labels is %d, expected 1 to %d", h.Labels, mostLabels)
	case h.Act != "" && !known:
		return fmt.Errorf("activation_function is %q, which is not supported", h.Act)
	}
	return nil
}

// mostLabels are as many classes as a head may ask for.
const mostLabels = 1 << 20

// flexible is such a head: its maps by their numbers among the library's modules, nil where these are dropout and functions.
type flexible struct {
	Maps    []*peft.Linear `name:"heads"`
	of      FlexibleHead
	dropout float64
}

func newFlexible(c *Config, h FlexibleHead) flexible {
	f := flexible{of: h, dropout: c.headDropout()}
	for i := range h.Layers {
		out := c.Hidden
		if i == h.Layers-1 {
			out = h.Labels
		}
		l := head(c.Hidden, out)
		l.IsHead = i == h.Layers-1
		l.B.Absent = l.IsHead && !h.Bias
		f.Maps = append(f.Maps, nil, &l)
		name := "heads." + h.Name + "." + strconv.Itoa(len(f.Maps)-1)
		l.W.Name, l.B.Name = name+".weight", name+".bias"
		if h.Act != "" {
			f.Maps = append(f.Maps, nil)
		}
	}
	return f
}

// Task is what the head is for.
func (f *flexible) Task() Task { return flexibleTasks[f.of.Type] }

// HubHead is the head's name and its configuration, for folders of AdapterHub's library.
func (f *flexible) HubHead() (name string, config map[string]any) {
	config = map[string]any{
		"head_type": f.of.Type, "num_labels": f.of.Labels, "layers": f.of.Layers, "activation_function": nil, "use_pooler": f.of.Pooler, "bias": f.of.Bias, "dropout_prob": nil,
	}
	if f.of.Act != "" {
		config["activation_function"] = f.of.Act
	}
	return f.of.Name, config
}

// forward is logits of the last hidden state x.
func (f *flexible) forward(p *peft.Pass, x *tensor.Tensor, pooled func(*peft.Pass, *tensor.Tensor) *tensor.Tensor) *tensor.Tensor {
	switch {
	case f.of.Type == "tagging":
	case f.of.Pooler:
		x = pooled(p, x)
	default:
		x = firsts(x)
	}
	for _, l := range f.Maps {
		switch {
		case l == nil:
		case l.IsHead || f.of.Act == "":
			x = l.Apply(p, p.Dropout(x, f.dropout, l.Name()))
		default:
			x = l.Activated(p, p.Dropout(x, f.dropout, l.Name()), activations[f.of.Act])
		}
	}
	return x
}

// BertAdapterModel is BERT with a head of AdapterHub's library.
type BertAdapterModel struct {
	*Bert    `name:"bert"`
	flexible `name:""`
}

// Forward is logits [sequences×labels], or [rows×labels] of a tagger.
func (m *BertAdapterModel) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	return m.flexible.forward(p, m.Bert.Forward(p, b), m.Bert.pooled)
}

// Task is what the head is for.
func (m *BertAdapterModel) Task() Task { return m.flexible.Task() }

// RobertaAdapterModel is RoBERTa with a head of AdapterHub's library.
type RobertaAdapterModel struct {
	*Bert    `name:"roberta"`
	flexible `name:""`
}

// Forward is logits [sequences×labels], or [rows×labels] of a tagger.
func (m *RobertaAdapterModel) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	return m.flexible.forward(p, m.Bert.Forward(p, b), m.Bert.pooled)
}

// Task is what the head is for.
func (m *RobertaAdapterModel) Task() Task { return m.flexible.Task() }

// DistilBertAdapterModel is DistilBERT, which has no pooler, with a head of AdapterHub's library.
type DistilBertAdapterModel struct {
	*DistilBert `name:"distilbert"`
	flexible    `name:""`
}

// Forward is logits [sequences×labels], or [rows×labels] of a tagger.
func (m *DistilBertAdapterModel) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	return m.flexible.forward(p, m.DistilBert.Forward(p, b), unpooled)
}

// Task is what the head is for.
func (m *DistilBertAdapterModel) Task() Task { return m.flexible.Task() }
