package chat

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/models/tokenizer"
)

const (
	golden     = "../../../../shared/golden/tokenizers/chat.json"
	tokenizers = "../../../../shared/tokenizers"
)

// TestGolden writes the conversations of published models and compares text and tokens.
func TestGolden(t *testing.T) {
	data, err := os.ReadFile(golden)
	if err != nil {
		t.Skipf("no golden files: %v", err)
	}
	var file struct {
		Templates map[string]json.RawMessage
		Cases     []struct {
			Tokenizer string
			Messages  json.RawMessage
			Prompt    bool           `json:"add_generation_prompt"`
			Variables map[string]any `json:"kwargs"`
			Tools     json.RawMessage
			Text      string
			IDs       []int32
			Error     string
		}
	}
	require.NoError(t, json.Unmarshal(data, &file))
	models := map[string]*tokenizer.Tokenizer{}
	templates := map[string]*Template{}
	for name, settings := range file.Templates {
		templates[name] = fromSettings(t, settings)
		models[name], _ = tokenizer.Open(filepath.Join(tokenizers, name))
	}
	for i, c := range file.Cases {
		conversation := Conversation{Messages: c.Messages, Prompt: c.Prompt, Variables: c.Variables}
		if c.Tools != nil {
			conversation.Tools = c.Tools
		}
		text, err := templates[c.Tokenizer].Render(conversation)
		if c.Error != "" {
			require.ErrorContains(t, err, "Conversation roles must alternate")
			continue
		}
		require.NoError(t, err, "case %d, %s", i, c.Tokenizer)
		require.Equal(t, c.Text, text, "case %d, %s", i, c.Tokenizer)
		if tok := models[c.Tokenizer]; tok != nil {
			e, err := tok.Encode(text, tokenizer.NoSpecial())
			require.NoError(t, err)
			require.Equal(t, c.IDs, e.IDs, "case %d, %s", i, c.Tokenizer)
		}
	}
}

// fromSettings opens a template as it stands in a model folder.
func fromSettings(t *testing.T, settings []byte) *Template {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tokenizer_config.json"), settings, 0o644))
	template, err := Open(dir)
	require.NoError(t, err)
	return template
}
