package prefix

import (
	"cmp"
	"fmt"
	"slices"

	"peft/peft"
	"peft/tensor"
)

// A Multitask is multitask prompt tuning: virtual tokens E that several tasks share, each of which scales them elementwise by a matrix of low rank of its own,
//
//	rows of task t = E∘(cols[t]·rows[t]),  cols [V×R], rows [R×d].
//
// The pass says the task of each sequence, see [peft.Pass]. With an encoder and a decoder, both have V tokens of their own.
type Multitask struct {
	Prompt     // how many tokens, and how E starts
	Tasks  int // T, at least 1
	Ranks  int // R, at least 1

	Source     string // with Init from other tasks: a file of tensors as it is saved
	SourceTask int    // with ExactSourceTask: the task
}

// The names of the matrices in the files of Hugging Face PEFT.
const (
	colsKey = "prefix_task_cols"
	rowsKey = "prefix_task_rows"
)

// Attach puts the virtual tokens before the inputs.
func (c Multitask) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	p, err := newPrompt(s, c.Tokens, c.origin)
	if err != nil {
		return nil, err
	}
	m, err := c.scaled(p, rng)
	if err != nil {
		return nil, err
	}
	for i, st := range p.all {
		p.q.Prepend(st.input, ofTask{m, i * c.Tokens, (i + 1) * c.Tokens})
	}
	p.q.TrainModules(s.Modules(c.Save, c.Head))
	return p.q, nil
}

func (c Multitask) check() error {
	if c.fromTasks() && !c.saved && c.Tasks != 1 {
		return fmt.Errorf("prefix: Tasks is %d, Init %s starts one task from others", c.Tasks, c.Init)
	}
	return cmp.Or(within("Tasks", c.Tasks, 1, mostTasks), within("Ranks", c.Ranks, 1, mostTokens))
}

// fromTasks reports whether the rows start from those of other tasks.
func (c Multitask) fromTasks() bool {
	return c.Init == AverageSourceTasks || c.Init == ExactSourceTask || c.Init == OnlySourceShared
}

// scaled makes the parameters.
func (c Multitask) scaled(p *prompt, rng peft.Rand) (*scaled, error) {
	drawn := c.Prompt
	if c.fromTasks() {
		drawn.Init = Random
	}
	start, err := drawn.start(p.q.Sites(), p.rows(), p.Dim, rng)
	if err != nil {
		return nil, err
	}
	const std = 0.02
	cols, rows := peft.Normal(rng, c.Tasks*p.rows()*c.Ranks, std), peft.Normal(rng, c.Tasks*c.Ranks*p.Dim, std)
	m := &scaled{
		shared: newRows(p.q, "prompt", start, p.rows(), p.Dim),
		cols:   p.q.NewParam("prompt/"+colsKey, cols, c.Tasks, p.rows(), c.Ranks),
		rows:   p.q.NewParam("prompt/"+rowsKey, rows, c.Tasks, c.Ranks, p.Dim),
	}
	if c.fromTasks() && !c.saved {
		return m, c.load(m)
	}
	return m, nil
}

// scaled are the rows of all tasks.
type scaled struct {
	shared     flat
	cols, rows *peft.Param
}

// task is E∘(cols[t]·rows[t]).
func (m *scaled) task(p *peft.Pass, t int) *tensor.Tensor {
	type key struct {
		*scaled
		task int
	}
	return p.Once(key{m, t}, func() *tensor.Tensor {
		return tensor.Mul(m.shared.rows(p), tensor.MatMul(part(m.cols.In(p), t), part(m.rows.In(p), t)))
	})
}

// part is x[t] of x [T×n×m].
func part(x *tensor.Tensor, t int) *tensor.Tensor {
	n := x.Shape()[1]
	return tensor.Rows(tensor.Reshape(x, x.Rows(), x.Cols()), t*n, (t+1)*n)
}

// ofTask are rows lo to hi of each sequence's task as virtual tokens before it.
type ofTask struct {
	*scaled
	lo, hi int
}

// Taken is how many rows each sequence gets.
func (r ofTask) Taken() int { return r.hi - r.lo }

func (r ofTask) Forward(p *peft.Pass, t peft.Tap) peft.Prepended {
	tasks := r.tasks(p, t.X.Layout().Sequences())
	distinct := slices.Compact(slices.Sorted(slices.Values(tasks)))
	var each []*tensor.Tensor
	for _, t := range distinct {
		each = append(each, tensor.Rows(r.task(p, int(t)), r.lo, r.hi))
	}
	var idx []int32
	for _, t := range tasks {
		at, _ := slices.BinarySearch(distinct, t)
		for i := range r.hi - r.lo {
			idx = append(idx, int32(at*(r.hi-r.lo)+i))
		}
	}
	x := tensor.GatherRows(tensor.Stack(nil, each...), idx, nil)
	return peft.Prepended{X: tensor.Reshape(x, len(tasks), r.hi-r.lo, x.Cols()), Shift: r.hi - r.lo}
}

// tasks are those of the pass, or the only one that there is.
func (r ofTask) tasks(p *peft.Pass, sequences int) []int32 {
	known := r.cols.Tensor().Shape()[0]
	tasks := p.Tasks
	if tasks == nil && known == 1 {
		tasks = make([]int32, sequences)
	}
	if len(tasks) != sequences {
		panic(&tensor.ShapeError{Op: "Multitask", Got: fmt.Sprintf("%d tasks for %d sequences", len(tasks), sequences), Want: "the task of each sequence, in Pass.Tasks"})
	}
	for _, t := range tasks {
		if t < 0 || int(t) >= known {
			panic(&tensor.ShapeError{Op: "Multitask", Got: fmt.Sprintf("task %d", t), Want: fmt.Sprintf("a task below %d", known)})
		}
	}
	return tasks
}
