package lora_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/lora"
	"peft/peft"
	"peft/tensor"
	"peft/train"
)

// TestREADME wants the README to show the program below.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	test, err := os.ReadFile("readme_test.go")
	require.NoError(t, err)
	_, program, _ := strings.Cut(string(test), "\n// Net is")
	program, _, _ = strings.Cut(program, "\t// Output:")
	program = strings.Replace("// Net is"+program, "func Example_ownModel() {", "func main() {", 1)
	require.Contains(t, string(readme), program+"}\n```")
}

// Net is a small network; what is a site can be adapted from outside.
type Net struct{ Up, Down peft.Linear }

// Forward computes through the sites.
func (n *Net) Forward(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	return n.Down.Apply(p, n.Up.Activated(p, x, tensor.ReLU))
}

func Example_ownModel() {
	dev := tensor.CPU(0)
	net := &Net{Up: peft.LinearOf([]float32{1, -1, 2, 1, 0, 1}, nil, 2), Down: peft.LinearOf([]float32{1, 1, 2, -1, 2, 0}, nil, 3)}
	patch, err := peft.Attach(dev, net, lora.Config{Rank: 1, On: peft.Named("*")}, 1)
	if err != nil {
		log.Fatal(err)
	}
	inputs, classes := []float64{1, 2, 2, 1}, []int32{0, 1}
	loss := func(p *peft.Pass, _ []int) (train.Loss, error) {
		logits := net.Forward(p, p.Scope().Tensor(inputs, 2, 2))
		return train.Loss{Value: tensor.CrossEntropy(logits, classes), Targets: 2}, nil
	}
	result, err := train.Run(context.Background(), train.Job{Patch: patch, Examples: 2, Loss: loss}, train.Config{Steps: 50, Batch: 2, LR: 0.1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%v\nloss after %d steps: %.4f\n", patch.Summary(), result.Steps, result.Loss)
	// Output:
	//          2  [1 2]          Up/lora_A
	//          3  [3 1]          Up/lora_B
	//          3  [1 3]          Down/lora_A
	//          2  [2 1]          Down/lora_B
	// trained 10 of 22 (45.4545 %)
	// loss after 50 steps: 0.0019
}
