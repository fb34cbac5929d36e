package models

import (
	"cmp"
	"fmt"

	"peft/tensor/safetensors"
)

// A Pool is how a classifier makes one row of a sequence.
type Pool string

// The ways to pool.
const (
	HeadPool Pool = "head" // as Hugging Face's class for the model has it
	MeanPool Pool = "mean" // the mean of the last hidden state
)

// Options are what a caller may ask of a model beside what its folder says. The zero value asks for nothing.
type Options struct {
	Task     Task         // the head to put on; empty: the one the folder has
	Class    string       // the class of model, as transformers names it; empty: by the task, else the one the folder has
	Headless bool         // no head, even if the folder has one
	Labels   int          // of a new head; 0: as config.json says
	Pool     Pool         // of a new sequence classifier; empty: head where the file holds a pooler, else mean
	Seed     uint64       // of a new head's weights
	Layers   []int        // the layers of the folder in the order in which the model has them, some more than once and with the same numbers; nil: each once
	Flexible FlexibleHead // a head that AdapterHub's library builds itself, of the classes named …AdapterModel
	Storage  Storage      // how the matrices of linear maps are kept; empty: as the file has them
}

// Opened is a model with the folder it came from.
type Opened struct {
	Model
	Config  *Config
	Options Options // as they came out, nothing left to the folder
	Dir     string
	Class   string   // as transformers names it
	Fresh   []string // parameters that the file does not hold and that were drawn at random: a new head
	Names   []string // of the classes, for [Opened.Export]; nil: as config.json says
	file    *safetensors.File
	raw     []byte
}

// Open opens a model folder: config.json and model.safetensors, in one file or several. Weights are mapped, not read. Close it when no pass uses it any more.
func Open(dir string, o Options) (*Opened, error) {
	config, err := readConfig(dir)
	if err != nil {
		return nil, fmt.Errorf("models: %w", err)
	}
	f, err := safetensors.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("models: %w", err)
	}
	m, err := Read(config, f, o)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("models: %s: %w", dir, err)
	}
	m.Dir = dir
	return m, nil
}

// Read is Open for a configuration and weights that are at hand, such as embedded ones.
func Read(config []byte, f *safetensors.File, o Options) (*Opened, error) {
	m, fam, err := build(config, o, holds(f, "pooler.dense.weight"), f.Len())
	if err != nil {
		return nil, err
	}
	m.file = f
	if err := m.bind(fam, o.Seed); err != nil {
		return nil, err
	}
	return m, m.store(o.Storage)
}

// New is a model of a configuration with random weights, as before any training: matrices from N(0, 0.02²), gains one, biases zero.
func New(config []byte, o Options) (*Opened, error) {
	m, _, err := build(config, o, true, 1<<20)
	if err != nil {
		return nil, err
	}
	return m, m.draw(o.Seed, o.Storage)
}

// Blank is a model of a configuration without weights: its sites can be looked at and patched on [tensor.Shapes], to count, and it takes no memory.
func Blank(config []byte, o Options) (*Opened, error) {
	m, _, err := build(config, o, true, 1<<20)
	return m, err
}

// build makes a model without weights. stored is how many tensors there are to fill it.
func build(config []byte, o Options, pooler bool, stored int) (*Opened, family, error) {
	c, err := parseConfig(config)
	if err != nil {
		return nil, family{}, err
	}
	b := blueprint{c, o, pooler}
	b.complete()
	fam, arch, err := b.pick()
	if err != nil {
		return nil, fam, err
	}
	if err := cmp.Or(c.check(stored), b.arrange()); err != nil {
		return nil, fam, err
	}
	m := &Opened{Model: arch.build(b), Class: arch.name, Config: c, Options: b.Options, raw: config}
	return m, fam, m.share(b.Options.Layers)
}

// complete fills in what the options leave to the folder.
func (b *blueprint) complete() {
	if b.Options.Labels == 0 {
		b.Options.Labels = b.Config.Labels()
	}
	if b.Headless {
		b.Class = b.headless()
	}
	b.Options.Pool = cmp.Or(b.Options.Pool, b.Config.Pool)
	if b.Options.Pool == "" && b.ModelType == "bert" && !b.pooler && !b.hasClass(SequenceClassification) {
		b.Options.Pool = MeanPool
	}
}

func (b *blueprint) headless() string {
	for _, a := range families[b.ModelType].architectures {
		if a.task == NoTask {
			return a.name
		}
	}
	return ""
}

// hasClass reports whether the folder itself holds a model for the task.
func (b *blueprint) hasClass(t Task) bool {
	for _, a := range families[b.ModelType].architectures {
		for _, n := range b.Architectures {
			if a.task == t && a.name == n {
				return true
			}
		}
	}
	return false
}

// Close unmaps the weights.
func (m *Opened) Close() error {
	if m.file == nil {
		return nil
	}
	return m.file.Close()
}

// Unwrap is the model itself, whose sites are patched.
func (m *Opened) Unwrap() Model { return m.Model }

// holds reports whether a file has a tensor whose name ends with the given one.
func holds(f *safetensors.File, suffix string) bool {
	for _, n := range f.Names() {
		if len(n) >= len(suffix) && n[len(n)-len(suffix):] == suffix {
			return true
		}
	}
	return false
}
