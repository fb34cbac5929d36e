package train

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProgressInLines(t *testing.T) {
	var b strings.Builder
	m := newMeter(&b, 100)
	for i := range 100 {
		m.step(Step{Step: i + 1, Loss: float64(i), LR: 1e-4, TokensPerSecond: 1234.4})
		if i == 49 {
			m.eval(Eval{50, Score{0.5, 0.875}})
			m.eval(Eval{50, Score{0.5, math.NaN()}})
		}
	}
	m.end()
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	require.Len(t, lines, 23)
	require.Equal(t, "step 1/100  loss 0.0000  lr 0.0001  1234 tokens/s  0s left", lines[0])
	require.Equal(t, "step 5/100  loss 2.5000  lr 0.0001  1234 tokens/s  0s left", lines[1], "the mean since the line before")
	require.Equal(t, "step 50/100  evaluation: loss 0.5000  accuracy 87.50%", lines[11])
	require.Equal(t, "step 50/100  evaluation: loss 0.5000", lines[12])
}

func TestProgressInOneLine(t *testing.T) {
	var b strings.Builder
	m := newMeter(&b, 1000)
	m.terminal = true
	for i := range 10 {
		m.step(Step{Step: i + 1, Loss: 1})
	}
	m.shown = time.Time{}
	m.step(Step{Step: 11, Loss: 1})
	m.eval(Eval{11, Score{0.5, math.NaN()}})
	m.step(Step{Step: 1000, Loss: 1})
	m.end()
	lines := strings.Split(b.String(), "\n")
	require.Len(t, lines, 3)
	moves := strings.Split(lines[0], "\r")
	require.Len(t, moves, 4)
	require.Equal(t, len(moves[2]), len(moves[3]), "what is shorter covers what was there")
	require.True(t, strings.HasPrefix(moves[3], "step 11/1000  evaluation"))
	require.True(t, strings.HasPrefix(lines[1], "\rstep 1000/1000  loss 1.0000"))
}

func TestTerminalsAreDevices(t *testing.T) {
	require.False(t, isTerminal(&strings.Builder{}))
	require.False(t, isTerminal(nil))
	f, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	defer f.Close()
	require.False(t, isTerminal(f))
	m := newMeter(nil, 1)
	m.step(Step{})
	m.eval(Eval{})
	m.end()
}
