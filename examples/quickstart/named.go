package main

import (
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"peft/examples/internal/figure"
)

// named draws contenders as points with their names beside them, where these cover neither a point nor another name.
type named []row

// letters is the size of names, in points.
const letters = 10

// Plot draws the points and their names.
func (n named) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var taken []vg.Rectangle
	for _, r := range n {
		g := r.look().glyph()
		at := vg.Point{X: x(float64(r.Trainable)), Y: y(100 * r.Accuracy)}
		c.DrawGlyph(g, at)
		taken = append(taken, around(at, 2*g.Radius, 2*g.Radius))
	}
	for i, r := range n {
		style := figure.Letters(letters, r.look().color, draw.XCenter)
		at := room(taken[i], style.Width(r.Method)+2, style.Height(r.Method)+1, c.Rectangle, taken)
		taken = append(taken, at)
		c.FillText(style, middle(at), r.Method)
	}
}

// room is where a name of a size has room beside a point: to the right, the left, above, below, or further away.
func room(point vg.Rectangle, width, height vg.Length, canvas vg.Rectangle, taken []vg.Rectangle) vg.Rectangle {
	at, far := middle(point), point.Size().X/2+2
	first := around(vg.Point{X: at.X + far + width/2, Y: at.Y}, width, height)
	for _, push := range []vg.Length{1, 1.6, 2.4, 3.5} {
		right, up := push*far+width/2, push*far+height/2
		for _, d := range []vg.Point{{X: right}, {X: -right}, {Y: up}, {Y: -up}, {X: right, Y: up}, {X: right, Y: -up}, {X: -right, Y: up}, {X: -right, Y: -up}} {
			box := around(at.Add(d), width, height)
			if inside(box, canvas) && !slices.ContainsFunc(taken, func(t vg.Rectangle) bool { return overlap(t, box) }) {
				return box
			}
		}
	}
	return first
}

func around(p vg.Point, width, height vg.Length) vg.Rectangle {
	half := vg.Point{X: width / 2, Y: height / 2}
	return vg.Rectangle{Min: p.Sub(half), Max: p.Add(half)}
}

func middle(r vg.Rectangle) vg.Point { return r.Min.Add(r.Max).Scale(0.5) }

func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}

func inside(a, b vg.Rectangle) bool {
	return a.Min.X >= b.Min.X && a.Max.X <= b.Max.X && a.Min.Y >= b.Min.Y && a.Max.Y <= b.Max.Y
}
