package main

import "fmt"

const (
	tileRows = 7  // with tileCols 21 sums, which leaves 11 registers for the operands
	tileCols = 12 // three vectors
	line     = 64 // bytes of the cache
	steps    = 4  // of the depth at a time
)

const tileSignature = "func(c []float32, cr int, a []float32, ar, ac int, b []float32, br, next int, depth, n int, alpha, beta float32, bias, ahead []float32, stride int)"

// tiles writes a kernel for each number of rows of a tile.
func tiles(m *machine) {
	for r := 1; r <= tileRows; r++ {
		m.tile(r)
	}
}

// A tile is a kernel that multiplies a number of rows by panels of three vectors, one panel after the other.
type tile struct {
	*machine
	rows          int
	b, c, n, bias *reg
}

// tile writes the kernel for the given number of rows. Panels that are cut are done by four columns, two and one at a time.
func (m *machine) tile(rows int) {
	m.function(fmt.Sprint("tile", rows), tileSignature, fmt.Sprintf("multiplies %d rows by panels of columns, a tileFunc.", rows))
	t := tile{machine: m, rows: rows, b: m.base("b"), c: m.base("c"), n: m.arg("n"), bias: m.base("bias")}
	ahead := t.base("ahead")
	t.loop(t.n, tileCols, func() {
		t.fetch(ahead)
		t.columns(3, lanes)
		t.do("ADD $%d, %v", 4*tileCols, t.c)
		t.do("ADD $%d, %v", 4*tileCols, t.bias)
		t.do("ADD %v, %v", t.bytes("next"), t.b)
	})
	for _, width := range []int{4, 2, 1} {
		t.loop(t.n, width, func() {
			t.columns(1, width)
			for _, p := range []*reg{t.b, t.c, t.bias} {
				t.do("ADD $%d, %v", 4*width, p)
			}
		})
	}
	m.end()
}

// fetch brings a line of as many rows that will be read next to the second-level cache, and moves on along the rows.
func (t *tile) fetch(ahead *reg) {
	p, stride := t.integer(), t.bytes("stride")
	t.do("MOVD %v, %v", ahead, p)
	for range t.rows {
		t.do("PRFM %v, PLDL2KEEP", mem{p, 0})
		t.do("ADD %v, %v", stride, p)
	}
	t.do("ADD $%d, %v", line, ahead)
}

// columns multiplies all rows by so many vectors of a panel, whose first width lanes are there.
func (t *tile) columns(vectors, width int) {
	sums := t.zeros(t.rows * vectors)
	byColumns, end := t.label("byColumns"), t.label("summed")
	left, ac := t.arg("depth"), t.arg("ac")
	b := t.integer()
	t.do("MOVD %v, %v", t.b, b)
	br := t.bytes("br")
	t.when(ac, 1, "BNE", byColumns)
	t.sums(sums, vectors, width, t.byRows(), left, b, br)
	t.jump("B %s", end)
	t.mark(byColumns)
	t.do("LSL $2, %v, %v", ac, ac)
	t.sums(sums, vectors, width, &columns{tile: t, p: t.base("a"), ac: ac}, left, b, br)
	t.mark(end)
	t.write(sums, vectors, width)
}

// sums adds the products of all depth.
func (t *tile) sums(sums []*reg, vectors, width int, a left, depth, b, br *reg) {
	for _, n := range []int{steps, 1} {
		t.loop(depth, n, func() {
			a.load(n)
			for s := range n {
				a.step()
				panel := make([]*reg, vectors)
				for v := range panel {
					panel[v] = t.load(mem{b, 16 * v}, width)
				}
				t.do("ADD %v, %v", br, b)
				for i := range sums {
					x, lane := a.element(i/vectors, s)
					t.accumulateLane(sums[i], panel[i%vectors], x, lane)
				}
			}
		})
	}
}

// load is the vector at e, of whose lanes the first width are there.
func (t *tile) load(e mem, width int) *reg {
	v := t.vec()
	t.do(moves[width]+" %v, %v", e, v)
	return v
}

