package models

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"peft/peft"
)

// mostReplicas is the most layers that a model may be arranged to have, which may be said by anybody's file.
const mostReplicas = 1 << 12

// ranges are layers from one number up to another, which is not one of them, as "layer_replication" of Hugging Face PEFT lists them.
type ranges [][2]int

// order lists the layers one by one.
func (r ranges) order() (all []int, err error) {
	for _, of := range r {
		if of[0] < 0 || of[1] < of[0] || of[1]-of[0] > mostReplicas-len(all) {
			return nil, fmt.Errorf("layer_replication holds %v, must be ascending from 0, and not more than %d layers in all", of, mostReplicas)
		}
		for i := of[0]; i < of[1]; i++ {
			all = append(all, i)
		}
	}
	return all, nil
}

// layersOf is the order of layers that an adapter's configuration asks for; nil if it asks for none.
func layersOf(config []byte) ([]int, error) {
	var c struct {
		Replication ranges `json:"layer_replication"`
	}
	if err := json.Unmarshal(config, &c); err != nil {
		return nil, err
	}
	return c.Replication.order()
}

// arrange lets the model have its layers in another order.
func (b blueprint) arrange() error {
	order := b.Options.Layers
	if order == nil {
		return nil
	}
	if b.ModelType != "bert" && !slices.Contains([]string{"llama", "mistral", "qwen2", "qwen3"}, b.ModelType) {
		return fmt.Errorf("layers of a model of type %q cannot be repeated", b.ModelType)
	}
	if len(order) == 0 || slices.Min(order) < 0 || slices.Max(order) >= b.Config.Layers {
		return fmt.Errorf("the layers are %v, must be of the %d there are", order, b.Config.Layers)
	}
	b.Config.order = order
	return nil
}

// layers are the numbers of the layers in the order in which the model has them.
func (c *Config) layers() []int {
	if c.order != nil {
		return c.order
	}
	all := make([]int, c.Layers)
	for i := range all {
		all[i] = i
	}
	return all
}

// share gives the parameters of each layer the names that the folder has them under, and one of each name to all places.
func (m *Opened) share(order []int) error {
	if order == nil {
		return nil
	}
	sites, err := peft.FindSites(nil, m.Model)
	if err != nil {
		return err
	}
	of := map[string]*peft.Frozen{}
	for x := range sites.All() {
		if x.Layer() < 0 {
			continue
		}
		for _, f := range fields(x) {
			name := strings.Replace((*f).Name, fmt.Sprintf(".%d.", x.Layer()), fmt.Sprintf(".%d.", order[x.Layer()]), 1)
			if of[name] == nil {
				of[name] = *f
				(*f).Name = name
			}
			*f = of[name]
		}
	}
	return nil
}

// fields are where a site of a layer keeps its parameters.
func fields(x peft.Site) []**peft.Frozen {
	switch x := x.(type) {
	case *peft.Linear:
		return []**peft.Frozen{&x.W, &x.B}
	case *peft.Norm:
		return []**peft.Frozen{&x.W, &x.B}
	}
	return nil
}
