package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// file is a file with the given header and n bytes of data.
func file(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

func one(dtype, shape, offsets string) string {
	return fmt.Sprintf(`{"w":{"dtype":%s,"shape":%s,"data_offsets":%s}}`, dtype, shape, offsets)
}

func two(a, b string) string {
	const entry = `%q:{"dtype":"U8","shape":[4],"data_offsets":[%s]}`
	return "{" + fmt.Sprintf(entry, "a", a) + "," + fmt.Sprintf(entry, "b", b) + "}"
}

func TestHostileFiles(t *testing.T) {
	good := one(`"F32"`, `[2]`, `[0,8]`)
	manyDims := "[" + strings.Repeat("1,", maxDims) + "1]"
	for _, c := range []struct {
		name string
		data []byte
		want string // part of the error
	}{
		{"empty", nil, "a file of 0 bytes"},
		{"shorter than a length", []byte("1234567"), "a file of 7 bytes"},
		{"no header", file("", 0), "expected {"},
		{"header of 2^64-1", append(binary.LittleEndian.AppendUint64(nil, math.MaxUint64), '{', '}'), "at most 100000000"},
		{"header over the limit", append(binary.LittleEndian.AppendUint64(nil, maxHeader+1), '{', '}'), "at most 100000000"},
		{"header longer than the file", file(good, 8)[:40], "in a file of 40, expected a whole file"},
		{"header of something else", file(`[1]`, 0), "expected {"},
		{"header after a space", file(` {}`, 0), "expected {"},
		{"not UTF-8", file("{\"\xff\":1}", 0), "not UTF-8"},
		{"JSON cut off", file(good[:30], 8), "broken JSON"},
		{"JSON with a comma too many", file(`{"w":{},}`, 8), "w"},
		{"two JSON values", file(good+good, 8), "more after the JSON object"},
		{"deep nesting", file(`{"w":{"x":`+strings.Repeat("[", 1<<20)+`}}`, 0), "broken JSON"},

		{"tensor twice", file(good[:len(good)-1]+","+good[1:], 8), `key "w" twice`},
		{"field twice", file(`{"w":{"dtype":"U8","dtype":"I8","shape":[],"data_offsets":[0,1]}}`, 1), `tensor "w": found key "dtype" twice`},
		{"tensor that is a number", file(`{"w":1}`, 0), `tensor "w": found 1, expected {`},
		{"no dtype", file(`{"w":{"shape":[1],"data_offsets":[0,1]}}`, 1), "expected all three"},
		{"no shape", file(`{"w":{"dtype":"U8","data_offsets":[0,1]}}`, 1), "expected all three"},
		{"no offsets", file(`{"w":{"dtype":"U8","shape":[1]}}`, 1), "expected all three"},
		{"dtype unknown", file(one(`"F31"`, `[2]`, `[0,8]`), 8), `found "F31" in "dtype"`},
		{"dtype empty", file(one(`""`, `[2]`, `[0,8]`), 8), `found ""`},
		{"dtype null", file(one(`null`, `[2]`, `[0,8]`), 8), "found null"},

		{"shape null", file(one(`"F32"`, `null`, `[0,4]`), 4), `found null in "shape"`},
		{"dimension null", file(one(`"F32"`, `[null]`, `[0,0]`), 0), "found null"},
		{"dimension negative", file(one(`"F32"`, `[-1]`, `[0,4]`), 4), "found -1"},
		{"two dimensions negative", file(one(`"F32"`, `[-1,-2]`, `[0,8]`), 8), "found -1"},
		{"dimension a fraction", file(one(`"F32"`, `[1.0]`, `[0,4]`), 4), "found 1.0"},
		{"dimension in powers of ten", file(one(`"F32"`, `[1e1]`, `[0,40]`), 40), "found 1e1"},
		{"dimension a string", file(one(`"F32"`, `["1"]`, `[0,4]`), 4), `found the string "1"`},
		{"dimension beyond 64 bits", file(one(`"F32"`, `[99999999999999999999]`, `[0,4]`), 4), "found 99999999999999999999"},
		{"size overflows to 0", file(one(`"F32"`, `[2147483647,2147483647,2147483647,2147483647]`, `[0,0]`), 0), "fits into memory"},
		{"absurd size, but empty", file(one(`"F32"`, `[2147483647,2147483647,2147483647,0]`, `[0,0]`), 0), "fits into memory"},
		{"too many dimensions", file(one(`"F32"`, manyDims, `[0,4]`), 4), "more than 64"},
		{"size differs from offsets", file(one(`"F32"`, `[3]`, `[0,8]`), 8), "expected 12 bytes for F32 [3]"},

		{"one offset", file(one(`"F32"`, `[2]`, `[8]`), 8), "expected all three, with two offsets"},
		{"three offsets", file(one(`"F32"`, `[2]`, `[0,8,8]`), 8), `more than 2 numbers in "data_offsets"`},
		{"offset negative", file(one(`"F32"`, `[2]`, `[-8,0]`), 8), "found -8"},
		{"offsets reversed", file(one(`"F32"`, `[2]`, `[8,0]`), 8), "begins at 0"},
		{"offsets beyond the file", file(one(`"F32"`, `[2]`, `[0,8]`), 7), "found 7 bytes of data, expected 8"},
		{"data after the last tensor", file(one(`"F32"`, `[2]`, `[0,8]`), 9), "found 9 bytes of data, expected 8"},
		{"data without tensors", file(`{}`, 1), "found 1 bytes of data, expected 0"},
		{"hole in front", file(one(`"F32"`, `[2]`, `[8,16]`), 16), "begins at 0"},
		{"hole", file(two("0,4", "5,9"), 9), `tensor "b": found data_offsets [5 9], expected data that begins at 4`},
		{"overlap", file(two("0,4", "3,7"), 7), `tensor "b": found data_offsets [3 7]`},
		{"same data twice", file(two("0,4", "0,4"), 4), `tensor "b": found data_offsets [0 4]`},

		{"metadata a number", file(`{"__metadata__":{"a":1}}`, 0), `found 1 in "a" in "__metadata__", expected a string`},
		{"metadata null", file(`{"__metadata__":{"a":null}}`, 0), `found null in "a"`},
		{"metadata an object", file(`{"__metadata__":{"a":{}}}`, 0), `found { in "a"`},
		{"metadata a list", file(`{"__metadata__":[]}`, 0), `found [ in "__metadata__", expected {`},
		{"metadata key twice", file(`{"__metadata__":{"a":"1","a":"2"}}`, 0), `key "a" twice`},
		{"metadata twice", file(`{"__metadata__":{},"__metadata__":{}}`, 0), `key "__metadata__" twice`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Parse(c.data)
			assert.Nil(t, f)
			assert.ErrorContains(t, err, c.want)
			var format *FormatError
			assert.ErrorAs(t, err, &format)
		})
	}
}

