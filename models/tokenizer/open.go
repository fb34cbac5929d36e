package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxFile bounds the size of the files that are read; the largest published tokenizer.json has some 35 MB.
const maxFile = 1 << 30

// Open reads the tokenizer of a model folder, or a file tokenizer.json. A folder without that file may have a vocab.txt, one token a line, as the first
// BERT models do. From the folder's tokenizer_config.json it takes which tokens have a role, see [Tokenizer.RoleID].
func Open(path string) (*Tokenizer, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	dir, file := path, filepath.Join(path, "tokenizer.json")
	if !info.IsDir() {
		dir, file = filepath.Dir(path), path
	}
	settings, err := readSettings(filepath.Join(dir, "tokenizer_config.json"))
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %s: %w", dir, err)
	}
	data, err := readFile(file)
	if info.IsDir() && errors.Is(err, fs.ErrNotExist) {
		data, err = fromVocab(filepath.Join(dir, "vocab.txt"), settings)
	}
	if info.IsDir() && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("tokenizer: %s: found neither tokenizer.json nor vocab.txt: %w", dir, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	t, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %s: %w", dir, err)
	}
	t.roles = settings.roles()
	return t, nil
}

// readFile reads a file of a sensible size.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s: found %d bytes, expected at most %d", path, info.Size(), maxFile)
	}
	return os.ReadFile(path)
}

// settings are what is used of a tokenizer_config.json.
type settings map[string]json.RawMessage

// readSettings reads the file if there is one.
func readSettings(path string) (settings, error) {
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var s settings
	err = config{filepath.Base(path), data}.read(&s)
	return s, err
}

// roles returns the tokens of keys such as pad_token, which are strings or objects.
func (s settings) roles() map[string]string {
	out := map[string]string{}
	for key, value := range s {
		role, ok := strings.CutSuffix(key, "_token")
		var token struct{ Content string }
		if !ok || json.Unmarshal(value, &token.Content) != nil && json.Unmarshal(value, &token) != nil || token.Content == "" {
			continue
		}
		out[role] = token.Content
	}
	return out
}

// flag returns a setting that is true or false.
func (s settings) flag(key string, otherwise bool) bool {
	var v *bool
	if json.Unmarshal(s[key], &v) == nil && v != nil {
		return *v
	}
	return otherwise
}

// fromVocab makes the tokenizer.json of a BERT model that has only a list of tokens, one a line.
func fromVocab(path string, s settings) ([]byte, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	ids := map[string]int{}
	for i, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		ids[strings.TrimSuffix(line, "\r")] = i
	}
	var added []any
	for _, name := range []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"} {
		if id, ok := ids[name]; ok {
			added = append(added, map[string]any{"id": id, "content": name, "special": true})
		}
	}
	for _, name := range []string{"[CLS]", "[SEP]", "[UNK]"} {
		if _, ok := ids[name]; !ok {
			return nil, fmt.Errorf("%s: found no token %s, expected the vocabulary of a BERT model", path, name)
		}
	}
	lower := s.flag("do_lower_case", true)
	normalizer := map[string]any{"type": "BertNormalizer", "lowercase": lower, "handle_chinese_chars": s.flag("tokenize_chinese_chars", true),
		"strip_accents": s.flag("strip_accents", lower)}
	return json.Marshal(map[string]any{
		"added_tokens":   added,
		"normalizer":     normalizer,
		"pre_tokenizer":  map[string]any{"type": "BertPreTokenizer"},
		"post_processor": map[string]any{"type": "BertProcessing", "sep": []any{"[SEP]", ids["[SEP]"]}, "cls": []any{"[CLS]", ids["[CLS]"]}},
		"decoder":        map[string]any{"type": "WordPiece", "prefix": "##", "cleanup": true},
		"model":          map[string]any{"type": "WordPiece", "vocab": ids},
	})
}
