package cli

import (
	"fmt"
	"math/rand/v2"

	"peft/models"
	"peft/models/tokenizer"
	"peft/tensor"
	"peft/train"
)

// A Reader turns data files into tokens.
type Reader struct {
	Model   string // folder with the tokenizer
	Task    models.Task
	Longest int // tokens of a text, at most; longer ones are cut
	Labels  *train.Labels
	Seed    uint64 // of masks
}

// Read reads JSON lines: texts with labels to classify; texts, or prompts with completions, for a language model, which is scored on every token that is not of a prompt; texts with
// some tokens masked for a masked one.
func (r Reader) Read(path string) (*models.Inputs, error) {
	d, err := train.ReadFile(path, r.Labels)
	if err != nil {
		return nil, err
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

func (r Reader) inputs(t *tokenizer.Tokenizer, d *train.Data) (*models.Inputs, error) {
	switch {
	case d.Kind == train.Completions && (r.Task == models.CausalLM || r.Task == models.NoTask):
		return completions(t, d, r.Longest)
	case d.Kind != train.Texts:
		return nil, fmt.Errorf("found lines with %v, which the task %q cannot use", d.Kind, r.Task)
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
