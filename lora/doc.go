// Package lora holds the methods that reparameterise a linear map by few numbers, first of all LoRA itself (Hu et al. 2021, arXiv:2106.09685):
//
//	y = x·Wᵀ + b + s·(dropout(x)·Aᵀ)·Bᵀ,  A [r×in], B [out×r],  s = α/r
//
// A [Config] literal is the method:
//
//	patch, err := peft.Attach(dev, model, lora.Config{Rank: 8, Alpha: 16, On: peft.Named("*.query", "*.value")}, seed)
//
// B starts at zero, so a fresh patch changes nothing. Importing the package lets peft.Load read folders of Hugging Face PEFT's type LORA, and peft.Save writes them.
package lora
