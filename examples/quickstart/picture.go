package main

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"peft/examples/internal/figure"
	"peft/train"
)

// A look is how a family of methods is drawn.
type look struct {
	family string
	color  color.RGBA
	shape  draw.GlyphDrawer
}

// families are all there are, in colours that are told apart without red and green too (Okabe and Ito).
var families = []look{
	{"baseline", color.RGBA{102, 102, 102, 255}, draw.CircleGlyph{}},
	{"additive", color.RGBA{0, 114, 178, 255}, draw.BoxGlyph{}},
	{"selective", color.RGBA{213, 94, 0, 255}, draw.PyramidGlyph{}},
	{"reparameterised", color.RGBA{0, 158, 115, 255}, draw.CircleGlyph{}},
	{"hybrid", color.RGBA{190, 90, 150, 255}, draw.BoxGlyph{}},
	{"unified", color.RGBA{200, 145, 0, 255}, draw.PyramidGlyph{}},
}

func (r row) look() look {
	for _, l := range families {
		if l.family == r.Family {
			return l
		}
	}
	return families[0]
}

// glyph is the mark of a family.
func (l look) glyph() draw.GlyphStyle {
	return draw.GlyphStyle{Color: l.color, Radius: 4.5, Shape: l.shape}
}

// picture draws what the contenders reach with how many trained parameters, beside their way there.
func picture(path, about string, rows []row) error {
	return figure.Save(path, 34*vg.Centimeter, 15*vg.Centimeter, reached(rows, about), way(rows))
}

// reached is accuracy over the number of trained parameters.
func reached(rows []row, about string) *plot.Plot {
	p := figure.New("What a few parameters reach: "+about, "trained parameters", "accuracy on held-out words, %")
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, decades{}
	p.Add(figure.Grid())
	for _, l := range families {
		if used(rows, l.family) {
			p.Legend.Add(l.family, mark{l})
		}
	}
	p.Legend.Padding, p.Legend.XOffs, p.Legend.YOffs, p.Legend.TextStyle.Font.Size = 4, -8, 8, letters
	p.Y.Tick.Marker = fives{}
	p.Add(named(rows))
	p.X.Min, p.X.Max = 1e3, 3e7
	p.Y.Min, p.Y.Max = bounds(rows, func(r row) []train.Eval { return r.curve[len(r.curve)-1:] })
	return p
}

// way is accuracy over the share of training that is done.
func way(rows []row) *plot.Plot {
	p := figure.New("The way there", "share of training, %", "")
	p.X.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 25, Label: "25"}, {Value: 50, Label: "50"}, {Value: 75, Label: "75"}, {Value: 100, Label: "100"}}
	p.Y.Tick.Marker = fives{}
	p.Add(figure.Grid(), curves(rows))
	p.X.Min, p.X.Max = 0, 126
	p.Y.Min, p.Y.Max = bounds(rows, func(r row) []train.Eval { return r.curve })
	return p
}

func used(rows []row, family string) bool {
	for _, r := range rows {
		if r.Family == family {
			return true
		}
	}
	return false
}

// bounds are multiples of 5 % around the accuracies of some evaluations of each row.
func bounds(rows []row, some func(row) []train.Eval) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, r := range rows {
		for _, e := range some(r) {
			lo, hi = min(lo, 100*e.Accuracy), max(hi, 100*e.Accuracy)
		}
	}
	return 5 * math.Floor(lo/5), 5 * math.Ceil((hi+1)/5)
}

// A mark is a family's in the legend.
type mark struct{ look }

// Thumbnail draws the mark.
func (m mark) Thumbnail(c *draw.Canvas) {
	c.DrawGlyph(m.glyph(), vg.Point{X: (c.Min.X + c.Max.X) / 2, Y: (c.Min.Y + c.Max.Y) / 2})
}

// decades are ticks at powers of ten.
type decades struct{}

// Ticks names 1,000 and so on.
func (decades) Ticks(lo, hi float64) (all []plot.Tick) {
	for x := math.Pow(10, math.Ceil(math.Log10(lo))); x <= hi; x *= 10 {
		name := fmt.Sprintf("%.0f k", x/1e3)
		if x >= 1e6 {
			name = fmt.Sprintf("%.0f M", x/1e6)
		}
		all = append(all, plot.Tick{Value: x, Label: name})
	}
	return all
}

// fives are ticks at multiples of 5.
type fives struct{}

// Ticks names all of them.
func (fives) Ticks(lo, hi float64) (all []plot.Tick) {
	for x := 5 * math.Ceil(lo/5); x <= hi; x += 5 {
		all = append(all, plot.Tick{Value: x, Label: fmt.Sprint(x)})
	}
	return all
}
