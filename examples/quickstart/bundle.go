package main

import (
	"bytes"
	"embed"
	"fmt"
	"path"

	"peft/examples/internal/cli"
	"peft/models"
	"peft/models/tokenizer"
	"peft/tensor/safetensors"
	"peft/train"
)

// bundle is a real model, its tokenizer and two real data sets; bundle/NOTICE says who made them.
//
//go:embed bundle
var bundle embed.FS

// A task is a data set with a classifier for it.
type task struct {
	name, about string
	train, test *models.Inputs
	texts       []string // of test
	classes     []string
	model       *models.Opened
}

// openBundle reads the bundle: the words' classifier, and that of eras over the same frozen base.
func openBundle() (words, era *task, err error) {
	text := func(name string) []byte {
		data, e := bundle.ReadFile(path.Join("bundle", name))
		if e != nil && err == nil {
			err = e
		}
		return data
	}
	config, weights, vocabulary := text("config.json"), text("model.safetensors"), text("tokenizer.json")
	if err != nil {
		return nil, nil, err
	}
	tok, err := tokenizer.Parse(vocabulary)
	if err != nil {
		return nil, nil, err
	}
	words = &task{name: "words", about: "how many syllables a word has", classes: []string{"one", "two", "three", "four"}}
	era = &task{name: "era", about: "when a sentence was spoken", classes: []string{"1790-1859", "1860-1929", "1930-2021"}}
	for _, t := range []*task{words, era} {
		if err := t.read(tok); err != nil {
			return nil, nil, err
		}
	}
	f, err := safetensors.Parse(weights)
	if err != nil {
		return nil, nil, err
	}
	if words.model, err = models.Read(config, f, models.Options{Task: models.SequenceClassification, Labels: len(words.classes)}); err != nil {
		return nil, nil, err
	}
	era.model, err = words.model.Sibling(len(era.classes), 0)
	return words, era, err
}

// longest is how many tokens of a text are read; none in the bundle has more.
const longest = 48

// read reads the task's data and turns it into tokens.
func (t *task) read(tok *tokenizer.Tokenizer) (err error) {
	labels := train.NewLabels()
	labels.Max = len(t.classes)
	var d *train.Data
	if t.train, _, err = t.part(tok, "train.jsonl", labels); err != nil {
		return err
	}
	if t.test, d, err = t.part(tok, "test.jsonl", labels); err != nil {
		return err
	}
	for _, x := range d.Examples {
		t.texts = append(t.texts, x.Text)
	}
	return nil
}

func (t *task) part(tok *tokenizer.Tokenizer, name string, labels *train.Labels) (*models.Inputs, *train.Data, error) {
	file := path.Join("bundle", name)
	if t.name != "words" {
		file = path.Join("bundle", t.name, name)
	}
	text, err := bundle.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	d, err := train.Read(bytes.NewReader(text), file, labels)
	if err != nil {
		return nil, nil, err
	}
	in, err := cli.Texts(tok, d, longest)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	return in, d, nil
}