// moves are the instructions that move so many lanes.
var moves = [...]string{1: "FMOVS", 2: "FMOVD", 4: "FMOVQ"}

// A left is how a tile reads its left operand.
type left interface {
	// load reads so many steps ahead and moves on, or leaves that to step, which goes one step.
	load(steps int)
	step()
	// element is where the number of row i is, s steps on.
	element(i, s int) (x *reg, lane int)
}

// rows is a left operand whose rows are contiguous: a register holds numbers of a row.
type rows struct {
	*tile
	bases, numbers []*reg
}

func (t *tile) byRows() *rows {
	a := rows{tile: t, bases: []*reg{t.base("a")}, numbers: make([]*reg, t.rows)}
	ar := t.bytes("ar")
	for i := 1; i < t.rows; i++ {
		p := t.integer()
		t.do("ADD %v, %v, %v", ar, a.bases[i-1], p)
		a.bases = append(a.bases, p)
	}
	return &a
}

func (a *rows) load(steps int) {
	for i, p := range a.bases {
		a.numbers[i] = a.vec()
		a.do(moves[steps]+".P %v, %v", mem{p, 4 * steps}, a.numbers[i])
	}
}

func (a *rows) step() {}

func (a *rows) element(i, s int) (x *reg, lane int) { return a.numbers[i], s }

// columns is a left operand whose columns are contiguous: registers hold 4, 2 or 1 numbers of a column.
type columns struct {
	*tile
	p, ac   *reg
	numbers []*reg // by row
	lanes   []int
}

func (a *columns) load(int) {}

func (a *columns) step() {
	a.numbers, a.lanes = nil, nil
	for _, width := range []int{4, 2, 1} {
		for len(a.numbers)+width <= a.rows {
			v := a.tile.load(mem{a.p, 4 * len(a.numbers)}, width)
			for lane := range width {
				a.numbers, a.lanes = append(a.numbers, v), append(a.lanes, lane)
			}
		}
	}
	a.do("ADD %v, %v", a.ac, a.p)
}

func (a *columns) element(i, _ int) (x *reg, lane int) { return a.numbers[i], a.lanes[i] }

// write makes c = alpha·sums + bias + beta·c.
func (t *tile) write(sums []*reg, vectors, width int) {
	alpha, beta := t.spread("alpha"), t.spread("beta")
	for i, s := range sums {
		sums[i] = t.mul(s, alpha)
	}
	t.addBias(sums, vectors, width)
	put, end := t.label("put"), t.label("written")
	c, cr := t.integer(), t.bytes("cr")
	t.do("MOVD %v, %v", t.c, c)
	t.do("FCMPS $(0.0), %v", beta)
	t.jump("BEQ %s", put)
	t.each(sums, vectors, c, cr, func(s *reg, e mem) {
		t.accumulate(s, t.load(e, width), beta)
		t.do(moves[width]+" %v, %v", s, e)
	})
	t.jump("B %s", end)
	t.mark(put)
	t.each(sums, vectors, c, cr, func(s *reg, e mem) { t.do(moves[width]+" %v, %v", s, e) })
	t.mark(end)
}

// addBias adds what belongs to the panel of the bias, if there is one.
func (t *tile) addBias(sums []*reg, vectors, width int) {
	none := t.label("unbiased")
	t.jump("CBZ %v, %s", none, t.length("bias"))
	bias := make([]*reg, vectors)
	for v := range bias {
		bias[v] = t.load(mem{t.bias, 16 * v}, width)
	}
	for i, s := range sums {
		t.plus(s, bias[i%vectors])
	}
	t.mark(none)
}

// each does f for all sums and their place in c, which it moves.
func (t *tile) each(sums []*reg, vectors int, c, cr *reg, f func(s *reg, e mem)) {
	for i, s := range sums {
		f(s, mem{c, 16 * (i % vectors)})
		if i%vectors == vectors-1 {
			t.do("ADD %v, %v", cr, c)
		}
	}
}
