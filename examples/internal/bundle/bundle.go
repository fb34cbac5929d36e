// Package bundle is a real pre-trained encoder and two real labelled data sets, embedded: what programs learn with when they are given nothing else. files/NOTICE says who made them.
package bundle

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

//go:embed files
var files embed.FS

// A Bundle is the encoder and its tokenizer.
type Bundle struct {
	config    []byte
	weights   *safetensors.File
	tokenizer *tokenizer.Tokenizer
}

// A Task is a data set of texts in classes.
type Task struct {
	Name, About string
	Classes     []string
	Train, Test *models.Inputs
	Texts       []string // of Test
}

// Open reads the encoder.
func Open() (*Bundle, error) {
	b := &Bundle{}
	var weights, vocabulary []byte
	for name, to := range map[string]*[]byte{"config.json": &b.config, "model.safetensors": &weights, "tokenizer.json": &vocabulary} {
		text, err := files.ReadFile(path.Join("files", name))
		if err != nil {
			return nil, err
		}
		*to = text
	}
	var err error
	if b.tokenizer, err = tokenizer.Parse(vocabulary); err != nil {
		return nil, err
	}
	b.weights, err = safetensors.Parse(weights)
	return b, err
}

// Words is the first task: how many syllables an English word has.
func (b *Bundle) Words() (*Task, error) {
	return b.task(&Task{Name: "words", About: "how many syllables a word has", Classes: []string{"one", "two", "three", "four"}}, "")
}

// Era is the second: when a sentence was spoken in a State of the Union address.
func (b *Bundle) Era() (*Task, error) {
	return b.task(&Task{Name: "era", About: "when a sentence was spoken", Classes: []string{"1790-1859", "1860-1929", "1930-2021"}}, "era")
}

// Model is the encoder with a new classifier of the mean of its last hidden state. All models of a bundle share its bytes.
func (b *Bundle) Model(classes int) (*models.Opened, error) {
	return models.Read(b.config, b.weights, models.Options{Task: models.SequenceClassification, Labels: classes})
}

// longest is how many tokens of a text are read; none in the bundle has more.
const longest = 48

// task reads a task's data from a folder.
func (b *Bundle) task(t *Task, folder string) (*Task, error) {
	labels := train.NewLabels()
	labels.Max = len(t.Classes)
	var err error
	if t.Train, _, err = b.part(path.Join("files", folder, "train.jsonl"), labels); err != nil {
		return nil, err
	}
	test, d, err := b.part(path.Join("files", folder, "test.jsonl"), labels)
	if err != nil {
		return nil, err
	}
	t.Test = test
	for _, x := range d.Examples {
		t.Texts = append(t.Texts, x.Text)
	}
	return t, nil
}

// part reads a file of texts, and turns them into tokens.
func (b *Bundle) part(name string, labels *train.Labels) (*models.Inputs, *train.Data, error) {
	text, err := files.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	d, err := train.Read(bytes.NewReader(text), name, labels)
	if err != nil {
		return nil, nil, err
	}
	in, err := cli.Texts(b.tokenizer, d, longest)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return in, d, nil
}
