// Package prefix holds the methods that put trained rows before what a model reads, and leave the model itself alone:
//
//   - prefix tuning (Li & Liang 2021, arXiv:2101.00190) puts keys and values before those of every attention: [Config]. Flat, it is P-tuning v2 (Liu et al. 2022, arXiv:2110.07602);
//     with Projection, a small network makes the rows while they are trained;
//   - prompt tuning (Lester et al. 2021, arXiv:2104.08691) puts virtual tokens before the input: [Prompt];
//   - P-tuning (Liu et al. 2021, arXiv:2103.10385) lets an MLP or an LSTM make the virtual tokens: [PTuning];
//   - multitask prompt tuning (Wang et al. 2023, arXiv:2303.02861) shares them between tasks, each of which scales them by a matrix of low rank of its own: [Multitask].
//   - context-aware prompt tuning (Blau et al. 2024, arXiv:2410.17222) puts solved examples there, whose embeddings move a little: [Context];
//   - LLaMA-Adapter (Zhang et al. 2023, arXiv:2303.16199) gives rows in the last blocks a softmax of their own, and a gate: [Adaption].
//
// With V rows, keys Pk and values Pv [V×heads·size] of one layer, an attention becomes
//
//	softmax(q·[Pk; k]ᵀ/√size + mask)·[Pv; v]
//
// and every query sees all V rows. As in Hugging Face PEFT they count as tokens: those of the input move V positions on, and in a sliding window the rows slide out like others. [Hub] and
// [HubPrompt] are prefix and prompt tuning as AdapterHub's library has them, whose rows take no positions.
//
// A decoder's classifier looks at the last real token, also behind virtual tokens; Hugging Face PEFT looks at the last position there, padding or not, so that an answer depends on how far
// its batch is padded.
//
//	patch, err := peft.Attach(dev, model, prefix.Config{Tokens: 20, Head: true}, seed)
//
// The rows are there from the start, so a fresh patch changes the model, and they cannot be folded into weights. What a network makes is computed once a pass; [peft.Collapse] replaces
// the network by its rows, and [peft.Save] writes only those, under Hugging Face's key prompt_embeddings.
package prefix
