// Package train trains patches: the loop around forward pass, backward pass and update, and what a long run needs beside it.
//
// A [Job] says what is trained: a patch, how many examples there are, and a function that runs the model on some of them, by their numbers. [Run] does the rest as
// a [Config] says, and moves the parameters of the patch in place:
//
//	job := train.Job{
//		Patch:    patch,
//		Examples: len(texts),
//		Loss: func(p *peft.Pass, rows []int) (train.Loss, error) {
//			logits := model.Logits(p, rows)
//			return train.Loss{Value: tensor.CrossEntropy(logits, labels(rows)), Targets: len(rows), Tokens: tokens(rows)}, nil
//		},
//	}
//	result, err := train.Run(ctx, job, train.Config{Epochs: 3, Batch: 16, LR: 5e-4, Warmup: 0.06, Clip: 1})
//
// Everything has the values of Hugging Face's trainer where the names are the same: AdamW as PyTorch computes it, on every trained parameter alike; schedules that count
// from step 0; the gradient's norm before clipping in the log; the mean over all targets of a step, however many batches it is accumulated from.
//
// # A step is a function of its number
//
// Which examples a step takes, what dropout drops and where random routes go follow from the seed and the step's number alone. So a run that was killed goes on from its
// checkpoint bit for bit, on any number of threads. The checkpoint is one safetensors file with the parameters, the optimizer's moments and the counts, replaced
// whole or not at all; a [LogFile] is cut back to it.
//
// # How a run ends
//
// Run returns when all steps are done, when evaluations stop getting better ([Config.Patience]), when the context is cancelled, or on an error. The patch is whole in every
// case, since nothing is updated by a step whose loss or gradient is not finite. A program that saves on Ctrl-C:
//
//	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
//	defer stop()
//	result, err := train.Run(ctx, job, config)
//	if err != nil && !result.Interrupted {
//		return err
//	}
//	return errors.Join(err, peft.Save(dir, patch, peft.Info{}))
//
// # Memory
//
// [PeakMemory] says what a run will take before it begins, by going through a step on a device whose tensors have no numbers. [Config.Recompute] makes activations those of one block at a time, for
// a third more time.
//
// # Data
//
// [Read] and [ReadFile] read examples from JSON lines and [Labels] numbers their classes; what is wrong with a file is said with its line. Nothing in Run depends on
// them.
package train
