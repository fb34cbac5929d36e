package peft

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"peft/tensor"
	"peft/tensor/safetensors"
)

// A Report says what became of each key of a file that was loaded.
type Report struct {
	Loaded     []string
	Missing    []string // parameters of the patch that the file does not hold; they keep their first values
	Unexpected []string // keys of the file that the patch has no parameter for
}

// Load attaches the patch that a folder holds to a model. A tensor whose shape does not fit is an error; keys that are missing or unexpected are reported, and if nothing at all
// fits that is an error too. The packages of the methods must be imported, see [Register]. A folder with a [SetupFile] is a composition of the patches in its subfolders.
func Load(s *Sites, dir string) (*Patch, Report, error) {
	if IsComposition(dir) {
		return loadComposition(s, dir)
	}
	config, err := ReadConfig(dir)
	if err != nil {
		return nil, Report{}, err
	}
	m, err := DecodeMethod(config)
	if err != nil {
		return nil, Report{}, fmt.Errorf("%s: %w", dir, err)
	}
	if f, ok := m.(Filed); ok {
		m = f.Filed()
	}
	if m, err = restore(m, dir); err != nil {
		return nil, Report{}, fmt.Errorf("%s: %w", dir, err)
	}
	q, err := AttachTo(s, m, 0)
	if err != nil {
		return nil, Report{}, fmt.Errorf("%s: %w", dir, err)
	}
	if _, hub := m.(HubMethod); hub {
		q.said = config
	}
	w, err := q.openFiles(dir)
	if err != nil {
		return nil, Report{}, fmt.Errorf("peft: %w", err)
	}
	defer w.close()
	r, err := q.assign(w)
	if err != nil {
		return nil, r, fmt.Errorf("peft: load %s: %w", dir, err)
	}
	if _, hub := q.method.(HubMethod); hub {
		r.Unexpected = s.disregard(r.Unexpected)
	}
	return q, r, nil
}

// A Filed method may be in a file what it may not be afresh, where its parameters would have to be made and a mistake is likelier than a wish.
type Filed interface {
	Method
	// Filed is the method whose parameters a file gives.
	Filed() Method
}

// A Restorer is a method that finds in its file what it would otherwise choose anew, such as which entries are trained.
type Restorer interface {
	Method
	// Restore is the method that chooses as the file says.
	Restore(w *safetensors.File) (Method, error)
}

func restore(m Method, dir string) (Method, error) {
	r, ok := m.(Restorer)
	if !ok {
		return m, nil
	}
	w, err := safetensors.Open(filepath.Join(dir, WeightsFile))
	if err != nil {
		return nil, fmt.Errorf("peft: %w", err)
	}
	defer w.Close()
	return r.Restore(w)
}

// assign gives the parameters the values that files hold.
func (q *Patch) assign(w files) (r Report, err error) {
	used, names := map[string]bool{}, q.namer(w)
	for key, x := range q.Keyed {
		candidates := names(q.valuesKey(x, key), x)
		t, ok := w.find(candidates...)
		for _, n := range candidates {
			used[n] = true
		}
		if !ok {
			r.Missing = append(r.Missing, key)
			continue
		}
		if err := errors.Join(q.read(x, t), q.placed(x, key, w)); err != nil {
			return r, err
		}
		for _, t := range append(q.indices(x, key), q.copies(x)...) {
			used[t.Name] = true
		}
		r.Loaded = append(r.Loaded, key)
	}
	for _, n := range w.names() {
		if !used[n] {
			r.Unexpected = append(r.Unexpected, n)
		}
	}
	if len(r.Loaded) == 0 {
		return r, fmt.Errorf("no tensor of the file fits: it holds %s, expected %s", some(r.Unexpected), some(r.Missing))
	}
	return r, nil
}

// namer lists the names under which files may hold a parameter. In the format of AdapterHub's library that of a model with a head begins with the base's prefix and that of a model
// without one does not; either fits the other.
func (q *Patch) namer(w files) func(key string, x *Param) []string {
	withPrefix := map[string]string{}
	_, hub := q.method.(HubMethod)
	if hub {
		for _, n := range w.names() {
			_, short, _ := strings.Cut(n, ".")
			withPrefix[short] = n
		}
	}
	return func(key string, x *Param) []string {
		names := append([]string{key, strings.TrimPrefix(key, Wrapper)}, append(q.Aliases(x), q.twins(x)...)...)
		if _, short, ok := strings.Cut(key, "."); hub && ok {
			names = append(names, short)
		}
		if n := withPrefix[key]; n != "" {
			names = append(names, n)
		}
		return names
	}
}

// read gives a parameter the values of a tensor of a file.
func (q *Patch) read(x *Param, t safetensors.Tensor) error {
	if shape := q.AsStored(x, x.Tensor()).Shape(); !slices.Equal(t.Shape, shape) {
		return fmt.Errorf("%s has shape %v, expected %v", t.Name, t.Shape, shape)
	}
	v, err := t.Float64s()
	if err != nil {
		return err
	}
	if q.transposed[x] {
		v = tensor.Transpose(x.Tensor().Device().Constant(v, t.Shape...)).Float64s()
	}
	x.Tensor().Assign(v)
	return nil
}

// some lists a few names.
func some(names []string) string {
	sort.Strings(names)
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + fmt.Sprintf(" and %d more", len(names)-3)
	}
	return strings.Join(names, ", ")
}
