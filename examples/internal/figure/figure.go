// Package figure is how the programs draw: plots in one style, side by side in a PNG file.
package figure

import (
	"bufio"
	"fmt"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"peft/internal/atomicfile"
)

// Ink is the colour of letters.
var Ink = color.Gray{51}

// Letters are sans-serif ones of a size in points, aligned to the middle of their height.
func Letters(size float64, c color.Color, x text.XAlignment) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: font.Length(size)}
	return text.Style{Color: c, Font: f, XAlign: x, YAlign: draw.YCenter, Handler: plot.DefaultTextHandler}
}

// New is an empty plot with a title and the names of its axes, which may be empty.
func New(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.Padding, p.X.Label.Padding, p.Y.Label.Padding = 10, 6, 6
	for _, s := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle} {
		s.Font.Variant, s.Color = "Sans", Ink
	}
	p.Title.TextStyle.Font.Size = 14
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.LineStyle.Width, a.Tick.LineStyle.Width, a.Padding = 0, 0, 6
	}
	return p
}

// Grid is thin lines at the ticks of both axes.
func Grid() *plotter.Grid {
	g := plotter.NewGrid()
	g.Horizontal.Color, g.Vertical.Color = color.Gray{225}, color.Gray{225}
	return g
}

// resolution is in dots an inch, margin around each plot.
const (
	resolution = 160
	margin     = 12
)

// Save draws plots from left to right, each as wide as the others, into a PNG file, which is written whole or not at all. The size is that of the whole picture.
func Save(path string, width, height vg.Length, plots ...*plot.Plot) error {
	img := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(resolution), vgimg.UseBackgroundColor(color.White))
	tiles := draw.Tiles{Rows: 1, Cols: len(plots), PadLeft: margin, PadRight: margin, PadTop: margin, PadBottom: margin, PadX: 3 * margin}
	for i, c := range plot.Align([][]*plot.Plot{plots}, tiles, draw.New(img))[0] {
		plots[i].Draw(c)
	}
	return atomicfile.WriteFile(path, func(w io.Writer) error {
		b := bufio.NewWriter(w)
		if _, err := (vgimg.PngCanvas{Canvas: img}).WriteTo(b); err != nil {
			return err
		}
		return b.Flush()
	})
}

// Check tells, before hours of training, whether a picture can be saved under a name.
func Check(path string) error {
	if !strings.EqualFold(filepath.Ext(path), ".png") {
		return fmt.Errorf("-picture %s: expected a name that ends in .png", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".probe-*")
	if err != nil {
		return fmt.Errorf("-picture %s cannot be written: %w", path, err)
	}
	f.Close()
	return os.Remove(f.Name())
}
