package train_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/train"
)

func TestReadKinds(t *testing.T) {
	for text, want := range map[string]train.Data{
		`{"text":"é\n"}`:                                       {Kind: train.Texts, Examples: []train.Example{{Text: "é\n", Label: -1}}},
		`{"text":"","label":1,"id":7}`:                         {Kind: train.Texts, Labelled: true, Examples: []train.Example{{Label: 1}}},
		`{"prompt":"a","completion":"b"}`:                      {Kind: train.Completions, Examples: []train.Example{{Prompt: "a", Completion: "b", Label: -1}}},
		`{"input":"a","target":"b"}`:                           {Kind: train.Pairs, Examples: []train.Example{{Input: "a", Target: "b", Label: -1}}},
		`{"image":"x.png","label":0}`:                          {Kind: train.Images, Labelled: true, Examples: []train.Example{{Image: "x.png"}}},
		"\ufeff{\"text\":\"a\"}\r\n\r\n {\"text\":\"b\"} \n\n": {Kind: train.Texts, Examples: []train.Example{{Text: "a", Label: -1}, {Text: "b", Label: -1}}},
	} {
		got, err := read(text, nil)
		require.NoError(t, err, text)
		require.Equal(t, want, *got, text)
	}
}

func TestReadNamesTheLine(t *testing.T) {
	good := `{"text":"a","label":0}` + "\n"
	for text, want := range map[string]string{
		good + good + `{"text":`:               "train.jsonl:3: byte 8: JSON: unexpected end",
		good + "\n" + `{"text":"a" "b"}`:       "train.jsonl:3: byte 13: JSON: invalid character",
		`{"text":3}`:                           `train.jsonl:1: "text" is a JSON number, want a string`,
		`["a"]`:                                `train.jsonl:1: found a JSON array, want an object`,
		good + `{"label":1}`:                   `train.jsonl:2: found none of "text"`,
		`{"prompt":"a"}`:                       `train.jsonl:1: found none of "text", "prompt" and "completion"`,
		`{"text":"a","image":"b"}`:             `train.jsonl:1: found "text" and "image", want one of them`,
		`{"input":"a","target":"b","label":1}`: `train.jsonl:1: found "input" and "target" with a "label", want none`,
		good + `{"text":"a"}`:                  `train.jsonl:2: found no "label", want one as in the lines before`,
		`{"text":"a"}` + "\n" + good:           `train.jsonl:2: found a "label", want none as in the lines before`,
		good + `{"image":"a","label":0}`:       `train.jsonl:2: found a line with "image", want "text" as in the lines before`,
		good + "{\"text\":\"\xff\"}":           `train.jsonl:2: found bytes that are not UTF-8`,
		"":                                     "train.jsonl: found no examples, want at least one line of JSON",
		"\ufeff\n \n":                          "train.jsonl: found no examples",
	} {
		_, err := read(text, nil)
		require.ErrorContains(t, err, want)
		_, ok := err.(*train.DataError)
		require.True(t, ok)
	}
}

func TestReadLongLines(t *testing.T) {
	long := strings.Repeat("x", 3<<20)
	d, err := read(`{"text":"`+long+`"}`, nil)
	require.NoError(t, err)
	require.Len(t, d.Examples[0].Text, len(long))
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.jsonl")
	_, err := train.ReadFile(path, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, []byte(`{"text":1}`), 0o666))
	_, err = train.ReadFile(path, nil)
	require.ErrorContains(t, err, path+":1: ")
}

func FuzzRead(f *testing.F) {
	f.Add(`{"text":"a","label":"b"}` + "\n" + `{"text":"c","label":3}`)
	f.Add("\ufeff{}")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := read(text, &train.Labels{Max: 3})
		if err != nil {
			return
		}
		require.NotEmpty(t, d.Examples)
		for _, e := range d.Examples {
			require.Equal(t, d.Labelled, e.Label >= 0)
			require.Less(t, e.Label, 3)
		}
	})
}

// Two labelled sentences, and what is said of a third that is broken.
func ExampleRead() {
	lines := `{"text": "good", "label": "pos"}
{"text": "bad", "label": "neg"}
`
	labels := &train.Labels{}
	data, _ := train.Read(strings.NewReader(lines), "train.jsonl", labels)
	for _, e := range data.Examples {
		fmt.Println(e.Text, e.Label, labels.Names()[e.Label])
	}
	_, err := train.Read(strings.NewReader(lines+`{"text": "so so"}`), "train.jsonl", labels)
	fmt.Println(err)
	// Output:
	// good 0 pos
	// bad 1 neg
	// train.jsonl:3: found no "label", want one as in the lines before
}
