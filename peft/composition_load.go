package peft

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"peft/tensor/safetensors"
)

// The files of a composition, as AdapterHub's library names them: the composition itself, and in a subfolder named after the adapters a fusion of them.
const (
	SetupFile         = "adapter_setup.json"
	FusionConfigFile  = "adapter_fusion_config.json"
	FusionWeightsFile = "model_adapter_fusion.safetensors"
)

// IsComposition reports whether a folder holds a composition of the adapters in its subfolders, rather than an adapter.
func IsComposition(dir string) bool {
	_, one := os.Stat(filepath.Join(dir, ConfigFile))
	_, several := os.Stat(filepath.Join(dir, SetupFile))
	return errors.Is(one, fs.ErrNotExist) && several == nil
}

// Folders are the adapter folders that a folder is made of: itself, or those of a composition.
func Folders(dir string) ([]string, error) {
	if !IsComposition(dir) {
		return []string{dir}, nil
	}
	n, err := readSetup(dir)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, name := range n.names() {
		if folder := filepath.Join(dir, name); !slices.Contains(all, folder) {
			all = append(all, folder)
		}
	}
	return all, nil
}

// A node is a composition as a file has it: of the "type" single its only child is a name.
type node struct {
	Type     string            `json:"type"`
	Children []json.RawMessage `json:"children"`
	Args     *arguments        `json:"kwargs,omitempty"`

	name string
	of   []*node
}

// numbers are a list of them, or one that holds for all.
type numbers []int

// UnmarshalJSON reads a list or a number.
func (n *numbers) UnmarshalJSON(text []byte) error {
	var one int
	if json.Unmarshal(text, &one) == nil {
		*n = numbers{one}
		return nil
	}
	return json.Unmarshal(text, (*[]int)(n))
}

// of is one number for each of so many.
func (n numbers) of(many int) []int {
	if len(n) == 1 {
		return slices.Repeat(n, many)
	}
	return n
}

// deepest is how far compositions may be within each other; the library allows two.
const deepest = 8

