package pefttest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/peft"
	"peft/peft/pefttest"
	"peft/tensor"
)

const (
	block = 4*(pefttest.Size*pefttest.Size+pefttest.Size) + 2*pefttest.Size*pefttest.Inner + pefttest.Inner + pefttest.Size + 4*pefttest.Size
	head  = pefttest.Classes * (pefttest.Size + 1)
	model = (pefttest.Words+pefttest.Positions)*pefttest.Size + pefttest.Layers*block + head
)

func TestFull(t *testing.T) { pefttest.Test(t, peft.Full{}, pefttest.Want{Trained: model}) }
func TestFullWithoutHead(t *testing.T) {
	pefttest.Test(t, peft.Full{NoHead: true}, pefttest.Want{Trained: model - head})
}

func TestHeads(t *testing.T) { pefttest.Test(t, peft.Heads{}, pefttest.Want{Trained: head}) }

func TestLastLayers(t *testing.T) {
	pefttest.Test(t, peft.LastLayers{K: 1}, pefttest.Want{Trained: block + head})
	pefttest.Test(t, peft.LastLayers{K: pefttest.Layers}, pefttest.Want{Trained: pefttest.Layers*block + head})
	pefttest.Test(t, peft.LastLayers{K: 1, NoHead: true}, pefttest.Want{Trained: block})
	_, err := peft.Attach(tensor.Shapes(), pefttest.NewModel(1), peft.LastLayers{K: 9}, 1)
	require.ErrorContains(t, err, "K is 9, must be 1 to 2")
}
