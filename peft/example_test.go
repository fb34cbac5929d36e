package peft_test

import (
	"fmt"
	"os"
	"path/filepath"

	"peft/lora"
	"peft/peft"
	"peft/tensor"
)

// Tiny is a model: one linear map.
type Tiny struct{ Map peft.Linear }

// newTiny is a map that doubles two numbers.
func newTiny() *Tiny { return &Tiny{peft.LinearOf([]float32{2, 0, 0, 2}, nil, 2)} }

// run computes the model for one or more rows, each a sequence of its own.
func (m *Tiny) run(p *peft.Pass, rows ...float64) []float64 {
	n := len(rows) / 2
	x := p.Scope().Tensor(rows, n, 2).WithLayout(tensor.Singles(n))
	return m.Map.Apply(p, x).Float64s()
}

// patched is a patch of rank 1 that adds s times the first number to the second.
func patched(m *Tiny, s float64) *peft.Patch {
	q, err := peft.Attach(tensor.Reference(), m, lora.Config{Rank: 1, On: peft.Named("Map")}, 1)
	if err != nil {
		panic(err)
	}
	q.Param("Map/lora_A").Tensor().Assign([]float64{1, 0})
	q.Param("Map/lora_B").Tensor().Assign([]float64{0, s})
	return q
}

// A patch acts in the passes that it is on in, and nowhere else.
func ExampleWith() {
	m := newTiny()
	q := patched(m, 10)
	with, without := peft.With(q.Sites().Device(), q), peft.With(q.Sites().Device())
	defer with.Close()
	defer without.Close()
	fmt.Println(m.run(with, 1, 1), m.run(without, 1, 1))
	// Output: [2 12] [2 2]
}

// Each row of a mixed batch goes through its own patch.
func ExamplePass_Route() {
	m := newTiny()
	one, two := patched(m, 10), patched(m, 20)
	p := peft.With(one.Sites().Device(), one, two).Route([]int{1, -1, 0})
	defer p.Close()
	fmt.Println(m.run(p, 1, 1, 1, 1, 1, 1))
	// Output: [2 22 2 2 2 12]
}

// A merged patch holds new weights in place of the base's, which stays as it is.
func ExampleMerge() {
	m := newTiny()
	q := patched(m, 10)
	merged, err := peft.Merge(q.Sites().Device(), m, q)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(merged.Param("Map.weight").Tensor().Float64s())
	// Output: [2 0 10 2]
}

// What is saved in the layout of Hugging Face PEFT is loaded again.
func ExampleSave() {
	dir, err := os.MkdirTemp("", "peft")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	m := newTiny()
	q := patched(m, 10)
	if err := peft.Save(filepath.Join(dir, "adapter"), q, peft.Info{BaseModel: "tiny"}); err != nil {
		fmt.Println(err)
		return
	}
	_, report, err := peft.Load(q.Sites(), filepath.Join(dir, "adapter"))
	fmt.Println(report.Loaded, err)
	// Output: [base_model.model.Map.lora_A.weight base_model.model.Map.lora_B.weight] <nil>
}

// Predicates choose sites, and print as they are written.
func ExampleNamed() {
	query := peft.All(peft.OfType[*peft.Linear](), peft.Named("*.query", "*.value"), peft.Not(peft.Named("*.0.*")))
	fmt.Println(query)
	// Output: All(OfType[*peft.Linear](), Named(*.query, *.value), Not(Named(*.0.*)))
}