// readSetup reads the file of a composition.
func readSetup(dir string) (*node, error) {
	path := filepath.Join(dir, SetupFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("peft: %w", err)
	}
	var doc struct {
		Setup *node `json:"adapter_setup"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("peft: %s: %w", path, err)
	}
	if doc.Setup == nil {
		return nil, fmt.Errorf("peft: %s: found no adapter_setup", path)
	}
	if err := doc.Setup.grow(0); err != nil {
		return nil, fmt.Errorf("peft: %s: %w", path, err)
	}
	return doc.Setup, nil
}

// grow reads the children.
func (n *node) grow(depth int) error {
	if depth > deepest {
		return fmt.Errorf("compositions are more than %d deep", deepest)
	}
	if len(n.Children) == 0 || n.Type == "single" && len(n.Children) != 1 {
		return fmt.Errorf("%q has %d children, expected one or more, or a single name", n.Type, len(n.Children))
	}
	if n.Args == nil {
		n.Args = &arguments{}
	}
	if n.Type == "single" {
		if err := json.Unmarshal(n.Children[0], &n.name); err != nil {
			return fmt.Errorf("the child of a \"single\": %w", err)
		}
		if !filepath.IsLocal(n.name) || strings.ContainsAny(n.name, `/\`) {
			return fmt.Errorf("%q is not the name of a subfolder", n.name)
		}
		return nil
	}
	for _, text := range n.Children {
		child := &node{}
		if err := json.Unmarshal(text, child); err != nil {
			return err
		}
		if err := child.grow(depth + 1); err != nil {
			return err
		}
		n.of = append(n.of, child)
	}
	return nil
}

// names are those of all adapters.
func (n *node) names() (all []string) {
	if n.Type == "single" {
		return []string{n.name}
	}
	for _, x := range n.of {
		all = append(all, x.names()...)
	}
	return all
}

// fuses reports whether there is a fusion.
func (n *node) fuses() bool {
	return n.Type == "Fuse" || slices.ContainsFunc(n.of, (*node).fuses)
}

// node is the composition as a file has it.
func (c *composition) node() map[string]any {
	var children []any
	for _, x := range c.children {
		children = append(children, x.node())
	}
	if c.kind == "single" {
		children = []any{c.name}
	}
	n := map[string]any{"type": c.kind, "children": children}
	if len(c.args.Weights)+len(c.args.Splits)+len(c.args.BatchSizes) > 0 {
		n["kwargs"] = c.args
	}
	return n
}

// A loader loads the adapters of a composition, each once.
type loader struct {
	sites  *Sites
	dir    string
	loaded map[string]*Patch
	report Report
	still  bool // adapters are not trained: there is a fusion
}

func loadComposition(s *Sites, dir string) (*Patch, Report, error) {
	n, err := readSetup(dir)
	if err != nil {
		return nil, Report{}, err
	}
	l := &loader{sites: s, dir: dir, loaded: map[string]*Patch{}, still: n.fuses()}
	q, err := l.compose(n)
	if err != nil {
		return nil, l.report, fmt.Errorf("%s: %w", dir, err)
	}
	if c := q.method.(*composition); c.kind == "single" {
		q = c.leaf
	}
	return q, l.report, nil
}

// compose makes the patch of a node.
func (l *loader) compose(n *node) (*Patch, error) {
	if n.Type == "single" {
		return l.adapter(n.name)
	}
	var of []*Patch
	for _, x := range n.of {
		q, err := l.compose(x)
		if err != nil {
			return nil, err
		}
		of = append(of, q)
	}
	switch n.Type {
	case "Stack":
		return Stack(of...)
	case "Average":
		return Average(n.Args.Weights, of...)
	case "Split":
		return Split(n.Args.Splits.of(len(of)), of...)
	case "BatchSplit":
		return BatchSplit(n.Args.BatchSizes.of(len(of)), of...)
	case "Parallel":
		return Parallel(of...)
	case "Fuse":
		return l.fuse(n, of)
	}
	return nil, fmt.Errorf("peft: the composition is a %q, expected Stack, Fuse, Average, Split, BatchSplit or Parallel", n.Type)
}

// adapter loads one adapter.
func (l *loader) adapter(name string) (*Patch, error) {
	if q := l.loaded[name]; q != nil {
		return q, nil
	}
	dir := filepath.Join(l.dir, name)
	if IsComposition(dir) {
		return nil, fmt.Errorf("peft: %s is a composition, expected an adapter", dir)
	}
	q, r, err := Load(l.sites, dir)
	if err != nil {
		return nil, err
	}
	l.add(r)
	for x := range q.Params() {
		if l.still && strings.Contains(x.Name, "/") {
			x.Freeze()
		}
	}
	one := lift(q, 0)
	one.method.(*composition).name = name
	l.loaded[name] = one
	return one, nil
}

func (l *loader) add(r Report) {
	l.report.Loaded, l.report.Missing = append(l.report.Loaded, r.Loaded...), append(l.report.Missing, r.Missing...)
	l.report.Unexpected = append(l.report.Unexpected, r.Unexpected...)
}

// fuse loads the fusion of some adapters. What they train of the base, such as a head, the fusion trains on.
func (l *loader) fuse(n *node, of []*Patch) (*Patch, error) {
	dir := filepath.Join(l.dir, strings.Join(n.names(), ","))
	config, err := os.ReadFile(filepath.Join(dir, FusionConfigFile))
	if err != nil {
		return nil, fmt.Errorf("peft: %w", err)
	}
	d, _ := decoder(HubFormat("fusion"))
	if d == nil {
		return nil, errors.New("peft: a fusion of adapters needs the package of adapters to be imported")
	}
	m, err := d(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	var leaves []*Patch
	head := map[string]*Param{}
	for _, q := range of {
		c := q.method.(*composition)
		if c.kind != "single" {
			return nil, fmt.Errorf("peft: a fusion of a %s is not supported", c.kind)
		}
		leaves = append(leaves, c.leaf)
		for _, x := range q.params {
			if !strings.Contains(x.Name, "/") {
				head[x.Name] = x
			}
		}
	}
	q, err := AttachTo(l.sites, m.(FusionMethod).Fusing(leaves, len(head) > 0), 0)
	if err != nil {
		return nil, err
	}
	if err := l.fusion(q, dir, head); err != nil {
		return nil, err
	}
	return Fuse(q)
}

// fusion gives a fusion the values of its file, and the head that its adapters have.
func (l *loader) fusion(q *Patch, dir string, head map[string]*Param) error {
	f, err := safetensors.Open(filepath.Join(dir, FusionWeightsFile))
	if err != nil {
		return fmt.Errorf("peft: %w", err)
	}
	defer f.Close()
	r, err := q.assign(files{f})
	if err != nil {
		return fmt.Errorf("peft: load %s: %w", dir, err)
	}
	r.Missing = slices.DeleteFunc(r.Missing, func(key string) bool {
		x := head[key]
		if x != nil {
			q.byName[key].Tensor().Assign(x.Tensor().Float64s())
		}
		return x != nil
	})
	l.add(r)
	return nil
}
