package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"text/tabwriter"

	"peft/examples/internal/cli"
	"peft/models"
	"peft/models/tokenizer"
	"peft/peft"
	"peft/tensor"
)

// leastText is how many tokens a text must have room for: one between special ones.
const leastText = 3

// answer classifies a text and prints the probability of each label.
func answer(e cli.Env, p predictor, o options) error {
	if p.model.Task() != models.SequenceClassification {
		return errors.New("predict: -text needs a classifier of texts: a model with such a head, or an adapter that brings one")
	}
	t, err := tokenizer.Open(o.model)
	if err != nil {
		return err
	}
	limit := p.model.Limits().Positions - p.taken()
	if limit < leastText {
		return fmt.Errorf("predict: the adapters take %d of the model's %d positions, which leaves no room for a text", p.taken(), p.model.Limits().Positions)
	}
	text, err := t.Encode(o.text, tokenizer.MaxLength(limit))
	if err != nil {
		return err
	}
	b, err := models.Pack(p.model.Unwrap(), models.Sequence{IDs: text.IDs, Types: text.Types})
	if err != nil {
		return err
	}
	pass := peft.With(p.dev, p.patches...).NoGrad()
	defer pass.Close()
	probabilities := tensor.Softmax(p.model.Forward(pass, b)).Float64s()
	return show(e, p.names(o), probabilities, o.json)
}

// names are those of the classes: the last adapter's, else the model's.
func (p predictor) names(o options) []string {
	if names := cli.Labels(o.adapters...); names != nil {
		return names
	}
	return p.model.Config.Names()
}

func show(e cli.Env, names []string, probabilities []float64, asJSON bool) error {
	byName := map[string]float64{}
	w := tabwriter.NewWriter(e.Out, 0, 0, 2, ' ', 0)
	for i, x := range probabilities {
		name := strconv.Itoa(i)
		if i < len(names) {
			name = names[i]
		}
		byName[name] = x
		fmt.Fprintf(w, "%s\t%.4f\n", name, x)
	}
	if asJSON {
		return json.NewEncoder(e.Out).Encode(map[string]any{"labels": byName})
	}
	return w.Flush()
}
