package cli

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"peft/models"
	"peft/models/tokenizer"
	"peft/tensor"
	"peft/train"
)

// A Reader turns data files into tokens.
type Reader struct {
	Model   string // folder with the tokenizer
	Task    models.Task
	Heads   []models.Task // those that the model may have: of a language model where the task is left to the data
	Longest int           // tokens of a text, at most; longer ones are cut
	Labels  *train.Labels
	Seed    uint64 // of masks
}

// MostClasses is the largest number of classes that a fresh head may get: more than any task has, and few enough for memory.
const MostClasses = 1 << 17

// Read reads JSON lines: texts with labels to classify; texts, or prompts with completions, for a language model, which is scored on every token that is not of a prompt; texts with
// some tokens masked for a masked one. Where no task is set the lines decide which it is, for the files that follow too.
func (r *Reader) Read(path string) (*models.Inputs, error) {
	d, err := train.ReadFile(path, r.Labels)
	if err != nil {
		return nil, err
	}
	if err := r.suits(d); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	t, err := tokenizer.Open(r.Model)
	if err != nil {
		return nil, err
	}
	in, err := r.inputs(t, d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return in, nil
}

// suits settles the task and tells whether lines are for it.
func (r *Reader) suits(d *train.Data) error {
	if r.Task == models.NoTask {
		r.Task = r.natural(d)
	}
	switch {
	case d.Kind == train.Images || d.Kind == train.Pairs:
		return fmt.Errorf("found lines with %v, for which there is no task yet; there are lines with \"text\" and with \"prompt\" and \"completion\"", d.Kind)
	case d.Kind == train.Completions && r.Task != models.CausalLM:
		return fmt.Errorf("found lines with %v, which are for the task lm, not %s", d.Kind, r.Task)
	case r.Task == models.TokenClassification:
		return errors.New("found lines with \"text\", but the task tokcls wants a label for each token: give safetensors with input_ids and labels")
	case r.Task == models.SequenceClassification && !d.Labelled:
		return errors.New("found lines without a \"label\", which the task seqcls wants; texts alone are for -task mlm or lm")
	}
	return nil
}

// natural is the task that lines are for by themselves.
func (r *Reader) natural(d *train.Data) models.Task {
	if d.Kind == train.Completions || d.Kind == train.Texts && !d.Labelled && slices.Contains(r.Heads, models.CausalLM) {
		return models.CausalLM
	}
	return models.SequenceClassification
}

func (r *Reader) inputs(t *tokenizer.Tokenizer, d *train.Data) (*models.Inputs, error) {
	if d.Kind == train.Completions {
		return completions(t, d, r.Longest)
	}
	in, err := Texts(t, d, r.Longest)
	switch {
	case err != nil:
		return nil, err
	case r.Task == models.CausalLM:
		in.Labels = in.IDs
	case r.Task == models.MaskedLM:
		return in, mask(in, t, rand.New(rand.NewPCG(r.Seed, 0x6d61736b)))
	}
	return in, nil
}

// Texts are the examples of a data set in tokens, with their classes.
func Texts(t *tokenizer.Tokenizer, d *train.Data, longest int) (*models.Inputs, error) {
	in := &models.Inputs{}
	for i, x := range d.Examples {
		e, err := t.Encode(x.Text, tokenizer.MaxLength(longest))
		if err != nil {
			return nil, fmt.Errorf("text %d: %w", i+1, err)
		}
		in.IDs, in.Types = append(in.IDs, e.IDs), append(in.Types, e.Types)
		if d.Labelled {
			in.Labels = append(in.Labels, []int32{int32(x.Label)})
		}
	}
	return in, nil
}

// completions are prompts followed by what completes them and the end of the text; the prompts' tokens are not scored.
func completions(t *tokenizer.Tokenizer, d *train.Data, longest int) (*models.Inputs, error) {
	in := &models.Inputs{}
	for i, x := range d.Examples {
		prompt, err := t.Encode(x.Prompt)
		if err != nil {
			return nil, fmt.Errorf("prompt %d: %w", i+1, err)
		}
		rest, err := t.Encode(x.Completion, tokenizer.NoSpecial())
		if err != nil {
			return nil, fmt.Errorf("completion %d: %w", i+1, err)
		}
		ids := append(append([]int32{}, prompt.IDs...), rest.IDs...)
		if end, ok := t.RoleID("eos"); ok {
			ids = append(ids, end)
		}
		labels := append([]int32{}, ids...)
		for j := range prompt.IDs {
			labels[j] = tensor.Ignore
		}
		n := min(len(ids), longest)
		in.IDs, in.Labels = append(in.IDs, ids[:n]), append(in.Labels, labels[:n])
	}
	return in, nil
}

// The shares of tokens that a masked language model is asked for, and of those that it sees as the mask, or as another token (Devlin et al. 2019, §3.1).
const asked, masked, replaced = 0.15, 0.8, 0.1

// mask hides some tokens of every text, and makes them the labels.
func mask(in *models.Inputs, t *tokenizer.Tokenizer, rng *rand.Rand) error {
	hidden, ok := t.RoleID("mask")
	if !ok {
		return fmt.Errorf("the tokenizer has no mask token")
	}
	in.Labels = nil // of the texts, if they have any
	for i, ids := range in.IDs {
		labels := make([]int32, len(ids))
		in.IDs[i] = append([]int32{}, ids...)
		for j, id := range ids {
			labels[j] = tensor.Ignore
			if t.IsSpecial(id) || rng.Float64() >= asked {
				continue
			}
			labels[j] = id
			switch u := rng.Float64(); {
			case u < masked:
				in.IDs[i][j] = hidden
			case u < masked+replaced:
				in.IDs[i][j] = rng.Int32N(int32(t.VocabSize()))
			}
		}
		in.Labels = append(in.Labels, labels)
	}
	return nil
}
