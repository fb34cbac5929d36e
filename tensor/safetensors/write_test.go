package safetensors

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func write(t testing.TB, path string, data []byte) {
	require.NoError(t, os.WriteFile(path, data, 0o666))
}

func TestWriteAndOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	metadata := map[string]string{"b": "<&>", "a": "\"\n\u2028é"}
	require.NoError(t, Write(path, sample(), metadata))
	f, err := Open(path)
	require.NoError(t, err)
	defer f.Close()
	assert.Equal(t, metadata, f.Metadata())
	assert.Equal(t, len(sample()), f.Len())
	for _, want := range sample() {
		got, ok := f.Tensor(want.Name)
		require.True(t, ok)
		assert.Equal(t, want.DType, got.DType)
		assert.Equal(t, append([]int{}, want.Shape...), got.Shape)
		assert.Equal(t, append([]byte{}, want.Data...), append([]byte{}, got.Data...))
	}
}

// TestBytesOfTheFormatsOwnWriter: wide types first, names sorted within one, a header that ends at a multiple of 8.
func TestBytesOfTheFormatsOwnWriter(t *testing.T) {
	tensors := []Tensor{F32("b", []int{1}, []float32{1}), I8("c", nil, []int8{1}), F32("a", []int{1}, []float32{2})}
	header := `{"__metadata__":{"format":"pt"},` +
		`"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},` +
		`"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},` +
		`"c":{"dtype":"I8","shape":[],"data_offsets":[8,9]}}`
	header += "        "[len(header)%8:]
	want := append(file(header, 0), 0, 0, 0, 0x40, 0, 0, 0x80, 0x3f, 1)
	metadata := map[string]string{"format": "pt"}
	assert.Equal(t, want, encoded(t, tensors, metadata))
	slices.Reverse(tensors)
	assert.Equal(t, want, encoded(t, tensors, metadata), "in another order")
}

func TestWriteRefuses(t *testing.T) {
	good := U8("x", []int{1}, []uint8{1})
	for want, tensors := range map[string][]Tensor{
		`tensor "x": found the name twice`:                {good, good},
		`tensor "__metadata__": found the name twice, or`: {U8("__metadata__", []int{1}, []uint8{1})},
		`found bytes in the name that are not UTF-8`:      {U8("\xff", []int{1}, []uint8{1})},
		`found 1 bytes, expected 2 for U8 [2]`:            {U8("x", []int{2}, []uint8{1})},
	} {
		assert.ErrorContains(t, Encode(nil, tensors, nil), want)
	}
	assert.ErrorContains(t, Encode(nil, nil, map[string]string{"a": "\xff"}), "expected UTF-8 text")
}

// A full writer takes n bytes and then no more.
type full struct{ n int }

var errFull = errors.New("no space left")

func (w *full) Write(p []byte) (int, error) {
	if len(p) > w.n {
		n := w.n
		w.n = 0
		return n, errFull
	}
	w.n -= len(p)
	return len(p), nil
}

func TestEncodeReportsEveryFailure(t *testing.T) {
	size := len(encoded(t, sample(), nil))
	for n := range size {
		require.ErrorIs(t, Encode(&full{n}, sample(), nil), errFull, "after %d of %d bytes", n, size)
	}
	require.NoError(t, Encode(&full{size}, sample(), nil))
}

func TestFailedWriteLeavesTheOldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	require.NoError(t, Write(path, sample(), nil))
	old, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.ErrorContains(t, Write(path, []Tensor{{Name: "bad"}}, nil), path)
	now, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, old, now)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}

// TestReplaceAnOpenFile: what is mapped stays as it was.
func TestReplaceAnOpenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	require.NoError(t, Write(path, []Tensor{I64("x", []int{1}, []int64{1})}, nil))
	f, err := Open(path)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, Write(path, []Tensor{I64("x", []int{1}, []int64{2})}, nil))
	x, _ := f.Tensor("x")
	values, err := x.Ints()
	require.NoError(t, err)
	assert.Equal(t, []int64{1}, values)
}
