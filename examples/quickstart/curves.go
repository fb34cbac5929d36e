package main

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"peft/examples/internal/figure"
)

// curves draws the contenders' evaluations as lines, with their names and last values at the end.
type curves []row

// Plot draws the lines and the names, the best first.
func (all curves) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b row) int {
		if a.Accuracy > b.Accuracy {
			return -1
		}
		return 1
	})
	var ends []vg.Length
	for _, r := range sorted {
		c.StrokeLines(draw.LineStyle{Color: r.look().color, Width: 1.4}, r.line(x, y))
		ends = append(ends, y(100*r.Accuracy))
	}
	gap := figure.Letters(letters, nil, draw.XLeft).Height("X") + 2.5
	for i, at := range apart(ends, gap, c.Max.Y) {
		style := figure.Letters(letters, sorted[i].look().color, draw.XLeft)
		c.StrokeLine2(draw.LineStyle{Color: sorted[i].look().color, Width: 0.5}, x(100), ends[i], x(103), at)
		c.FillText(style, vg.Point{X: x(104), Y: at}, fmt.Sprintf("%s  %.1f", sorted[i].Method, 100*sorted[i].Accuracy))
	}
}

// line is the row's evaluations on a canvas.
func (r row) line(x, y func(float64) vg.Length) (points []vg.Point) {
	last := float64(r.curve[len(r.curve)-1].Step)
	for _, e := range r.curve {
		points = append(points, vg.Point{X: x(100 * float64(e.Step) / last), Y: y(100 * e.Accuracy)})
	}
	return points
}

// apart moves heights, which descend, so that each is at least so far below the one before it and none above the top, as little as need be: those that stand too close share a block around
// their middle.
func apart(heights []vg.Length, gap, top vg.Length) []vg.Length {
	type block struct {
		sum vg.Length // of heights, each as its first one would have to stand
		n   int
	}
	var blocks []block
	first := func(b block) vg.Length { return min(b.sum/vg.Length(b.n), top) }
	for _, h := range heights {
		blocks = append(blocks, block{h, 1})
		for k := len(blocks) - 1; k > 0; k-- {
			a, b := blocks[k-1], blocks[k]
			if first(a)-vg.Length(a.n)*gap >= first(b) {
				break
			}
			blocks = append(blocks[:k-1], block{a.sum + b.sum + vg.Length(a.n*b.n)*gap, a.n + b.n})
		}
	}
	var moved []vg.Length
	for _, b := range blocks {
		for i := range b.n {
			moved = append(moved, first(b)-vg.Length(i)*gap)
		}
	}
	return moved
}
