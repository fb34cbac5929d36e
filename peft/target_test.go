package peft

import (
	"encoding/json"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/tensor"
)

// named is a model that is nothing but names of sites.
type named struct {
	modelType string
	list      []namedSite
}

type namedSite struct {
	name string
	site Site
}

func (m *named) ModelType() string { return m.modelType }

func (m *named) Sites() iter.Seq2[string, Site] {
	return func(yield func(string, Site) bool) {
		for _, x := range m.list {
			if !yield(x.name, x.site) {
				return
			}
		}
	}
}

func (m *named) linear(name string, head bool) {
	l := NewLinear(1, 1, false, "")
	l.IsHead = head
	m.list = append(m.list, namedSite{name, &l})
}

func (m *named) embedding(name string) {
	e := NewEmbedding(1, 1)
	m.list = append(m.list, namedSite{name, &e})
}

func (m *named) norm(name string) {
	n := NewNorm(1, 0, true)
	m.list = append(m.list, namedSite{name, &n})
}

func sitesOf(t testing.TB, model any) *Sites {
	s, err := FindSites(tensor.Reference(), model)
	require.NoError(t, err)
	return s
}

// linears are the sites of a model that has linear maps of these names.
func linears(t testing.TB, names ...string) *Sites {
	m := &named{}
	for _, n := range names {
		m.linear(n, false)
	}
	return sitesOf(t, m)
}

func siteNames(sites []Site) (names []string) {
	for _, x := range sites {
		names = append(names, x.Name())
	}
	return names
}

var _ = []any{json.Marshal, fs.ErrExist, math.Pi, os.Args, filepath.Join, slices.Sort[[]int], strings.Cut, golden.Shared}
