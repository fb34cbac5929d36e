package prefix

import "peft/peft"

// promptFile are the fields of prompt tuning.
type promptFile struct {
	shared
	Init      Init           `json:"prompt_tuning_init"`
	Text      string         `json:"prompt_tuning_init_text"`
	Tokenizer string         `json:"tokenizer_name_or_path"`
	Options   map[string]any `json:"tokenizer_kwargs"`
}

func (f promptFile) prompt() Prompt {
	return Prompt{Tokens: f.Tokens, Init: f.Init, Text: f.Text, Tokenizer: f.Tokenizer, Save: f.save(), Head: f.Head, origin: f.origin()}
}

func decodePrompt(text []byte) (peft.Method, error) {
	f := promptFile{shared: defaults}
	if err := peft.DecodeConfig(text, &f); err != nil {
		return nil, err
	}
	if err := f.refuse(text); err != nil {
		return nil, err
	}
	return f.prompt(), nil
}

// refuse fails where rows are to start from the tokens of a tokenizer with options of its own.
func (f promptFile) refuse(text []byte) error {
	if f.Saved {
		return nil
	}
	return peft.Refuse(text, "tokenizer_kwargs")
}

// Config is the configuration that Hugging Face PEFT reads.
func (c Prompt) Config(s *peft.Sites) (map[string]any, error) {
	return c.config("PROMPT_TUNING", s, nil)
}

func (c Prompt) config(kind string, s *peft.Sites, own map[string]any) (map[string]any, error) {
	all, err := stacks(s)
	if err != nil {
		return nil, err
	}
	start := c.Init
	if start == "" || start == FromText && (c.Text == "" || c.Tokenizer == "") { // without both, Hugging Face PEFT refuses the word
		start = Random
	}
	config := fields(kind, c.Tokens, promptSizes(all), s.Modules(c.Save, c.Head), own)
	config["prompt_tuning_init"], config["tokenizer_kwargs"] = start, nil
	config["prompt_tuning_init_text"], config["tokenizer_name_or_path"] = orNull(c.Text), orNull(c.Tokenizer)
	return config, nil
}

func decodeMultitask(text []byte) (peft.Method, error) {
	f := struct {
		promptFile
		Source     string `json:"prompt_tuning_init_state_dict_path"`
		SourceTask int    `json:"prompt_tuning_init_task"`
		Tasks      int    `json:"num_tasks"`
		Ranks      int    `json:"num_ranks"`
	}{promptFile: promptFile{shared: defaults}, Tasks: 1, Ranks: 1}
	if err := peft.DecodeConfig(text, &f); err != nil {
		return nil, err
	}
	if err := f.refuse(text); err != nil {
		return nil, err
	}
	return Multitask{Prompt: f.prompt(), Tasks: f.Tasks, Ranks: f.Ranks, Source: f.Source, SourceTask: f.SourceTask}, nil
}

// Config is the configuration that Hugging Face PEFT reads.
func (c Multitask) Config(s *peft.Sites) (map[string]any, error) {
	return c.config("MULTITASK_PROMPT_TUNING", s, map[string]any{
		"num_tasks": c.Tasks, "num_ranks": c.Ranks, "prompt_tuning_init_state_dict_path": orNull(c.Source), "prompt_tuning_init_task": c.SourceTask,
	})
}
