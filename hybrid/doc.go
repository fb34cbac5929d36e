// Package hybrid holds methods that are made of others, by the combinators of package peft:
//
//   - the mix-and-match adapter (He et al. 2021, arXiv:2110.04366) puts a prefix before every attention and an adapter beside every feed-forward network: [MAM];
//   - UniPELT (Mao et al. 2022, arXiv:2110.07577) puts LoRA, a prefix and adapters into a model, each with a gate that says for each sequence how much of it is used: [UniPELT];
//   - AdaMix (Wang et al. 2022, arXiv:2205.12410) trains several experts of a method, of which every pass draws one, and averages them in the end: [AdaMix].
//
// Each is a configuration that is a method, as everywhere:
//
//	patch, err := peft.Attach(dev, model, hybrid.AdaMix{Of: adapter.Config{Reduction: 48}}, seed)
//
// Other mixtures are made in the same way:
//
//	peft.Combine(prefix.Hub{Tokens: 10}, peft.Gated(lora.Config{Rank: 8}))
//
// Importing the package lets peft.Load read MAM and UniPELT as AdapterHub's library writes them.
package hybrid
