package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A Template writes conversations as text. It does not change, and any number of goroutines may use it.
type Template struct {
	body      block
	variables map[string]any
}

// A Message is one turn of a conversation.
type Message struct {
	// Role is who speaks: "system", "user", "assistant" or "tool".
	Role string `json:"role"`
	// Content is what is said, a string; some models also read lists of parts, and nil beside tool calls.
	Content any `json:"content"`
	// Reasoning is what an assistant thought before it spoke.
	Reasoning string `json:"reasoning_content,omitempty"`
	// ToolCalls are the calls that an assistant makes, in the form of the model's template.
	ToolCalls any `json:"tool_calls,omitempty"`
}

// A Conversation is what a template writes.
type Conversation struct {
	// Messages is a []Message, or anything that encoding/json writes as a list of such objects, a json.RawMessage for one.
	Messages any
	// Tools, if not nil, are descriptions of the functions that the model may call, a list of JSON schemas.
	Tools any
	// Prompt ends the text with the beginning of the assistant's next turn.
	Prompt bool
	// Variables are further variables of the template, such as enable_thinking.
	Variables map[string]any
}

// New reads a template. The variables, such as bos_token, are there in every conversation.
func New(source string, variables map[string]any) (*Template, error) {
	body, err := parse(source)
	if err != nil {
		return nil, fmt.Errorf("chat: template: %w", err)
	}
	return &Template{body, variables}, nil
}

// Open reads the template of a model folder: the file chat_template.jinja, or else the entry chat_template of tokenizer_config.json; where that has
// several, the one with the name default. Tokens that tokenizer_config.json names are variables of the template.
func Open(dir string) (*Template, error) {
	var settings map[string]json.RawMessage
	data, err := os.ReadFile(filepath.Join(dir, "tokenizer_config.json"))
	if err == nil {
		err = json.Unmarshal(data, &settings)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("chat: %s: tokenizer_config.json: %w", dir, err)
	}
	source, err := os.ReadFile(filepath.Join(dir, "chat_template.jinja"))
	if errors.Is(err, fs.ErrNotExist) {
		source, err = entry(settings["chat_template"])
	}
	if err != nil {
		return nil, fmt.Errorf("chat: %s: %w", dir, err)
	}
	return New(string(source), tokens(settings))
}

// entry reads a template out of the settings: a string, or a list of templates with names.
func entry(data json.RawMessage) ([]byte, error) {
	var one string
	if json.Unmarshal(data, &one) == nil && one != "" {
		return []byte(one), nil
	}
	var all []struct{ Name, Template string }
	if json.Unmarshal(data, &all) == nil {
		for _, t := range all {
			if t.Name == "default" {
				return []byte(t.Template), nil
			}
		}
	}
	return nil, errors.New("found neither chat_template.jinja nor a template with the name default in tokenizer_config.json")
}

// tokens returns the settings bos_token, eos_token and so on, which are strings or objects.
func tokens(settings map[string]json.RawMessage) map[string]any {
	out := map[string]any{}
	for name, data := range settings {
		var token struct{ Content string }
		if !strings.HasSuffix(name, "_token") || json.Unmarshal(data, &token.Content) != nil && json.Unmarshal(data, &token) != nil {
			continue
		}
		if token.Content != "" {
			out[name] = token.Content
		}
	}
	return out
}

// Render writes a conversation. It is an error if the template says that the conversation is not of the kind that it writes, if it uses a variable in a
// way that it cannot be used, or if it goes beyond what a template may do.
func (t *Template) Render(c Conversation) (text string, err error) {
	f := &frame{vars: globals(), run: &run{}}
	for name, v := range map[string]any{"messages": c.Messages, "tools": c.Tools} {
		if f.vars[name], err = fromGo(v); err != nil {
			return "", fmt.Errorf("chat: %s: %w", name, err)
		}
	}
	for _, variables := range []map[string]any{t.variables, c.Variables} {
		for name, v := range variables {
			if f.vars[name], err = fromGo(v); err != nil {
				return "", fmt.Errorf("chat: %s: %w", name, err)
			}
		}
	}
	f.vars["add_generation_prompt"] = c.Prompt
	defer rescue(&err)
	t.body.do(f)
	return f.run.out.String(), nil
}
