package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// script is a program that adds its name to a list of turns, says something and ends with a line of JSON.
func script(t *testing.T, dir, name, line string) []string {
	path := filepath.Join(dir, name)
	text := "#!/bin/sh\necho " + name + " >> '" + filepath.Join(dir, "turns") + "'\necho starting\necho '" + line + "'\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
	return []string{"/bin/sh", path}
}

// The sides take turns, and the page has the medians and their ratio.
func TestCompare(t *testing.T) {
	dir := t.TempDir()
	ours := script(t, dir, "ours", `{"step_ms":20,"peak_mb":100}`)
	theirs := script(t, dir, "theirs", `{"step_ms":50,"peak_mb":400,"torch":"9.9","transformers":"8.8","peft":"7.7"}`)
	o := options{rounds: 3, steps: 10, threads: 2, only: regexp.MustCompile("^a")}
	var told bytes.Buffer
	results, err := runAll(t.Context(), o, []comparison{{name: "a case", ours: ours, theirs: theirs}, {name: "b"}}, &told)
	require.NoError(t, err)
	require.Contains(t, told.String(), "a case, round 3 of 3: 20 beside 50\n")
	turns, err := os.ReadFile(filepath.Join(dir, "turns"))
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("ours\ntheirs\n", 3), string(turns))

	page := report{options: o, place: here(dir), results: results}.section()
	for _, want := range []string{"| a case | 20.0 | 50.0 | **2.50** | 2.50–2.50 | 100 | 400 | 0.25 |", "torch 9.9, transformers 8.8, peft 7.7", "-rounds 3 -steps 10 -warmup 0 -threads 2 -only '^a'", "### A step"} {
		require.Contains(t, page, want)
	}
	require.NotContains(t, page, "### A whole job")
	require.NotContains(t, page, dir, "no paths of this machine")
}

// A job is timed from outside, and its accuracy told.
func TestJob(t *testing.T) {
	dir := t.TempDir()
	ours := script(t, dir, "ours", `{"eval_accuracy":0.75,"peak_rss_bytes":104857600}`)
	theirs := script(t, dir, "theirs", `{"eval_accuracy":0.5,"peak_rss_bytes":209715200}`)
	o := options{rounds: 1, only: regexp.MustCompile("")}
	results, err := runAll(t.Context(), o, []comparison{{name: "job", job: true, ours: ours, theirs: theirs}}, &bytes.Buffer{})
	require.NoError(t, err)
	require.Positive(t, results[0].ours[0].seconds)
	page := report{options: o, results: results}.tables()
	require.Contains(t, page, "| 100 | 200 | 0.50 |")
	require.Contains(t, page, "held out: 0.750, PyTorch 0.500")
}

func TestMedianAndRatio(t *testing.T) {
	r := result{ours: []turn{{StepMS: 10}, {StepMS: 30}, {StepMS: 20}, {StepMS: 40}}, theirs: []turn{{StepMS: 40}, {StepMS: 60}, {StepMS: 50}, {StepMS: 50}}}
	require.Equal(t, 25.0, median(r.ours, r.time))
	ratio, least, most := r.ratio(r.time)
	require.Equal(t, []float64{2, 1.25, 4}, []float64{ratio, least, most})
}

// Each failure says which command it was and what that said last.
func TestFailures(t *testing.T) {
	dir := t.TempDir()
	_, err := take(t.Context(), []string{"/bin/sh", "-c", "echo first >&2; echo no torch here >&2; exit 3"})
	require.ErrorContains(t, err, "exit status 3: no torch here")
	_, err = take(t.Context(), script(t, dir, "words", "done"))
	require.ErrorContains(t, err, "no JSON object")
	_, err = runAll(t.Context(), options{only: regexp.MustCompile("z")}, nil, &bytes.Buffer{})
	require.ErrorContains(t, err, `matches "z"`)
	_, err = parse([]string{"-rounds", "0"}, &bytes.Buffer{})
	require.ErrorContains(t, err, "-rounds is 0")
}

// Steps are timed with more threads, up to as many as there are.
func TestScale(t *testing.T) {
	dir := t.TempDir()
	o := options{programs: dir, rounds: 2, steps: 10, most: 3, only: regexp.MustCompile("BERT")}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bench"), []byte("#!/bin/sh\ncase \"$*\" in *'-threads 2'*) echo '{\"step_ms\":60}';; *) echo '{\"step_ms\":100}';; esac\n"), 0o755))
	ladder, err := scale(t.Context(), o, &bytes.Buffer{})
	require.NoError(t, err)
	require.Contains(t, report{options: o, scaling: ladder}.tables(), "| 1 | 100.0 | 1.00 | 100 % |\n| 2 | 60.0 | 1.67 | 83 % |\n")

	o.only = regexp.MustCompile("GPT")
	ladder, err = scale(t.Context(), o, &bytes.Buffer{})
	require.NoError(t, err)
	require.Empty(t, ladder, "no case that was asked for")
}

// A machine's section takes the place of its older one, and other machines keep theirs.
func TestPage(t *testing.T) {
	page := replace("", "A", "\nold\n\n### table\n\n")
	page = replace(page, "AB", "\nother\n")
	page = replace(page, "A", "\nnew\n\n### table\n")
	require.Equal(t, preface+"\n## A\n\nnew\n\n### table\n\n## AB\n\nother\n", page)
}

// Both sides are given the same work.
func TestCases(t *testing.T) {
	all := cases(options{python: "python3", scripts: "scripts", programs: "dir", threads: 4, steps: 7, data: "data"}, "dir")
	require.Len(t, all, 9)
	for _, c := range all[:8] {
		require.Equal(t, c.ours[1:], c.theirs[2:], c.name)
		require.Subset(t, c.ours, []string{"-steps", "7", "-threads", "4"})
	}
	job := all[8]
	require.True(t, job.job)
	require.Equal(t, job.ours[1:12], job.theirs[2:13])
}
