// Package pefttest tests a method against the laws that every method obeys, in the manner of testing/fstest:
//
//	func TestLaws(t *testing.T) {
//		pefttest.Test(t, lora.Config{Rank: 4}, pefttest.Want{Trained: 256})
//	}
//
// The method is attached to a small [Model] that has a site of every kind. The laws are:
//
//   - identity: a fresh patch changes nothing, to the bit;
//   - purity: nothing writes the base, and only the patch's parameters get gradients;
//   - gradient: gradients are the derivatives of the loss, by central differences in float64, in evaluation and in training;
//   - fold: the merged patch computes the same, or the merge is refused;
//   - undo: a pass without the merged patch is the base again, to the bit;
//   - fuse: a product and what is added to it, in one kernel, are what they are one after the other, in value and in all gradients;
//   - collapse: the patch's final form, rows in place of the network that makes them, the mean in place of a pool, computes the same;
//   - rows: what says that it treats each row by itself does;
//   - file: a patch that is saved and loaded is the same, or its final form, and computes the same, to the bit;
//   - route: a row of a mixed batch is what it is alone with its own patch;
//   - repeat: blocks that are computed again in the backward pass draw the same, to the bit;
//   - concurrency: many goroutines with different patches over one base compute what each computes alone;
//   - count: the number of trained parameters is the one expected.
package pefttest
