package reference_test

import (
	"testing"

	"peft/tensor/internal/backendtest"
	"peft/tensor/internal/reference"
)

// The reference against itself: it writes where it should and nowhere else, reads what it should and nothing else, and repeats itself.
func TestSuite(t *testing.T) { backendtest.Run(t, reference.New()) }
