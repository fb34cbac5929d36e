package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"peft/examples/internal/cli"
	"peft/internal/plainjson"
	"peft/models"
	"peft/peft"
)

// A spec is what is asked to be trained: a configuration, or an adapter folder to go on with.
type spec struct {
	name   string
	config map[string]json.RawMessage
	init   string
}

// readSpec reads -method or -init.
func readSpec(o options) (*spec, error) {
	if o.init != "" {
		if peft.IsComposition(o.init) {
			return &spec{name: "composition", init: o.init}, nil
		}
		text, err := peft.ReadConfig(o.init)
		if err != nil {
			return nil, err
		}
		return newSpec(text, o.init)
	}
	text, err := methodText(o.method)
	if err != nil {
		return nil, err
	}
	return newSpec(text, "")
}

// methodText is the configuration that -method names, holds or points to. What is the name of a method is no path.
func methodText(method string) ([]byte, error) {
	if strings.HasPrefix(strings.TrimSpace(method), "{") {
		return []byte(method), nil
	}
	info, err := os.Stat(method)
	switch path := strings.ContainsAny(method, `/\.`); {
	case peft.Known(method) || err != nil && !path:
		return json.Marshal(map[string]string{"method": method})
	case err != nil:
		return nil, fmt.Errorf("-method: %w", err)
	case info.IsDir():
		return peft.ReadConfig(method)
	}
	return os.ReadFile(method)
}

func newSpec(text []byte, init string) (*spec, error) {
	s := &spec{init: init}
	if err := json.Unmarshal(text, &s.config); err != nil {
		return nil, fmt.Errorf("-method: expected a JSON object: %w", plainjson.Error(err))
	}
	name, err := peft.MethodName(text)
	if err != nil {
		return nil, fmt.Errorf("-method: %w", err)
	}
	if name == "" {
		return nil, errors.New(`-method: found neither "method" nor "peft_type" in the configuration, nor a "config" as AdapterHub's library has it`)
	}
	s.name = strings.ToLower(name)
	return s, nil
}

// rate is the learning rate that suits the method on small encoders.
func (s *spec) rate() float64 {
	if r, ok := rates[s.name]; ok && string(s.config["prefix_projection"]) != "true" {
		return r
	}
	return 2e-3
}

// rates are the learning rates of methods that 2e-3 does not suit: those with few numbers or small ones want more, networks and random maps of full rank less.
var rates = map[string]float64{
	"full": 2e-4, "last": 5e-4, "head": 1e-2, "ia3": 5e-2, "vera": 5e-2, "fourierft": 5e-2, "c3a": 2e-1, "boft": 2e-2, "loha": 1e-2, "lokr": 1e-2, "adalora": 1e-2, "oft": 3e-3, "hra": 1e-2, "road": 1e-2,
	"vblora": 1e-2, "delora": 1e-2, "hira": 1e-2, "randlora": 5e-4, "beft": 2e-2, "trainable_tokens": 1e-2, "loreft": 1e-2, "noreft": 5e-3, "direft": 1e-2,
	"compacter": 5e-3, "compacter++": 1e-2, "parallel": 2e-4, "par_bn": 2e-4, "mam": 2e-4, "unipelt": 1e-3,
	"prompt": 1e-1, "prompt_tuning": 1e-1, "p_tuning": 3e-3, "multitask_prompt_tuning": 1e-1,
	// rows that no network makes start far from anything, and AdamW moves each of their numbers by about the rate
	"prefix": 3e-2, "p_tuning_v2": 3e-2, "prefix_tuning_flat": 3e-2,
}

// options are those of a model that suits what is trained: its task, and for a new head the classes of the data.
func (s *spec) options(o options, c *models.Config, d *dataset) (want models.Options, err error) {
	if s.init != "" {
		if want, err = models.For(s.init); err != nil {
			return want, err
		}
	}
	want.Pool, want.Seed, want.Storage = cmp.Or(models.Pool(o.pool), want.Pool), o.train.Seed, models.Storage(o.quantize)
	if want.Class != "" {
		return want, nil
	}
	want.Task = cmp.Or(models.Task(o.task), want.Task, d.task())
	if s.init == "" && want.Task != c.HeadTask() {
		want.Labels, err = d.classes(o, want.Task, c)
	}
	return want, err
}

// withHead are the methods that train the head in any case.
var withHead = []string{"full", "head", "last"}

// attach makes the patch. A classifier's head is trained as well, unless the configuration says otherwise.
func (s *spec) attach(ctx context.Context, e cli.Env, j *job, o options) (*peft.Patch, error) {
	if s.init != "" {
		patches, err := cli.Load(e, j.dev, j.model, s.init)
		if err != nil {
			return nil, err
		}
		if patches[0].Copies() > 1 {
			return nil, fmt.Errorf("%s: adapters that are parallel are for predictions; they are trained one by one", s.init)
		}
		return patches[0], nil
	}
	if err := s.settleHead(j); err != nil {
		return nil, err
	}
	delete(s.config, "inference_mode") // the configuration of a folder is used, not what is saved there
	text, err := json.Marshal(s.config)
	if err != nil {
		return nil, err
	}
	m, err := cli.Method(text, o.model)
	switch {
	case err != nil && len(j.fresh) > 0:
		return nil, fmt.Errorf("%w (the model has no head for the task %s, and a fresh one is trained as modules_to_save)", err, j.model.Task())
	case err != nil:
		return nil, err
	}
	if m, err = j.estimate(ctx, e, m, o); err != nil {
		return nil, err
	}
	q, err := peft.Attach(j.dev, j.model.Unwrap(), m, o.train.Seed)
	if err != nil {
		return nil, err
	}
	return q, s.trainsHead(j, q)
}
