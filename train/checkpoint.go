package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"peft/tensor"
	"peft/tensor/optim"
	"peft/tensor/safetensors"
)

// stateKey is where the metadata of a checkpoint has its state.
const stateKey = "train"

// A state is what a checkpoint holds beside tensors.
type state struct {
	Step    int            `json:"step"`
	Loss    float64        `json:"loss"`
	Tokens  int            `json:"tokens"`
	Seconds float64        `json:"seconds"`
	Evals   []Eval         `json:"evals"`
	Best    bool           `json:"best"`    // the parameters of the best evaluation are there
	Updates map[string]int `json:"updates"` // how often each parameter was updated
	Order   order          `json:"order"`
}

func (r *run) state() state {
	return state{
		Step: r.result.Steps, Loss: r.result.Loss, Tokens: r.result.Tokens, Seconds: r.result.Seconds, Evals: r.result.Evals, Best: r.best != nil,
		Updates: r.opt.Steps(), Order: *r.order,
	}
}

// live are all the tensors of a checkpoint with their keys.
func (r *run) live() (all []optim.Param) {
	add := func(kind string, list ...optim.Param) {
		for _, x := range list {
			all = append(all, optim.Param{Name: kind + "/" + x.Name, Value: x.Value})
		}
	}
	for x := range r.Patch.Params() {
		add("param", tensors(x)...)
	}
	for name, m := range r.opt.Moments() {
		add("moment", optim.Param{Name: name, Value: m})
	}
	for h := range hooks[Stepper](r.Patch) {
		add("state", h.State(r.Patch)...)
	}
	add("best", r.best...)
	return all
}

// save writes the checkpoint, if there is one to write and it is not there yet. A run that has done nothing leaves the file alone.
func (r *run) save() error {
	if r.Checkpoint == "" || r.saved == r.result.Steps {
		return nil
	}
	text, err := json.Marshal(r.state())
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	var all []safetensors.Tensor
	for _, x := range r.live() {
		all = append(all, exact(x.Name, x.Value))
	}
	if err := os.MkdirAll(filepath.Dir(r.Checkpoint), 0o777); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := safetensors.Write(r.Checkpoint, all, map[string]string{stateKey: string(text)}); err != nil {
		return fmt.Errorf("checkpoint after step %d: %w", r.result.Steps, err)
	}
	r.saved = r.result.Steps
	return nil
}

// exact is a tensor as F32 if that holds its numbers exactly, else as F64.
func exact(key string, t *tensor.Tensor) safetensors.Tensor {
	wide := t.Float64s()
	narrow := make([]float32, len(wide))
	for i, x := range wide {
		narrow[i] = float32(x)
		if float64(narrow[i]) != x {
			return safetensors.F64(key, t.Shape(), wide)
		}
	}
	return safetensors.F32(key, t.Shape(), narrow)
}

// resume takes the state of the checkpoint over, if the run is to and there is one.
func (r *run) resume() error {
	if !r.Resume {
		return nil
	}
	f, err := safetensors.Open(r.Checkpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	defer f.Close()
	if err := r.load(f); err != nil {
		return fmt.Errorf("resume from %s: %w", r.Checkpoint, err)
	}
	return nil
}

// load takes a checkpoint over. What does not fit is an error, before any parameter has changed.
func (r *run) load(f *safetensors.File) error {
	var s state
	if err := json.Unmarshal([]byte(f.Metadata()[stateKey]), &s); err != nil {
		return fmt.Errorf("not a checkpoint of this package: %w", err)
	}
	if err := r.fits(s); err != nil {
		return err
	}
	if err := r.opt.Resume(s.Updates); err != nil {
		return err
	}
	if s.Best {
		r.copies()
	}
	values, err := r.values(f)
	if err != nil {
		return err
	}
	for _, x := range r.live() {
		x.Value.Assign(values[x.Name])
	}
	r.result = Result{Steps: s.Step, Loss: s.Loss, Evals: s.Evals, Tokens: s.Tokens, Seconds: s.Seconds}
	r.saved = s.Step
	return nil
}

// fits returns how the run differs from the one that the state is of.
func (r *run) fits(s state) error {
	was, err := json.Marshal(s.Order)
	if err != nil {
		return err
	}
	is, err := json.Marshal(r.order)
	switch {
	case err != nil:
		return err
	case s.Step < 0 || s.Tokens < 0:
		return fmt.Errorf("found step %d and %d tokens, want no negative number", s.Step, s.Tokens)
	case string(was) != string(is):
		return fmt.Errorf("found examples taken as %s, want %s", was, is)
	}
	return nil
}

// values are the numbers of all tensors of the run, which must be those of the file.
func (r *run) values(f *safetensors.File) (map[string][]float64, error) {
	values := map[string][]float64{}
	for _, x := range r.live() {
		v, err := read(f, x.Name, x.Value.Shape())
		if err != nil {
			return nil, err
		}
		values[x.Name] = v
	}
	for _, key := range f.Names() {
		if _, ok := values[key]; !ok {
			return nil, fmt.Errorf("found a tensor %q, want none of that name", key)
		}
	}
	return values, nil
}

// read is the numbers of one tensor of a file.
func read(f *safetensors.File, key string, shape []int) ([]float64, error) {
	t, ok := f.Tensor(key)
	switch {
	case !ok:
		return nil, fmt.Errorf("found no tensor %q, want one of shape %v", key, shape)
	case !slices.Equal(t.Shape, shape):
		return nil, fmt.Errorf("%q has shape %v, want %v", key, t.Shape, shape)
	}
	return t.Float64s()
}
