package train

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLogLines(t *testing.T) {
	var b strings.Builder
	require.NoError(t, writeLine(&b, Step{Step: 3, Loss: 0.1, LR: 1e-9, GradNorm: 1.0 / 3, TokensPerSecond: 12000}))
	require.NoError(t, writeLine(&b, Eval{3, Score{0.25, math.NaN()}}))
	require.Equal(t, `{"step":3,"loss":0.1,"lr":1e-9,"grad_norm":0.3333333333333333,"tokens_per_second":12000}
{"step":3,"eval_loss":0.25,"eval_accuracy":null}
`, b.String())
	require.NoError(t, writeLine(nil, Step{}))
}

func TestEvalsReadBack(t *testing.T) {
	text, err := json.Marshal(Eval{7, Score{math.Inf(1), 1.0 / 3}})
	require.NoError(t, err)
	var e Eval
	require.NoError(t, json.Unmarshal(text, &e))
	require.Equal(t, 7, e.Step)
	require.True(t, math.IsNaN(e.Loss))
	require.Equal(t, 1.0/3, e.Accuracy)
}

func TestLogFileRewinds(t *testing.T) {
	const lines = `{"step":1,"loss":1}
{"step":2,"loss":1}
{"step":2,"eval_loss":1}
{"step":3,"loss":1}
{"step":4,"lo`
	for step, want := range map[int]string{0: "", 1: lines[:20], 2: lines[:65], 3: lines[:85], 9: lines[:85]} {
		path := filepath.Join(t.TempDir(), "log.jsonl")
		require.NoError(t, os.WriteFile(path, []byte(lines), 0o666))
		l, err := OpenLog(path)
		require.NoError(t, err)
		require.NoError(t, l.Rewind(step))
		_, err = l.Write([]byte("more\n"))
		require.NoError(t, err)
		require.NoError(t, l.Close())
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, want+"more\n", string(got), "step %d", step)
	}
}
