package models

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"peft/internal/atomicfile"
	"peft/peft"
	"peft/tensor"
	"peft/tensor/safetensors"
)

// Export writes the model as a folder that transformers loads, with the values that the merged patch has in place of the base's: see peft.Merge. What did not change keeps its type,
// what did is F32, and so are int8 matrices, which transformers does not read. The tokenizer's files go along. The folder is written whole or not at all.
func (m *Opened) Export(dir string, merged *peft.Patch) error {
	if m.Options.Layers != nil {
		return fmt.Errorf("models: export: a folder cannot say that a model has the layers %v", m.Options.Layers)
	}
	config, err := m.exportConfig()
	if err != nil {
		return err
	}
	tensors, added, err := m.exportTensors(merged)
	if err != nil {
		return err
	}
	if tensors, err = m.admit(config, added, tensors); err != nil {
		return err
	}
	return atomicfile.WriteDir(dir, func(tmp string) error {
		if err := peft.WriteJSON(filepath.Join(tmp, "config.json"), config); err != nil {
			return err
		}
		if err := m.copyTokenizer(tmp); err != nil {
			return err
		}
		return safetensors.Write(filepath.Join(tmp, "model.safetensors"), tensors, map[string]string{"format": "pt"})
	})
}

// exportTensors are all parameters under their names in the class's checkpoint, and the names of those that the base has none of.
func (m *Opened) exportTensors(merged *peft.Patch) (all []safetensors.Tensor, added []string, err error) {
	written := map[string]bool{}
	for f := range merged.Sites().Params() {
		t, err := m.exported(f, merged.Param(f.Name))
		if err != nil {
			return nil, nil, fmt.Errorf("models: export %s: %w", f.Name, err)
		}
		written[f.Name] = true
		all = append(all, t)
	}
	for x := range merged.Params() {
		if !written[x.Name] {
			added = append(added, x.Name)
			all = append(all, safetensors.F32(x.Name, x.Tensor().Shape(), x.Tensor().Float32s()))
		}
	}
	return all, added, nil
}

// exported is a parameter with its merged value, if it has one.
func (m *Opened) exported(f *peft.Frozen, x *peft.Param) (safetensors.Tensor, error) {
	data, _ := f.W.Data()
	switch {
	case x != nil:
		return f32(f, x.Tensor().Float32s()), nil
	case f.W.Type() == tensor.I8 || f.Transposed:
		s := tensor.NewScope(tensor.Reference())
		defer s.Close()
		return f32(f, f.W.Dense(s).Float32s()), nil
	}
	for kind, t := range storages {
		if t == f.W.Type() {
			return safetensors.Tensor{Name: f.Name, DType: kind, Shape: f.Shape, Data: data}, nil
		}
	}
	return safetensors.Tensor{}, errors.New("its storage has no type in safetensors files")
}

// f32 is a parameter's new value, turned as the checkpoint has it.
func f32(f *peft.Frozen, v []float32) safetensors.Tensor {
	if !f.Transposed {
		return safetensors.F32(f.Name, f.Shape, v)
	}
	rows, cols := matrix(f.Shape)
	turned := make([]byte, 0, 4*len(v))
	for j := range cols {
		for i := range rows {
			turned = binary.LittleEndian.AppendUint32(turned, math.Float32bits(v[i*cols+j]))
		}
	}
	return safetensors.Tensor{Name: f.Name, DType: safetensors.Float32, Shape: []int{cols, rows}, Data: turned}
}

// exportConfig is config.json for the class of the model.
func (m *Opened) exportConfig() (map[string]any, error) {
	var c map[string]any
	d := json.NewDecoder(bytes.NewReader(m.raw))
	d.UseNumber()
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("models: config.json: %w", err)
	}
	c["architectures"] = []string{m.Class}
	delete(c, "quantization")
	if m.Options.Pool == MeanPool {
		c["pool"] = MeanPool
	}
	if n := m.Options.Labels; n != m.Config.Labels() || n == len(m.Names) {
		names, ids := map[string]string{}, map[string]int{}
		for i := range n {
			name := "LABEL_" + strconv.Itoa(i)
			if n == len(m.Names) {
				name = m.Names[i]
			}
			names[strconv.Itoa(i)], ids[name] = name, i
		}
		c["id2label"], c["label2id"] = names, ids
		delete(c, "num_labels")
	}
	return c, nil
}

// tokenizerFiles are those that a tokenizer may be kept in.
var tokenizerFiles = []string{
	"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "vocab.json", "merges.txt", "added_tokens.json", "chat_template.jinja", "generation_config.json",
}

func (m *Opened) copyTokenizer(dir string) error {
	for _, name := range tokenizerFiles {
		text, err := os.ReadFile(filepath.Join(m.Dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			return err
		}
	}
	return nil
}
