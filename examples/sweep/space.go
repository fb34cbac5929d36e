package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"peft/examples/internal/cli"
	"peft/models"
	"peft/peft"
)

// A trial is a setting that is tried.
type trial struct {
	number int
	point  []value // one of each axis
	config map[string]any
	method peft.Method
	rate   float64
}

// usual are ranges of the learning rate, and fields that are worth varying, by method.
var usual = map[string]struct{ lr, field, values string }{
	"full": {lr: "3e-5:1e-3"}, "head": {lr: "1e-3:1e-1"},
	"lora": {field: "r", values: "2,4,8,16,32"}, "dora": {field: "r", values: "2,4,8,16,32"},
	"adapter": {field: "reduction_factor", values: "4,8,16,32"}, "parallel": {field: "reduction_factor", values: "2,4,8,16"},
	"prefix": {field: "num_virtual_tokens", values: "5,10,20,40"}, "prompt": {field: "num_virtual_tokens", values: "5,10,20,40"},
	"fish": {field: "keep", values: "0.002,0.005,0.01"}, "ia3": {lr: "1e-3:1e-1"},
}

// axes are those that the flags ask for, the learning rate first. Where they ask for nothing, the usual ones of the method.
func (o options) axes(method string) (all []axis, err error) {
	add := func(name, field, text string) {
		if err != nil || text == "" {
			return
		}
		var a axis
		a, err = parseAxis(name, field, text)
		all = append(all, a)
	}
	lr := usual[method].lr
	if lr == "" {
		lr = "3e-4:3e-2"
	}
	if o.lr != "" {
		lr = o.lr
	}
	add("lr", rate, lr)
	add("rank", "r", o.rank)
	add("alpha", "lora_alpha", o.alpha)
	add("where", "target_modules", o.where)
	for _, text := range o.vary {
		field, values, ok := strings.Cut(text, "=")
		if !ok || field == "" || values == "" {
			return nil, fmt.Errorf("-vary: found %q, expected FIELD=VALUES", text)
		}
		add("vary "+field, field, values)
	}
	if len(all) == 1 && usual[method].field != "" {
		add(usual[method].field, usual[method].field, usual[method].values)
	}
	return all, err
}

// spec is the configuration that -method names or holds.
func (o options) spec() (config map[string]any, name string, err error) {
	if !strings.HasPrefix(strings.TrimSpace(o.method), "{") {
		return map[string]any{"method": o.method}, o.method, nil
	}
	if err := json.Unmarshal([]byte(o.method), &config); err != nil {
		return nil, "", fmt.Errorf("-method: expected a name or a JSON object: %w", err)
	}
	name, err = peft.MethodName([]byte(o.method))
	if name == "" && err == nil {
		err = fmt.Errorf(`-method: found neither "method" nor "peft_type" in the configuration`)
	}
	return config, strings.ToLower(name), err
}

// draw makes the trials, drawn and understood before any is trained.
func (s *sweep) draw() error {
	base, name, err := s.spec()
	if err != nil {
		return err
	}
	if s.axes, err = s.options.axes(name); err != nil {
		return err
	}
	if _, said := base["head"]; !said && name != "full" && name != "head" && s.lesson.Model.Task() == models.SequenceClassification {
		base["head"] = true
	}
	for i, point := range settings(s.axes, s.options.trials, rand.New(rand.NewPCG(s.seed, 0x7377656570))) {
		t, err := s.trial(base, point)
		if err != nil {
			return err
		}
		t.number = i + 1
		s.trials = append(s.trials, t)
	}
	return nil
}

// trial is the method with a setting.
func (s *sweep) trial(base map[string]any, point []value) (t *trial, err error) {
	t = &trial{point: point, config: map[string]any{}}
	for k, v := range base {
		t.config[k] = v
	}
	for i, a := range s.axes {
		if a.field == rate {
			t.rate = point[i].json.(float64)
		} else {
			t.config[a.field] = point[i].json
		}
	}
	text, err := json.Marshal(t.config)
	if err != nil {
		return nil, err
	}
	t.method, err = cli.Method(text, s.model)
	return t, err
}
