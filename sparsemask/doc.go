// Package sparsemask trains a fixed choice of single numbers of a model and leaves all others as they are.
//
// FISH masks (Sung, Nair and Raffel 2021, arXiv:2111.09839) choose those that matter most to the task at hand, by the diagonal of the empirical Fisher information: the score of a number θ
// is the sum over examples, one at a time, of its squared gradient
//
//	F_θ = Σ_n (∂ loss(x_n, y_n) / ∂θ)²
//
// and of all numbers of the model together the largest are trained. So there are two steps, an estimation on data and the training:
//
//	sites, err := peft.FindSites(dev, model)
//	scores, err := sparsemask.Estimate(ctx, sites, sparsemask.Label, data)
//	patch, err := peft.AttachTo(sites, sparsemask.Config{Keep: 0.005, Head: true, Scores: scores}, seed)
//
// [Expect] takes the expectation over the model's own predictions in place of the true labels. [Magnitude] and [Random] need no data. What is trained is the number itself, so weight decay
// acts on it, and on nothing else. A trained entry costs what it is: no copy of a weight is made, of a weight's gradient only its chosen entries are computed, and the optimizer keeps
// state for these alone. Files hold the chosen places and the values there, so loading needs no data.
//
// [SHiRA] adds trained numbers to random entries of some linear maps, in the format of Hugging Face PEFT.
package sparsemask