// TestUnusualFiles holds what is odd and yet allowed.
func TestUnusualFiles(t *testing.T) {
	for name, data := range map[string][]byte{
		"no tensors":             file(`{}`, 0),
		"spaces after header":    file(`{}   `, 0),
		"not in order of data":   file(two("4,8", "0,4"), 8),
		"unknown field":          file(`{"w":{"dtype":"U8","shape":[],"data_offsets":[0,1],"more":{"x":[null]}}}`, 1),
		"empty tensors together": file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"b":{"dtype":"F32","shape":[2,0],"data_offsets":[0,0]}}`, 0),
		"header not aligned":     file(one(`"F32"`, `[2]`, `[0,8]`)+" ", 8),
		"empty name":             file(`{"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1),
	} {
		_, err := Parse(data)
		assert.NoError(t, err, name)
	}
}

// TestEveryTruncation: no beginning of a good file is a good file.
func TestEveryTruncation(t *testing.T) {
	data := encoded(t, sample(), map[string]string{"format": "pt"})
	for n := range data {
		_, err := Parse(data[:n])
		require.Error(t, err, "%d of %d bytes", n, len(data))
	}
}

func TestErrorNamesTheFile(t *testing.T) {
	path := t.TempDir() + "/bad.safetensors"
	write(t, path, file(one(`"F32"`, `[3]`, `[0,8]`), 8))
	_, err := Open(path)
	assert.EqualError(t, err, "safetensors: "+path+`: tensor "w": found data_offsets [0 8] of 8 bytes, expected 12 bytes for F32 [3]`)
}
