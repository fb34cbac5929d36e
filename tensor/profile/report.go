package profile

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A Report is where the time of a device goes. It may be read while the device computes.
type Report struct {
	mu  sync.Mutex
	ops map[key]*Op
}

// An Op is what was spent on one operation.
type Op struct {
	Name   string // as the backend calls it: "MulT" is a product with a frozen weight, "Mul" the product of its backward pass, "MatMul" one of two tensors
	Detail string // "2048×384×1536" for products [2048×384]·[384×1536], a function's name for functions
	Calls  int
	Time   time.Duration
	Flops  int // two for a multiplication with addition in products and attention
	Bytes  int // of all operands, each number that is read or written once
}

// A key is an operation, of a function or of the sizes of a product.
type key struct {
	name, of string
	m, k, n  int
}

// sizes is the key of a product [m×k]·[k×n].
func sizes(name string, m, k, n int) key { return key{name: name, m: m, k: k, n: n} }

func (k key) detail() string {
	if k.m+k.k+k.n > 0 {
		return fmt.Sprintf("%d×%d×%d", k.m, k.k, k.n)
	}
	return k.of
}

func (r *Report) add(s stroke, t time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	op := r.ops[s.key]
	if op == nil {
		op = &Op{Name: s.key.name, Detail: s.key.detail()}
		r.ops[s.key] = op
	}
	op.merge(Op{Calls: 1, Time: t, Flops: s.flops, Bytes: s.bytes})
}

// merge adds the numbers of another one.
func (o *Op) merge(x Op) {
	o.Calls += x.Calls
	o.Time += x.Time
	o.Flops += x.Flops
	o.Bytes += x.Bytes
}

// Reset forgets what was spent so far.
func (r *Report) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.ops)
}

// Ops are all operations by name and detail, those that took longest first.
func (r *Report) Ops() (all []Op) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, op := range r.ops {
		all = append(all, *op)
	}
	longestFirst(all)
	return all
}

// ByName are all operations by name alone, those that took longest first.
func (r *Report) ByName() (all []Op) {
	for _, op := range r.Ops() {
		i := slices.IndexFunc(all, func(x Op) bool { return x.Name == op.Name })
		if i < 0 {
			i, all = len(all), append(all, Op{Name: op.Name})
		}
		all[i].merge(op)
	}
	longestFirst(all)
	return all
}

// Total is the sum of all operations.
func (r *Report) Total() (sum Op) {
	for _, op := range r.Ops() {
		sum.merge(op)
	}
	return sum
}

func longestFirst(all []Op) {
	slices.SortFunc(all, func(a, b Op) int {
		return cmp.Or(-cmp.Compare(a.Time, b.Time), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Detail, b.Detail))
	})
}

// FlopRate is operations a second.
func (o Op) FlopRate() float64 { return rate(o.Flops, o.Time) }

// ByteRate is bytes a second.
func (o Op) ByteRate() float64 { return rate(o.Bytes, o.Time) }

func rate(n int, t time.Duration) float64 {
	if t <= 0 {
		return 0
	}
	return float64(n) / t.Seconds()
}
