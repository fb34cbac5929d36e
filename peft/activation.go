package peft

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"peft/tensor"
)

// activations are the functions by their names in Hugging Face's and AdapterHub's libraries.
var activations = map[string]tensor.Func{
	"relu": tensor.ReLU, "leakyrelu": tensor.LeakyReLU, "leaky_relu": tensor.LeakyReLU, "gelu_accurate": tensor.GELUTanh, "gelu": tensor.GELU, "gelu_python": tensor.GELU, "gelu_new": tensor.GELUTanh, "gelu_fast": tensor.GELUTanh,
	"gelu_pytorch_tanh": tensor.GELUTanh, "quick_gelu": tensor.QuickGELU, "silu": tensor.SiLU, "swish": tensor.SiLU, "tanh": tensor.Tanh, "sigmoid": tensor.Sigmoid,
	"linear": tensor.Identity, "gelu_python_tanh": tensor.GELUTanh, "gelu_10": tensor.ClippedGELU, "mish": tensor.Mish, "laplace": tensor.Laplace, "relu6": tensor.ReLU6, "relu2": tensor.SquaredReLU,
}

// Activation is the function with a name in Hugging Face's and AdapterHub's libraries, in capitals or not.
func Activation(name string) (tensor.Func, error) {
	f, ok := activations[strings.ToLower(name)]
	if !ok {
		return f, fmt.Errorf("Activation is %q, must be one of %s", name, strings.Join(slices.Sorted(maps.Keys(activations)), ", "))
	}
	return f, nil
}
