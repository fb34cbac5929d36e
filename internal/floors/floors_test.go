// Package floors tests that packages import downwards only.
package floors

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// floors are the folders of the module, from the ground. A package imports only from floors below its own, or from its own folder; those of floor 4 and of the programs never each other.
var floors = [][]string{
	{"internal/atomicfile", "internal/plainjson"},
	{"tensor/internal/backend", "tensor/safetensors"},
	{"tensor/internal/reference", "tensor/internal/cpu"},
	{"tensor/internal/backendtest"},
	{"tensor"},
	{"tensor/optim", "internal/golden"},
	{"peft"},
	{"models", "train", "lora", "adapter", "prefix", "bitfit", "sparsemask"},
	{"hybrid"},
	{"examples", "bench"},
}

// helpers are imported by tests on any floor.
var helpers = []string{"internal/golden", "peft/pefttest", "tensor/internal/backendtest", "tensor/internal/reference", "tensor/tensortest"}

func TestFloors(t *testing.T) {
	root := filepath.Join("..", "..")
	checked := 0
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_")):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go"):
			checked += check(t, root, path)
		}
		return nil
	}))
	require.Greater(t, checked, 100, "imports of the module's own packages")
}

// check looks at the imports of one file and counts those of the module itself.
func check(t *testing.T, root, path string) (checked int) {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	require.NoError(t, err)
	from, err := filepath.Rel(root, filepath.Dir(path))
	require.NoError(t, err)
	test := strings.HasSuffix(path, "_test.go")
	for _, i := range f.Imports {
		to, err := strconv.Unquote(i.Path.Value)
		require.NoError(t, err)
		require.NotEqual(t, "C", to, "%s uses cgo", path)
		if to, own := strings.CutPrefix(to, "peft/"); own {
			checked++
			if !allowed(filepath.ToSlash(from), to, test) {
				t.Errorf("%s imports peft/%s, which is not on a lower floor", path, to)
			}
		}
	}
	return checked
}

func allowed(from, to string, test bool) bool {
	if from == to || test && (within(to, helpers) || strings.HasPrefix(from, to)) {
		return true
	}
	folderA, a := floor(from)
	folderB, b := floor(to)
	_, methods := floor("models")
	return b >= 0 && b < a || a == b && a >= 0 && folderA == folderB || test && b == methods
}

// floor is the folder of the floors that a package lies in, and the number of its floor, −1 for a package on none.
func floor(pkg string) (best string, at int) {
	at = -1
	for i, folders := range floors {
		for _, f := range folders {
			if within(pkg, []string{f}) && len(f) > len(best) {
				best, at = f, i
			}
		}
	}
	return best, at
}

func within(pkg string, folders []string) bool {
	for _, f := range folders {
		if pkg == f || strings.HasPrefix(pkg, f+"/") {
			return true
		}
	}
	return false
}

func TestEveryPackageHasAFloor(t *testing.T) {
	for pkg, want := range map[string]string{
		"lora": "lora", "models/tokenizer": "models", "tensor/safetensors/half": "tensor/safetensors", "peft/pefttest": "peft", "examples/predict": "examples", "elsewhere": "",
	} {
		folder, at := floor(pkg)
		require.Equal(t, want, folder)
		require.Equal(t, want == "", at < 0)
	}
	require.False(t, allowed("tensor", "peft", false))
	require.False(t, allowed("lora", "models", false))
	require.False(t, allowed("tensor/internal/cpu", "tensor/internal/reference", false))
	require.False(t, allowed("internal/nowhere", "elsewhere", false))
}
