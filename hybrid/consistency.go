package hybrid

import "peft/tensor"

// consistency is ½·(KL(b‖a) + KL(a‖b)) of the distributions that two tables of logits [rows×classes] make, the mean over the rows that are scored. A gradient flows through the second
// argument of each KL only.
func consistency(a, b *tensor.Tensor, labels []int32) *tensor.Tensor {
	var scored []int32
	for i, y := range labels {
		if y != tensor.Ignore {
			scored = append(scored, int32(i))
		}
	}
	if len(scored) == 0 {
		return tensor.Scale(tensor.Sum(a), 0)
	}
	a, b = tensor.GatherRows(a, scored, nil), tensor.GatherRows(b, scored, nil)
	return tensor.Scale(tensor.Add(divergence(b, a), divergence(a, b)), 0.5)
}

// divergence is KL(q‖p), the mean over rows, with q held as it is.
func divergence(q, p *tensor.Tensor) *tensor.Tensor {
	q = q.Detach()
	target := tensor.Softmax(q)
	return tensor.Sub(crossEntropy(target, p), crossEntropy(target, q))
}

// crossEntropy is −Σ target·log softmax(x), the mean over rows. Since a row of target adds up to one, that is the row's log Σ exp(x), which is what the cross-entropy of its first class has
// beside −x₀, less Σ target·x: no logarithm of a probability that has become zero.
func crossEntropy(target, x *tensor.Tensor) *tensor.Tensor {
	firsts := tensor.CrossEntropy(x, make([]int32, x.Rows()))
	rows := 1 / float64(x.Rows())
	away := tensor.Sub(tensor.Columns(x, 0, 1), tensor.SumCols(tensor.Mul(target, x)))
	return tensor.Add(firsts, tensor.Scale(tensor.Sum(away), rows))
}
