package peft

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"peft/tensor/safetensors"
)

// A folder is the files of a saved patch, by name.
type folder struct {
	configs map[string]map[string]any
	weights map[string][]safetensors.Tensor
}

// write writes the files into a directory.
func (f folder) write(dir string) error {
	for name, c := range f.configs {
		if err := WriteJSON(filepath.Join(dir, name), c); err != nil {
			return err
		}
	}
	for name, w := range f.weights {
		if err := safetensors.Write(filepath.Join(dir, name), w, map[string]string{"format": "pt"}); err != nil {
			return err
		}
	}
	return nil
}

// files are opened files of tensors, which count as one.
type files []*safetensors.File

// openFiles opens the files of tensors in the folder of a patch. In a folder of AdapterHub's library a head may be among them: then the patch trains the head.
func (q *Patch) openFiles(dir string) (w files, err error) {
	names := []string{WeightsFile}
	_, hub := q.method.(HubMethod)
	if hub {
		names = []string{HubWeightsFile}
		if _, err := os.Stat(filepath.Join(dir, HubHeadFile)); err == nil {
			q.TrainHead()
			names = append(names, HubHeadFile)
		}
	}
	for _, n := range names {
		f, err := safetensors.Open(filepath.Join(dir, n))
		if err != nil {
			return nil, errors.Join(unreadable(dir, n, err), w.close())
		}
		w = append(w, f)
	}
	if hub {
		q.trainHeld(w)
	}
	return w, nil
}

// unreadable adds to an error what a folder holds in place of a missing file.
func unreadable(dir, name string, err error) error {
	pickle := map[string]string{WeightsFile: "adapter_model.bin", HubWeightsFile: "pytorch_adapter.bin"}[name]
	if _, there := os.Stat(filepath.Join(dir, pickle)); errors.Is(err, fs.ErrNotExist) && pickle != "" && there == nil {
		return errors.New(filepath.Join(dir, pickle) + " is a pickle, which may run code when it is read: save it as " + name)
	}
	return err
}

func (w files) close() error {
	var all []error
	for _, f := range w {
		all = append(all, f.Close())
	}
	return errors.Join(all...)
}

// find is the tensor of the first of the names that there is.
func (w files) find(names ...string) (safetensors.Tensor, bool) {
	for _, n := range names {
		for _, f := range w {
			if t, ok := f.Tensor(n); ok {
				return t, true
			}
		}
	}
	return safetensors.Tensor{}, false
}

func (w files) names() (all []string) {
	for _, f := range w {
		all = append(all, f.Names()...)
	}
	return all
}
