package main

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWords(t *testing.T) {
	for _, c := range []struct {
		field, text string
		want        any
	}{
		{"r", "8", 8.0}, {"use_rslora", "true", true}, {"non_linearity", "gelu", "gelu"}, {"terms", "query+up", []string{"query", "up"}},
		{"target_modules", "query", []string{"query"}}, {"target_modules", "all-linear", "all-linear"},
	} {
		require.Equal(t, c.want, words(c.field, c.text))
	}
}

// TestSettings wants a number from every part of a range, and all combinations of values equally often.
func TestSettings(t *testing.T) {
	lr, err := parseAxis("lr", rate, "1e-4:1e-2")
	require.NoError(t, err)
	r, err := parseAxis("rank", "r", "2,4,8")
	require.NoError(t, err)
	points := settings([]axis{lr, r}, 12, rand.New(rand.NewPCG(1, 2)))
	var rates []float64
	ranks := map[string]int{}
	for _, p := range points {
		rates = append(rates, p[0].json.(float64))
		ranks[p[1].text]++
	}
	require.Equal(t, map[string]int{"2": 4, "4": 4, "8": 4}, ranks)
	slices.Sort(rates)
	for i, x := range rates {
		require.InEpsilon(t, lr.at((float64(i)+0.5)/12), x, 0.25)
	}
}

func TestSettingsOfValues(t *testing.T) {
	a, err := parseAxis("lr", rate, "1,2")
	require.NoError(t, err)
	b, err := parseAxis("rank", "r", "3,4,5")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, p := range settings([]axis{a, b}, 100, rand.New(rand.NewPCG(1, 2))) {
		seen[p[0].text+" "+p[1].text] = true
	}
	require.Len(t, seen, 6)
	require.Len(t, settings([]axis{a, b}, 100, rand.New(rand.NewPCG(1, 2))), 6)
}

func TestPlace(t *testing.T) {
	a, err := parseAxis("lr", rate, "1e-4:1e-1")
	require.NoError(t, err)
	require.Equal(t, 0, a.place(number(1e-4)))
	require.Equal(t, 2, a.place(number(3e-3)))
	require.Equal(t, bins-1, a.place(number(1e-1)))
	require.Len(t, a.labels(), bins)
}
