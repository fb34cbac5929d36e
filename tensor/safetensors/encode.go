package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// encodeHeader is the header of a file that holds the data of tensors in their order: its length, then JSON filled up with spaces to a multiple of 8.
func encodeHeader(tensors []Tensor, metadata map[string]string) ([]byte, error) {
	if err := writable(tensors, metadata); err != nil {
		return nil, err
	}
	text := "{" + strings.Join(fields(tensors, metadata), ",") + "}"
	text += strings.Repeat(" ", -len(text)&7)
	if len(text) > maxHeader {
		return nil, wrong(fmt.Sprintf("names and metadata of %d bytes", len(text)), fmt.Sprintf("at most %d", maxHeader))
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), nil
}

// writable wants tensors that can be read again.
func writable(tensors []Tensor, metadata map[string]string) error {
	seen := map[string]bool{metadataKey: true}
	for _, t := range tensors {
		if seen[t.Name] {
			return inTensor(t.Name, wrong("the name twice, or reserved", "names of their own"))
		}
		seen[t.Name] = true
		if !utf8.ValidString(t.Name) {
			return inTensor(t.Name, wrong("bytes in the name that are not UTF-8", "text"))
		}
		if err := t.check(); err != nil {
			return err
		}
	}
	for key, value := range metadata {
		if !utf8.ValidString(key + value) {
			return inKey(metadataKey, wrong(fmt.Sprintf("%q: %q", key, value), "UTF-8 text"))
		}
	}
	return nil
}

// fields is the header's entries as JSON.
func fields(tensors []Tensor, metadata map[string]string) []string {
	var list []string
	if len(metadata) > 0 {
		list = append(list, toJSON(metadataKey)+":"+toJSON(metadata))
	}
	end := int64(0)
	for _, t := range tensors {
		begin := end
		end += int64(len(t.Data))
		list = append(list, toJSON(t.Name)+":"+toJSON(record{t.DType.String(), append([]int{}, t.Shape...), [2]int64{begin, end}}))
	}
	return list
}

// A record is what a header says of a tensor.
type record struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// toJSON is v in JSON without spaces, and with < > & as they are.
func toJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // The header's types can all be encoded.
	}
	return strings.TrimSuffix(b.String(), "\n")
}
