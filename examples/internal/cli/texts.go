package cli

import (
	"fmt"

	"peft/models"
	"peft/models/tokenizer"
	"peft/train"
)

// ReadTexts reads JSON lines of texts and turns them into at most so many tokens each, by the tokenizer of a model folder.
func ReadTexts(path, model string, longest int, labels *train.Labels) (*models.Inputs, error) {
	d, err := train.ReadFile(path, labels)
	if err != nil {
		return nil, err
	}
	if d.Kind != train.Texts {
		return nil, fmt.Errorf(`%s: found lines with %v, expected "text"`, path, d.Kind)
	}
	t, err := tokenizer.Open(model)
	if err != nil {
		return nil, err
	}
	return Texts(t, d, longest)
}

// Texts are the examples of a data set in tokens.
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
