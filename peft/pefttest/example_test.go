package pefttest_test

import (
	"fmt"

	"peft/peft"
	"peft/peft/pefttest"
	"peft/tensor"
)

// The model of the laws has sites of every kind.
func ExampleNewModel() {
	sites, err := peft.FindSites(tensor.Shapes(), pefttest.NewModel(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	for x := range sites.All() {
		if x.Layer() < 0 {
			fmt.Printf("%T %s\n", x, x.Name())
		}
	}
	// Output:
	// *peft.Embedding Words
	// *peft.Sequence Input
	// *peft.Embedding Places
	// *peft.Hidden Embedded
	// *peft.Hidden Last
	// *peft.Linear classifier
}
