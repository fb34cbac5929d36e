package train_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/train"
)

func read(text string, labels *train.Labels) (*train.Data, error) {
	return train.Read(strings.NewReader(text), "train.jsonl", labels)
}

func TestLabelsAreNumberedAsTheyAppear(t *testing.T) {
	labels := &train.Labels{}
	d, err := read(`{"text":"a","label":"pos"}`+"\n"+`{"text":"b","label":"neg"}`+"\n"+`{"text":"c","label":"pos"}`, labels)
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 0}, classes(d))
	require.Equal(t, []string{"pos", "neg"}, labels.Names())
	require.Equal(t, 2, labels.Count())

	labels.Close()
	d, err = read(`{"text":"d","label":"neg"}`, labels)
	require.NoError(t, err)
	require.Equal(t, []int{1}, classes(d))
	_, err = read(`{"text":"d","label":"neutral"}`, labels)
	require.EqualError(t, err, `train.jsonl:1: label "neutral" does not occur in the data to train on, which has 2 labels`)
}

func TestIntegersAreTheirOwnClasses(t *testing.T) {
	labels := &train.Labels{}
	d, err := read(`{"text":"a","label":2}`+"\n"+`{"text":"b","label":0}`, labels)
	require.NoError(t, err)
	require.Equal(t, []int{2, 0}, classes(d))
	require.Equal(t, 3, labels.Count())
	require.Empty(t, labels.Names())
}

func TestNamesOfTheModelComeFirst(t *testing.T) {
	d, err := read(`{"text":"a","label":"b"}`+"\n"+`{"text":"b","label":0}`, train.NewLabels("a", "b"))
	require.NoError(t, err)
	require.Equal(t, []int{1, 0}, classes(d))
}

func TestLabelsThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"text":"a","label":2}`:                                     "label 2 is out of range, want 0 to 1",
		`{"text":"a","label":-1}`:                                    "label -1 is out of range, want 0 to 1",
		`{"text":"a","label":1.5}`:                                   `"label" is 1.5, want an integer or a string`,
		`{"text":"a","label":true}`:                                  `"label" is true, want an integer or a string`,
		`{"text":"a","label":[1]}`:                                   `"label" is [1], want an integer or a string`,
		`{"text":"a","label":"x"}` + "\n" + `{"text":"a","label":1}`: "label 1 is an integer, want a string as in the lines before",
		`{"text":"a","label":1}` + "\n" + `{"text":"a","label":"x"}`: `label "x" is a string, want an integer as in the lines before`,
		`{"text":"a","label":"x"}` + "\n" + `{"text":"a","label":"y"}` + "\n" + `{"text":"a","label":"z"}`: `label "z" is one more than the 2 classes of the model`,
	} {
		_, err := read(text, &train.Labels{Max: 2})
		require.ErrorContains(t, err, want)
	}
}

func classes(d *train.Data) (ids []int) {
	for _, e := range d.Examples {
		ids = append(ids, e.Label)
	}
	return ids
}
