package cli

import (
	"fmt"

	"peft/models/tokenizer"
	"peft/peft"
	"peft/prefix"
)

// Method is the method of a configuration. Where its rows start from a text, the tokenizer that it names, or that of the model folder, makes the tokens.
func Method(config []byte, model string) (peft.Method, error) {
	m, err := peft.DecodeMethod(config)
	if err != nil {
		return nil, err
	}
	switch c := m.(type) {
	case prefix.Prompt:
		return tokenised(c, model)
	case prefix.Multitask:
		c.Prompt, err = tokenised(c.Prompt, model)
		return c, err
	}
	return m, nil
}

// tokenised is a prompt with the tokens of its text.
func tokenised(c prefix.Prompt, model string) (prefix.Prompt, error) {
	if c.Init != prefix.FromText {
		return c, nil
	}
	if c.Tokenizer == "" {
		c.Tokenizer = model
	}
	t, err := tokenizer.Open(c.Tokenizer)
	if err != nil {
		return c, fmt.Errorf("prompt_tuning_init_text: %w", err)
	}
	e, err := t.Encode(c.Text)
	c.IDs = e.IDs
	return c, err
}
