package safetensors

import (
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const modelIndex = single + indexSuffix

// sharded is a folder with tensors a and b in part 1, c in part 2, and the given index.
func sharded(t testing.TB, index string) string {
	dir := t.TempDir()
	byte1 := func(name string) Tensor { return U8(name, []int{1}, []uint8{1}) }
	require.NoError(t, Write(dir+"/1.safetensors", []Tensor{byte1("a"), byte1("b")}, map[string]string{"format": "pt", "part": "1"}))
	require.NoError(t, Write(dir+"/2.safetensors", []Tensor{byte1("c")}, map[string]string{"part": "2"}))
	write(t, filepath.Join(dir, modelIndex), []byte(index))
	return dir
}

const goodIndex = `{"metadata":{"total_size":3},"weight_map":{"c":"2.safetensors","a":"1.safetensors","b":"1.safetensors"}}`

func TestOpenSharded(t *testing.T) {
	dir := sharded(t, goodIndex)
	for _, path := range []string{dir, filepath.Join(dir, modelIndex)} {
		f, err := Open(path)
		require.NoError(t, err)
		assert.Equal(t, []string{"a", "b", "c"}, f.Names())
		assert.Equal(t, map[string]string{"format": "pt", "part": "1"}, f.Metadata())
		require.NoError(t, f.Close())
	}
}

func TestOpenShardedWithUnlistedTensor(t *testing.T) {
	f, err := Open(sharded(t, `{"weight_map":{"a":"1.safetensors"}}`))
	require.NoError(t, err)
	defer f.Close()
	assert.Equal(t, []string{"a", "b"}, f.Names())
}

func TestHostileIndexes(t *testing.T) {
	for name, c := range map[string]struct{ index, want string }{
		"empty":                {``, "broken JSON"},
		"not an object":        {`[]`, "found [, expected {"},
		"no weight_map":        {`{"metadata":{}}`, "found no weight_map"},
		"weight_map a number":  {`{"weight_map":1}`, `found 1 in "weight_map"`},
		"file a number":        {`{"weight_map":{"a":1}}`, `found 1 in "a" in "weight_map"`},
		"weight_map twice":     {`{"weight_map":{},"weight_map":{}}`, `key "weight_map" twice`},
		"tensor twice":         {`{"weight_map":{"a":"1.safetensors","a":"2.safetensors"}}`, `key "a" twice`},
		"above the folder":     {`{"weight_map":{"a":"../1.safetensors"}}`, `tensor "a": found file "../1.safetensors", expected one in the folder`},
		"round about":          {`{"weight_map":{"a":"x/../../1.safetensors"}}`, "expected one in the folder"},
		"absolute":             {`{"weight_map":{"a":"/etc/passwd"}}`, "expected one in the folder"},
		"no name":              {`{"weight_map":{"a":""}}`, "expected one in the folder"},
		"the folder":           {`{"weight_map":{"a":"."}}`, "expected a regular file"},
		"the index itself":     {`{"weight_map":{"a":"` + modelIndex + `"}}`, "a header"},
		"file missing":         {`{"weight_map":{"a":"3.safetensors"}}`, "3.safetensors"},
		"tensor in other file": {`{"weight_map":{"a":"2.safetensors","c":"2.safetensors","b":"1.safetensors"}}`, `tensor "a": found it in 1.safetensors, expected it in 2.safetensors`},
		"tensor nowhere":       {`{"weight_map":{"a":"1.safetensors","d":"2.safetensors"}}`, `tensor "d": found it nowhere, expected it in 2.safetensors`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := sharded(t, c.index)
			f, err := Open(dir)
			assert.Nil(t, f)
			assert.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, dir)
		})
	}
}

func TestTensorInTwoShards(t *testing.T) {
	dir := sharded(t, `{"weight_map":{"a":"1.safetensors","c":"2.safetensors"}}`)
	require.NoError(t, Write(dir+"/2.safetensors", []Tensor{U8("b", nil, []uint8{1}), U8("c", nil, []uint8{1})}, nil))
	_, err := Open(dir)
	assert.ErrorContains(t, err, `tensor "b": found the name in two files`)
}

func TestOpenFolder(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(dir)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, "found neither model.safetensors nor model.safetensors.index.json")
	require.NoError(t, Write(filepath.Join(dir, single), sample(), nil))
	f, err := Open(dir)
	require.NoError(t, err)
	assert.Equal(t, len(sample()), f.Len())
	assert.NoError(t, f.Close())
}

func TestOpenMissing(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "x.safetensors"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestOpenEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	write(t, path, nil)
	_, err := Open(path)
	assert.ErrorContains(t, err, path+": found a file of 0 bytes")
}

func TestClose(t *testing.T) {
	f, err := Open(sharded(t, goodIndex))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	_, ok := f.Tensor("a")
	assert.False(t, ok, "a closed file hands out nothing")
	assert.NoError(t, f.Close())
}

// TestForget: what has been forgotten is read again.
func TestForget(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	values := make([]float32, 100_003)
	for i := range values {
		values[i] = float32(i)
	}
	require.NoError(t, Write(path, []Tensor{F32("small", []int{1}, values[1:2]), F32("large", []int{len(values)}, values)}, nil))
	f, err := Open(path)
	require.NoError(t, err)
	defer f.Close()
	for range 2 {
		for name, want := range map[string][]float32{"small": values[1:2], "large": values} {
			x, _ := f.Tensor(name)
			got, err := x.Float32s()
			require.NoError(t, err)
			require.Equal(t, want, got)
			f.Forget(name)
		}
	}
	f.Forget("no such tensor")
}
