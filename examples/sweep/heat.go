package main

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"peft/examples/internal/figure"
)

// bins is how many columns or rows of a heat map a range is cut into.
const bins = 6

// labels are the columns or rows of an axis in a heat map: its values, or the middles of the bins of its range.
func (a axis) labels() (names []string) {
	for _, v := range a.values {
		names = append(names, v.text)
	}
	for i := 0; a.values == nil && i < bins; i++ {
		names = append(names, fmt.Sprintf("%.2g", a.at((float64(i)+0.5)/bins)))
	}
	return names
}

// place is the column or row of a value.
func (a axis) place(v value) int {
	for i, have := range a.values {
		if have.text == v.text {
			return i
		}
	}
	share := math.Log(v.json.(float64)/a.lo) / math.Log(a.hi/a.lo)
	return max(0, min(bins-1, int(bins*share)))
}

// A heat is the best result in each cell of two axes. It is a [plotter.GridXYZ].
type heat struct {
	columns, rows []string
	best          [][]*result // by column and row; nil: nothing was tried there
}

// newHeat lays results out by the axis x, and by y if there is one.
func newHeat(results []result, axes []axis, x, y int) *heat {
	h := &heat{columns: axes[x].labels(), rows: []string{""}}
	if y != x {
		h.rows = axes[y].labels()
	}
	h.best = make([][]*result, len(h.columns))
	for c := range h.best {
		h.best[c] = make([]*result, len(h.rows))
	}
	for _, r := range results {
		row := 0
		if y != x {
			row = axes[y].place(r.point[y])
		}
		cell := &h.best[axes[x].place(r.point[x])][row]
		if *cell == nil || r.better(**cell) {
			*cell = &r
		}
	}
	return h
}

// Dims is how many columns and rows there are.
func (h *heat) Dims() (columns, rows int) { return len(h.columns), len(h.rows) }

// X and Y are where a column and a row are.
func (h *heat) X(c int) float64 { return float64(c) }

// Y is where a row is.
func (h *heat) Y(r int) float64 { return float64(r) }

// Z is how good a cell is: its accuracy, or the less its loss the more.
func (h *heat) Z(c, r int) float64 {
	best := h.best[c][r]
	switch {
	case best == nil:
		return math.NaN()
	case math.IsNaN(best.score.Accuracy):
		return -best.score.Loss
	}
	return 100 * best.score.Accuracy
}

// heatMap draws the best result over the learning rate and the first of the other axes that has more than one value.
func (s *sweep) heatMap(results []result) error {
	x, y := 0, 0
	for i, a := range s.axes {
		if i > 0 && y == 0 && len(a.labels()) > 1 {
			y = i
		}
	}
	h := newHeat(results, s.axes, x, y)
	p := figure.New(fmt.Sprintf("%s: the best of %d settings in each cell", s.name(), len(results)), "learning rate", "")
	if y > 0 {
		p.Y.Label.Text = s.axes[y].field
	}
	p.NominalX(h.columns...)
	p.NominalY(h.rows...)
	cells := plotter.NewHeatMap(h, ramp{})
	cells.NaN = color.Gray{238}
	cells.Max = math.Max(cells.Max, cells.Min+1e-9)
	numbers, err := h.numbers(cells.Min, cells.Max)
	if err != nil {
		return err
	}
	p.Add(cells, numbers)
	width, height := vg.Length(len(h.columns))*2.2+4, vg.Length(len(h.rows))*1.6+3.5
	return figure.Save(s.picture, width*vg.Centimeter, height*vg.Centimeter, p)
}

// name is the method's.
func (s *sweep) name() string {
	_, name, _ := s.spec()
	return name
}

// numbers are the results written into the cells, light on dark.
func (h *heat) numbers(lo, hi float64) (*plotter.Labels, error) {
	var at plotter.XYLabels
	var styles []text.Style
	for c, column := range h.best {
		for r, best := range column {
			if best == nil {
				continue
			}
			ink := color.Gray{255}
			if (h.Z(c, r)-lo)/(hi-lo) < 0.5 {
				ink = figure.Ink
			}
			at.XYs, at.Labels = append(at.XYs, plotter.XY{X: h.X(c), Y: h.Y(r)}), append(at.Labels, best.String())
			styles = append(styles, figure.Letters(11, ink, draw.XCenter))
		}
	}
	l, err := plotter.NewLabels(at)
	if err == nil {
		l.TextStyle = styles
	}
	return l, err
}

// A ramp is colours from pale yellow through green to dark blue, by which the eye orders cells.
type ramp struct{}

// shades are what a ramp passes through.
var shades = []color.RGBA{{255, 255, 217, 255}, {199, 233, 180, 255}, {127, 205, 187, 255}, {65, 182, 196, 255}, {29, 145, 192, 255}, {34, 94, 168, 255}, {12, 44, 132, 255}}

// Colors are many shades, between which there is a straight way.
func (ramp) Colors() (all []color.Color) {
	const steps = 32
	for i := range len(shades) - 1 {
		for j := range steps {
			all = append(all, between(shades[i], shades[i+1], float64(j)/steps))
		}
	}
	return append(all, shades[len(shades)-1])
}

func between(a, b color.RGBA, t float64) color.Color {
	mix := func(x, y uint8) uint8 { return uint8(float64(x)*(1-t) + float64(y)*t + 0.5) }
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}
