// Package optim updates trained tensors from their gradients: AdamW and SGD as PyTorch defines them, learning-rate schedules as Hugging Face
// names them, and clipping by global norm.
//
// An [Optimizer] is made of groups of named parameters, each with the [Rule] that updates them, so learning rates and decay may differ between
// groups:
//
//	opt, err := optim.New(
//		optim.Group{Rule: optim.AdamW{LR: 1e-3}, Params: adapter},
//		optim.Group{Rule: optim.AdamW{LR: 5e-3, Decay: 0.01}, Params: head},
//	)
//	schedule := optim.Linear(10, 1000)
//	for step := range 1000 {
//		grads := tensor.Backward(loss(step))
//		norm, err := opt.Step(grads, schedule(step))
//		grads.Release()
//	}
//
// # What has no gradient stays as it is
//
// A parameter that no gradient flowed to is untouched by a step: no decay, no moments, and no count, since steps are counted by parameter. A step
// whose gradients are not finite changes nothing at all and is an error.
//
// # State
//
// [Optimizer.Steps] and [Optimizer.Moments] are the whole state. A checkpoint stores both; [Optimizer.Resume] takes the counts back, after which the moments
// are there to be assigned. An optimizer that goes on from them makes the same bits as one that never stopped.
package optim
