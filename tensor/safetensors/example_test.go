package safetensors_test

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"peft/tensor/safetensors"
)

func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "adapter_model.safetensors")

	err = safetensors.Write(path, []safetensors.Tensor{
		safetensors.F32("lora_A.weight", []int{1, 3}, []float32{1, 2, 3}),
		safetensors.BF16("lora_B.weight", []int{2, 1}, []float32{0.5, -0.1}),
	}, map[string]string{"format": "pt"})
	if err != nil {
		log.Fatal(err)
	}

	f, err := safetensors.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	for t := range f.All() {
		values, err := t.Float32s()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(t.Name, t.DType, t.Shape, values)
	}
	// Output:
	// lora_A.weight F32 [1 3] [1 2 3]
	// lora_B.weight BF16 [2 1] [0.5 -0.100097656]
}

func ExampleParse() {
	var b bytes.Buffer
	labels := safetensors.I64("labels", []int{4}, []int64{0, 1, 1, -100})
	if err := safetensors.Encode(&b, []safetensors.Tensor{labels}, nil); err != nil {
		log.Fatal(err)
	}

	f, err := safetensors.Parse(b.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	t, ok := f.Tensor("labels")
	fmt.Println(t.Name, t.Shape, t.Len(), ok)
	fmt.Println(t.Ints())

	_, err = safetensors.Parse(b.Bytes()[:b.Len()-1])
	fmt.Println(err)
	// Output:
	// labels [4] 4 true
	// [0 1 1 -100] <nil>
	// safetensors: found 31 bytes of data, expected 32, where the last tensor ends
}
