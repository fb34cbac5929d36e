package peft

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"peft/internal/atomicfile"
)

// A composition is how several trained patches are one: the method of the patches that [Stack] and its like make.
type composition struct {
	kind     string
	children []*composition
	args     arguments
	name     string // of an adapter, or a fusion
	leaf     *Patch // that patch
}

// arguments are what kinds of compositions are told.
type arguments struct {
	Weights    []float64 `json:"weights,omitempty"`
	Splits     numbers   `json:"splits,omitempty"`
	BatchSizes numbers   `json:"batch_sizes,omitempty"`
}

// Attach fails: a composition is of patches that there are.
func (*composition) Attach(*Sites, Rand) (*Patch, error) {
	return nil, errors.New("a composition of trained patches cannot be attached anew")
}

// Key is the key of a parameter in the file of the patch that it is from.
func (*composition) Key(q *Patch, x *Param) string {
	o, ok := q.origins[x]
	if !ok {
		return x.Name
	}
	if m, ok := o.q.method.(interface{ Key(*Patch, *Param) string }); ok {
		return m.Key(o.q, o.x)
	}
	return x.Name
}

// Twins are those of the patch that a parameter is from.
func (*composition) Twins(q *Patch, x *Param) []string {
	if o, ok := q.origins[x]; ok {
		return o.q.twins(o.x)
	}
	return nil
}

// parts are the methods of fusions, which add a term to the loss.
func (c *composition) parts() (all []Method) {
	for _, x := range c.all("Fuse") {
		all = append(all, x.leaf.method)
	}
	return all
}

// all are the compositions of a kind that c is made of, itself too.
func (c *composition) all(kind string) (all []*composition) {
	if c.kind == kind {
		all = append(all, c)
	}
	for _, x := range c.children {
		all = append(all, x.all(kind)...)
	}
	return all
}

// leaves are the patches that c is made of.
func (c *composition) leaves() (all []*Patch) {
	if c.leaf != nil {
		all = append(all, c.leaf)
	}
	for _, x := range c.children {
		all = append(all, x.leaves()...)
	}
	return all
}

// Copies is how often a batch must hold its sequences: once, or for [Parallel] once for each of its patches.
func (q *Patch) Copies() int {
	if c, ok := q.method.(*composition); ok {
		for _, x := range c.all("Parallel") {
			return len(x.children)
		}
	}
	return 1
}

// Batch is how many sequences a batch must have, for [BatchSplit]; 0 is any number.
func (q *Patch) Batch() int {
	if c, ok := q.method.(*composition); ok {
		for _, x := range c.all("BatchSplit") {
			return total(x.args.BatchSizes)
		}
	}
	return 0
}

// Fuse is a trained fusion of adapters as a composition, which can be saved and stacked.
func Fuse(q *Patch) (*Patch, error) {
	m, ok := q.method.(FusionMethod)
	if !ok {
		return nil, fmt.Errorf("peft: Fuse: found a patch of %T, expected one of a fusion", q.method)
	}
	one := lift(q, 0)
	c := one.method.(*composition)
	c.kind, c.name = "Fuse", m.HubName()
	for i, child := range m.Fused() {
		child = lift(child, i)
		c.children = append(c.children, child.method.(*composition))
		for _, x := range child.params {
			if have := one.byName[x.Name]; have != nil {
				x.Pool = have.Pool
				continue
			}
			still := *x
			still.Fixed = true
			one.own(&still)
			one.origins[&still] = child.origins[x]
		}
	}
	return one, nil
}

// A FusionMethod is a method that mixes trained adapters, which stay as they are.
type FusionMethod interface {
	Method
	HubName() string                      // the adapters' names, joined by commas
	Fused() []*Patch                      // the adapters
	Fusing(of []*Patch, head bool) Method // the same of other adapters, which trains the model's head if asked to
	Key(q *Patch, x *Param) string        // the name of a parameter in FusionWeightsFile
	FusionConfig() map[string]any         // the method's own fields
}

// save writes a composition as a folder: the adapters in folders of their own, and how they are composed.
func (c *composition) save(dir string, info Info) error {
	return atomicfile.WriteDir(dir, func(tmp string) error {
		for _, x := range append(c.all("single"), c.all("Fuse")...) {
			f, err := x.folder(info)
			if err != nil {
				return fmt.Errorf("%s: %w", x.name, err)
			}
			if err := atomicfile.WriteDir(filepath.Join(tmp, x.name), f.write); err != nil {
				return err
			}
		}
		return WriteJSON(filepath.Join(tmp, SetupFile), map[string]any{"adapter_setup": c.node(), "head_setup": nil, "version": hubVersion})
	})
}

// folder is the files of an adapter, or of a fusion.
func (c *composition) folder(info Info) (f folder, err error) {
	if m, ok := c.leaf.method.(FusionMethod); ok {
		return c.leaf.fusionFolder(m, info), nil
	}
	q, err := Collapse(c.leaf)
	if err != nil {
		return f, err
	}
	m, ok := q.method.(FileMethod)
	if !ok {
		return f, fmt.Errorf("%T has no file format", q.method)
	}
	config, err := m.Config(q.sites)
	if err != nil {
		return f, err
	}
	return q.folder(m, config, Info{info.BaseModel, info.Class, info.Task, maps.Clone(info.Extra)}), nil
}

// fusionFolder is the files of a fusion; the head stands in the adapters' folders.
func (q *Patch) fusionFolder(m FusionMethod, info Info) folder {
	config := q.sites.hubConfig(Info{BaseModel: info.BaseModel, Class: info.Class})
	maps.Copy(config, map[string]any{"config": m.FusionConfig(), "name": m.HubName(), "adapter_names": strings.Split(m.HubName(), ",")})
	weights := q.weights(q.sites.hubFile(FusionWeightsFile))
	delete(weights, HubHeadFile)
	return folder{map[string]map[string]any{FusionConfigFile: config}, weights}
}
