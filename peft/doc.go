// Package peft adapts a frozen model to a task by training a few parameters.
//
// One idea carries it. A model is frozen and has named sites ([Linear], [Norm], [Embedding], [Sublayer], [Attention], [Hidden], [Sequence]): plain structs in the model's own
// struct, through which it computes. A [Method] looks at the sites and returns a [Patch], which does three things only:
//
//   - it adds a [Delta], a small trainable function, at a site;
//   - it prepends [Rows] to a site's keys and values, or inserts them into the input sequence;
//   - it lets a [StandIn] take the place of a [Frozen] parameter.
//
// What is patched in is all that is trained, saved, gated, mixed, routed and merged. The patch lives beside the model and the base is never written, so many goroutines can run different
// patches over one model at once. Which patches are on, whether dropout acts, and where randomness comes from is said by a [Pass], which goes through every Apply on the
// way down, like a context:
//
//	dev := tensor.CPU(0)
//	patch, err := peft.Attach(dev, model, lora.Config{Rank: 8, Alpha: 16}, seed)
//	...
//	p := peft.With(dev, patch)
//	defer p.Close()
//	loss := model.Loss(p, batch)
//	grads := tensor.Backward(loss)
//
// Methods are put together as HTTP middleware is: [Combine] is several as one, [Gated] one with gates, a [Mixture] several experts of one. Trained patches are put together by [Stack],
// [Average], [Split], [BatchSplit] and [Parallel].
//
// A patch left out of the pass is detached. [Merge] folds patches into one of plain stand-ins; leaving that out is the undo. [Save] and [Load] read and write
// the folders that Hugging Face PEFT does.
package peft
