package lora

import (
	"slices"

	"peft/peft"
	"peft/tensor"
)

// cayley is (I − Q)·(I + Q)⁻¹ − I = 2·((I + Q)⁻¹ − I) for skew-symmetric blocks Q [G×b×b], the change that an orthogonal matrix makes: exactly zero for Q = 0.
func cayley(p *peft.Pass, skew *tensor.Tensor) *tensor.Tensor {
	n := skew.Cols()
	one := make([]float64, n*n)
	for i := range n {
		one[i*n+i] = 1
	}
	ones := p.Scope().Tensor(slices.Repeat(one, skew.Rows()/n), skew.Shape()...)
	return tensor.Scale(tensor.Sub(tensor.Inverse(tensor.Add(skew, ones)), ones), 2)
}

// neumann is the same but for an error that vanishes with Q: 2·Q + 2·Q² + … with so many terms, I among them, the last counted once. There are at least 2·Q + 2·Q² + Q³ once there are three.
func neumann(skew *tensor.Tensor, terms int) *tensor.Tensor {
	groups, n := skew.Shape()[0], skew.Cols()
	if terms < 2 {
		return tensor.Scale(skew, 0)
	}
	power := tensor.Reshape(swap(skew, 1, groups, n), n, groups*n) // blocks side by side
	sum := tensor.Scale(power, 2)
	for i := 2; terms > 2 && i <= max(3, terms-1); i++ {
		power = tensor.BlockMatMul(power, skew)
		weight := 2.0
		if i == max(3, terms-1) {
			weight = 1
		}
		sum = tensor.Add(sum, tensor.Scale(power, weight))
	}
	return tensor.Reshape(swap(sum, 1, n, groups), groups, n, n)
}
