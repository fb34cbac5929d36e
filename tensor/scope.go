package tensor

// A Scope is the memory of a computation. A tensor made from tensors of a scope belongs to it (to the innermost one, if they differ), and closing the scope frees
// what no gradient needs any more. A scope is used by one goroutine at a time.
type Scope struct {
	dev    *Device
	parent *Scope
	depth  int
	noGrad bool
	wanted bool      // something that wants a gradient was used
	used   []*Tensor // with noGrad: results of recorded operations that were used
	ended  bool      // what it made is its parent's now
	read   storages  // nil but while a checkpoint runs in it: what is read
	owned  []*storage
	kept   []*storage // made in inner scopes; only nodes hold them
}

// NewScope is a scope on a device. Close it when the step is done.
func NewScope(d *Device) *Scope { return &Scope{dev: d} }

// Device is where the scope's tensors live.
func (s *Scope) Device() *Device { return s.dev }

// NoGrad makes the scope record nothing, so that each tensor is freed as soon as its block ends. It returns the scope.
func (s *Scope) NoGrad() *Scope {
	s.noGrad = true
	return s
}

// Close frees everything made in the scope, also what a Backward that never ran would have needed.
func (s *Scope) Close() {
	for _, all := range [...][]*storage{s.owned, s.kept} {
		for _, st := range all {
			st.free()
		}
	}
	s.owned, s.kept = nil, nil
}

// Tensor makes a tensor in the scope with the given values; no values mean zeros.
func (s *Scope) Tensor(values []float64, shape ...int) *Tensor {
	t := s.empty(shape)
	if values == nil {
		s.dev.Fill(t.mat(), 0)
		return t
	}
	if len(values) != t.Len() {
		panic(&ShapeError{Op: "Tensor", Got: sprint(len(values)) + " values", Want: sprint(t.Len()) + " for shape " + sprint(shape)})
	}
	t.Assign(values)
	return t
}

// Use is a parameter or constant as an operand inside the scope: what is made of it belongs to the scope.
func (s *Scope) Use(t *Tensor) *Tensor {
	u := *t
	u.scope = s
	if s.noGrad {
		s.note([]*Tensor{t})
		u.node, u.param = nil, nil
	}
	return &u
}

// root is the outermost scope around s.
func (s *Scope) root() *Scope {
	for s != nil && s.parent != nil {
		s = s.parent
	}
	return s
}

// note remembers, in a scope that records nothing, what a recording one would have let gradients flow to: a checkpoint hands them on.
func (s *Scope) note(inputs []*Tensor) {
	s.reads(inputs)
	for _, x := range inputs {
		if x != nil && x.Wants() {
			s.wanted = true
			s.used = append(s.used, x)
		}
	}
}

// reads remembers what is read while a checkpoint runs.
func (s *Scope) reads(inputs []*Tensor) {
	if s == nil || s.read == nil {
		return
	}
	for _, x := range inputs {
		if x != nil {
			s.read[x.data] = true
		}
	}
}

// watch lets the scope and those around it remember what is read; the function that it returns ends that.
func (s *Scope) watch(set storages) (end func()) {
	if s == nil {
		return func() {}
	}
	before, outer := s.read, s.parent.watch(set)
	s.read = set
	return func() {
		s.read = before
		outer()
	}
}

// storages is a set of them.
type storages map[*storage]bool

// held holds those that are still alive, but for some, and lists them.
func (set storages) held(but []*storage) (all []*storage) {
	for _, st := range but {
		delete(set, st)
	}
	for st := range set {
		if st.buf != nil {
			st.hold()
			all = append(all, st)
		}
	}
	return all
}

// empty is a tensor of the scope with arbitrary values.
func (s *Scope) empty(shape []int) *Tensor {
	st := &storage{dev: s.dev, buf: s.dev.Alloc(size(shape)), holds: 1}
	s.owned = append(s.owned, st)
	t := s.dev.wrap(st, shape)
	t.scope = s
	return t
}

// output is an uninitialised result of an operation on the operands: in their innermost scope, with the layout of the first operand that has one.
func output(shape []int, operands ...*Tensor) *Tensor {
	s, d := innermost(operands)
	var t *Tensor
	if s != nil {
		t = s.empty(shape)
	} else {
		t = d.empty(shape)
	}
	for _, x := range operands {
		if x != nil && x.layout != nil && x.Rows() == t.Rows() {
			t.layout = x.layout
			break
		}
	}
	return t
}

func innermost(operands []*Tensor) (s *Scope, d *Device) {
	for _, x := range operands {
		if x == nil {
			continue
		}
		d = x.Device()
		if x.scope != nil && (s == nil || x.scope.depth > s.depth) {
			s = x.scope
		}
	}
	for s != nil && s.ended {
		s = s.parent
	}
	return s, d
}
