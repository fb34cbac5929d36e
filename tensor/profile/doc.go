// Package profile says where the time of a computation goes, operation by operation, and how far each is from what the machine can do.
//
// [New] wraps a device: what is computed on the new one has the same bits, and is timed on the way. Nothing outside the device knows of it.
//
//	dev, report := profile.New(tensor.CPU(0))
//	patch, err := peft.Attach(dev, model, method, seed)
//	...
//	report.Reset() // after the first steps, which prepare weights
//	begin := time.Now()
//	... // some more steps
//	report.Table(os.Stderr, profile.Probe(tensor.CPU(0)), steps, time.Since(begin))
//
// Work is counted from the shapes of operands, not measured. A multiplication with addition is two operations; only products and attention have any, as all else is bound by memory. Bytes
// are those of the operands, each number that is read or written once: what caches cannot save. An operation whose share of the peak and of the bandwidth are both low is one to be made better.
//
// Operations of several goroutines are added up, so their times may be more than the time that passes.
package profile
