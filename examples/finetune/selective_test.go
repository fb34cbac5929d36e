package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/peft"
	"peft/tensor/safetensors"
)

// selective are methods that train what the base has, as cases of the own references name them.
var selective = map[string]string{
	"bitfit-bert-all":                     `{"method":"bitfit","head":false}`,
	"bitfit-bert-all-head":                `{"method":"bitfit"}`,
	"bitfit-bert-query_intermediate":      `{"method":"bitfit","terms":["query","intermediate"],"head":false}`,
	"bitfit-bert-query_intermediate-head": `{"method":"bitfit","terms":["query","intermediate"]}`,
	"bitfit-roberta-all-head":             `{"method":"bitfit"}`,
	"bitfit-gpt2-all":                     `{"method":"bitfit"}`,
	"bitfit-gpt2-query_intermediate":      `{"method":"bitfit","terms":["query","intermediate"]}`,
	"bitfit-llama-added":                  `{"method":"bitfit","add":true,"norms":false}`,
	"bitfit-llama-added-norms":            `{"method":"bitfit","add":true}`,
	"fish-bert-label-0.5":                 `{"method":"fish","head":false,"data":"DATA"}`,
	"fish-bert-label-0.5-head":            `{"method":"fish","data":"DATA"}`,
	"fish-bert-label-2":                   `{"method":"fish","keep":0.02,"head":false,"data":"DATA"}`,
	"fish-bert-label-2-head-decay":        `{"method":"fish","keep":0.02,"data":"DATA"}`,
	"fish-bert-expect-0.5":                `{"method":"fish","fisher":"expect","head":false,"data":"DATA"}`,
	"fish-bert-expect-2-head":             `{"method":"fish","fisher":"expect","keep":0.02,"data":"DATA"}`,
	"fish-bert-magnitude-2":               `{"method":"fish","fisher":"magnitude","keep":0.02,"head":false}`,
	"fish-gpt2-label-2":                   `{"method":"fish","keep":0.02,"data":"DATA"}`,
}

// TestSelective trains as the own references do.
func TestSelective(t *testing.T) {
	for name, method := range selective {
		t.Run(name, func(t *testing.T) {
			for _, c := range golden.Cases(t, "own", name) {
				tryTrajectory(t, c, "-method", strings.Replace(method, "DATA", c.Path("..", "..", "fisher", c.Model+"-data.safetensors"), 1))
			}
		})
	}
}

// TestChosenMask goes on from a folder that holds a mask which no seed of ours draws.
func TestChosenMask(t *testing.T) {
	c := golden.Cases(t, "own", "fish-bert-random-2")[0]
	base, dir := golden.Open(t, c.ModelDir()), t.TempDir()
	var all []safetensors.Tensor
	for x := range golden.Open(t, c.Path("mask.safetensors")).All() {
		places, err := x.Ints()
		require.NoError(t, err)
		w, _ := base.Tensor(x.Name)
		values, err := w.Float32s()
		require.NoError(t, err)
		chosen := make([]float32, len(places))
		for i, at := range places {
			chosen[i] = values[at]
		}
		all = append(all, safetensors.I64(x.Name+".indices", []int{len(places)}, places), safetensors.F32(x.Name+".values", []int{len(places)}, chosen))
	}
	require.NoError(t, safetensors.Write(filepath.Join(dir, peft.WeightsFile), all, nil))
	require.NoError(t, peft.WriteJSON(filepath.Join(dir, peft.ConfigFile), map[string]any{"method": "fish", "task_type": "SEQ_CLS", "base_model_name_or_path": nil}))
	tryTrajectory(t, c, "-init", dir)
}
