package train

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"
)

// A meter shows a reader how far a run has come: in one line that it writes again and again on a terminal, else in about twenty lines.
type meter struct {
	w        io.Writer // nil: nobody reads
	terminal bool
	total    int // steps of the run
	start    time.Time
	shown    time.Time // when the moving line was written last
	done     int       // steps since start
	steps    int       // steps since the last line
	loss     float64   // their sum
	width    int       // of the moving line
}

// redraw is how long a moving line stays at least.
const redraw = 100 * time.Millisecond

func newMeter(w io.Writer, total int) *meter {
	return &meter{w: w, terminal: isTerminal(w), total: total, start: time.Now()}
}

// isTerminal tells whether a writer is a terminal, or another device that reads characters.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// step shows a step, if it is time for it.
func (m *meter) step(s Step) {
	if m.w == nil {
		return
	}
	m.done++
	m.steps++
	m.loss += s.Loss
	if !m.due(s.Step) {
		return
	}
	m.line(fmt.Sprintf("step %d/%d  loss %.4f  lr %.3g  %.0f tokens/s  %s left", s.Step, m.total, m.loss/float64(m.steps), s.LR, s.TokensPerSecond, m.left(s.Step)))
	m.steps, m.loss, m.shown = 0, 0, time.Now()
}

func (m *meter) due(step int) bool {
	if m.terminal {
		return time.Since(m.shown) >= redraw || step == m.total
	}
	return step == 1 || step == m.total || step%max(1, m.total/20) == 0
}

// left is how long the rest will take at the pace so far.
func (m *meter) left(step int) time.Duration {
	each := time.Since(m.start) / time.Duration(m.done)
	return (each * time.Duration(m.total-step)).Round(time.Second)
}

// eval shows an evaluation, in a line that stays.
func (m *meter) eval(e Eval) {
	if m.w == nil {
		return
	}
	text := fmt.Sprintf("step %d/%d  evaluation: loss %.4f", e.Step, m.total, e.Loss)
	if !math.IsNaN(e.Accuracy) {
		text += fmt.Sprintf("  accuracy %.2f%%", 100*e.Accuracy)
	}
	m.line(text)
	m.end()
}

// line shows a line, on a terminal in place of the one before it. Progress that cannot be shown is no reason to stop.
func (m *meter) line(text string) {
	if !m.terminal {
		_, _ = fmt.Fprintln(m.w, text)
		return
	}
	gap := strings.Repeat(" ", max(0, m.width-len(text)))
	_, _ = fmt.Fprint(m.w, "\r"+text+gap)
	m.width = len(text)
}

// end leaves the moving line as it is and goes on below it.
func (m *meter) end() {
	if m.terminal && m.width > 0 {
		_, _ = fmt.Fprintln(m.w)
		m.width = 0
	}
}
