package main

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

// picture draws accuracy on held-out data over the share of training that is done.
func picture(path string, rows []row) error {
	p := plot.New()
	p.Title.Text = "Learning by training a few parameters"
	p.X.Label.Text = "share of training"
	p.Y.Label.Text = "accuracy on held-out data, %"
	p.Legend.Top = false
	p.Add(plotter.NewGrid())
	var lines []any
	for _, r := range rows {
		lines = append(lines, r.Task+" by "+r.Method, r.points())
	}
	if err := plotutil.AddLinePoints(p, lines...); err != nil {
		return err
	}
	return p.Save(18*vg.Centimeter, 12*vg.Centimeter, path)
}

// points are the row's evaluations.
func (r row) points() plotter.XYs {
	last := float64(r.curve[len(r.curve)-1].Step)
	var xy plotter.XYs
	for _, e := range r.curve {
		xy = append(xy, plotter.XY{X: float64(e.Step) / last, Y: 100 * e.Accuracy})
	}
	return xy
}
