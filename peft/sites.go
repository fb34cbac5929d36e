package peft

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"reflect"
	"strconv"
	"strings"

	"peft/tensor"
)

// Sites are the sites and parameters of one model, in the order of its fields, for one device.
type Sites struct {
	model  any
	dev    *tensor.Device
	list   []Site
	byName map[string]Site
	params []*Frozen
}

// FindSites walks the exported fields of a model, as encoding/json does, and names each site by the path of field names, or of `name:"…"` tags where there are any. A tag may hold
// dots; "-" leaves the field out; an embedded struct without a tag adds nothing to the path. A model may list its sites itself by a method Sites() iter.Seq2[string, peft.Site].
func FindSites(d *tensor.Device, model any) (*Sites, error) {
	s := &Sites{model: model, dev: d, byName: map[string]Site{}}
	if own, ok := model.(interface {
		Sites() iter.Seq2[string, Site]
	}); ok {
		for name, site := range own.Sites() {
			if err := s.add(name, -1, site); err != nil {
				return nil, err
			}
		}
		return s, nil
	}
	if err := s.walk(reflect.ValueOf(model), "", -1); err != nil {
		return nil, fmt.Errorf("peft: sites of %T: %w", model, err)
	}
	if len(s.list) == 0 {
		return nil, fmt.Errorf("peft: %T has no sites: exported fields of type peft.Linear and the like, reached by pointer", model)
	}
	return s, nil
}

// Device is where patches of the model have their parameters.
func (s *Sites) Device() *tensor.Device { return s.dev }

// Model is the model itself.
func (s *Sites) Model() any { return s.model }

// All yields the sites in order.
func (s *Sites) All() iter.Seq[Site] { return func(yield func(Site) bool) { each(s.list, yield) } }

// Params yields the model's parameters in order, tied ones once, absent ones not.
func (s *Sites) Params() iter.Seq[*Frozen] {
	return func(yield func(*Frozen) bool) { each(s.params, yield) }
}

func each[T any](list []T, yield func(T) bool) {
	for _, x := range list {
		if !yield(x) {
			return
		}
	}
}

// Find is the site of a name, nil if there is none.
func (s *Sites) Find(name string) Site { return s.byName[name] }

// ModelType is the word for the model's architecture in Hugging Face's configurations ("bert"), empty where the model does not say.
func (s *Sites) ModelType() string {
	if m, ok := s.model.(interface{ ModelType() string }); ok {
		return m.ModelType()
	}
	return ""
}

// Count is the number of numbers in all parameters.
func (s *Sites) Count() (n int) {
	for _, f := range s.params {
		n += f.Len()
	}
	return n
}

// Hash tells this model from others, whatever its head: it is made of the names and shapes of all other parameters and of the first bytes of their numbers, as they are stored. It is empty
// for a model of shapes alone, and for a quantised one, whose numbers are not those of its file.
func (s *Sites) Hash() string {
	h, head := sha256.New(), s.head()
	for _, f := range s.params {
		switch {
		case head[f.Name] != nil:
			continue
		case f.W == nil || f.W.Type() == tensor.I8:
			return ""
		}
		data, _ := f.W.Data()
		fmt.Fprintf(h, "%s %v %v\n", f.Name, f.Shape, f.W.Type())
		h.Write(data[:min(len(data), hashed)])
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// hashed is how many bytes of a parameter its model's hash is made of.
const hashed = 1 << 16

// of are the sites of one type.
func of[T Site](s *Sites) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, x := range s.list {
			if t, ok := x.(T); ok && !yield(t) {
				return
			}
		}
	}
}

// Linears yields the linear sites in order.
func (s *Sites) Linears() iter.Seq[*Linear] { return of[*Linear](s) }

// Norms yields the normalisations in order.
func (s *Sites) Norms() iter.Seq[*Norm] { return of[*Norm](s) }

// Attentions yields the attention sites in order.
func (s *Sites) Attentions() iter.Seq[*Attention] { return of[*Attention](s) }

// Sublayers yields the sublayers in order.
func (s *Sites) Sublayers() iter.Seq[*Sublayer] { return of[*Sublayer](s) }

var (
	siteType   = reflect.TypeFor[Site]()
	frozenType = reflect.TypeFor[*Frozen]()
)

func (s *Sites) walk(v reflect.Value, path string, layer int) error {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return s.pointed(v, path, layer)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := s.walk(v.Index(i), join(path, strconv.Itoa(i)), max(layer, i)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		if v.CanAddr() && v.Addr().Type().Implements(siteType) {
			return s.add(path, layer, v.Addr().Interface().(Site))
		}
		return s.fields(v, path, layer)
	}
	return nil
}

func (s *Sites) pointed(v reflect.Value, path string, layer int) error {
	switch {
	case v.IsNil():
		return nil
	case v.Type() == frozenType:
		s.param(v.Interface().(*Frozen), path)
		return nil
	}
	return s.walk(v.Elem(), path, layer)
}

func (s *Sites) fields(v reflect.Value, path string, layer int) error {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("name")
		switch {
		case tag == "-":
			continue
		case !f.IsExported() && !f.Anonymous:
			if holdsSite(f.Type) {
				return fmt.Errorf("field %s of %s is not exported, so its sites cannot be patched", f.Name, t)
			}
			continue
		case !tagged && !f.Anonymous:
			tag = f.Name
		}
		if err := s.walk(v.Field(i), join(path, tag), layer); err != nil {
			return err
		}
	}
	return nil
}

// holdsSite reports whether a field of the type is a site, or a pointer to or slice of one.
func holdsSite(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && reflect.PointerTo(t).Implements(siteType)
}

// add lists a site under a name. A site seen before keeps its standing, so that several goroutines may look at one model.
func (s *Sites) add(name string, layer int, x Site) error {
	b := x.base()
	switch at := b.at.Load(); {
	case s.byName[name] != nil:
		return fmt.Errorf("two sites are named %q", name)
	case at == nil:
		b.at.Store(&standing{name, layer, b})
	case at.owner != b:
		return fmt.Errorf("%q is a copy of the site %q: hold blocks by pointer", name, at.name)
	}
	s.list = append(s.list, x)
	s.byName[name] = x
	for _, f := range x.Frozen() {
		s.param(f, name)
	}
	return nil
}

// param lists a parameter once, if the model has it.
func (s *Sites) param(f *Frozen, name string) {
	if f.Name == "" {
		f.Name = name
	}
	if f.Absent {
		return
	}
	for _, g := range s.params {
		if f == g {
			return
		}
	}
	s.params = append(s.params, f)
}

func join(path, name string) string {
	return strings.Trim(path+"."+name, ".")
}
