package pefttest_test

import (
	"testing"

	"peft/peft"
	"peft/peft/pefttest"
)

const (
	block = 4*(pefttest.Size*pefttest.Size+pefttest.Size) + 2*pefttest.Size*pefttest.Inner + pefttest.Inner + pefttest.Size + 4*pefttest.Size
	head  = pefttest.Classes * (pefttest.Size + 1)
	model = (pefttest.Words+pefttest.Positions)*pefttest.Size + pefttest.Layers*block + head
)

func TestFull(t *testing.T)  { pefttest.Test(t, peft.Full{}, pefttest.Want{Trained: model}) }
func TestHeads(t *testing.T) { pefttest.Test(t, peft.Heads{}, pefttest.Want{Trained: head}) }
