// Package bitfit holds the methods that train vectors which the base has already, or could have: biases and the parameters of norms.
//
// BitFit (Ben Zaken et al. 2022, arXiv:2106.10199) freezes every matrix and trains the biases, less than a thousandth of a BERT:
//
//	y = x·Wᵀ + b,  b is trained, W is not
//
// A [Config] literal is the method; its zero value trains all biases, those of norms too:
//
//	patch, err := peft.Attach(dev, model, bitfit.Config{Head: true}, seed)
//
// Terms chooses biases by what their sites do. The paper's half-size subset is the bias of the query and of the first matrix of the feed-forward network:
//
//	bitfit.Config{Terms: []peft.Role{peft.Query, peft.Up}}
//
// Where a checkpoint fuses several maps into one, as GPT-2 does, only the part's entries are trained. Models without biases (Llama, T5) get zero biases with Add. What is trained is
// the bias itself and not a difference, so weight decay acts on it as in the paper's code; files hold it under the base's own name.
//
// [NormTuning] trains norms instead (LN_TUNING, Zhao et al. 2023, arXiv:2312.11420), and [ValueBias] adds a bias to value projections (BEFT, arXiv:2509.15974), both in the format of
// Hugging Face PEFT. All start as the identity and merge.
package bitfit
