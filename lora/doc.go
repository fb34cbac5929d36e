// Package lora holds the methods that reparameterise a linear map by few numbers, first of all LoRA itself (Hu et al. 2021, arXiv:2106.09685):
//
//	y = x·Wᵀ + b + s·(dropout(x)·Aᵀ)·Bᵀ,  A [r×in], B [out×r],  s = α/r
//
// A configuration literal is a method. LoRA's is [Config]; those of the other methods embed a [Common], which says where they act and what else is trained:
//
//	patch, err := peft.Attach(dev, model, lora.Config{Rank: 8, Alpha: 16, On: peft.Named("*.query", "*.value")}, seed)
//	patch, err := peft.Attach(dev, model, lora.HRA{Rank: 8, Common: lora.Common{Head: true}}, seed)
//
// Where nothing is chosen, a method acts on the maps that Hugging Face PEFT takes for the model's type. Most start so that a fresh patch changes nothing.
//
//	what is trained                                     methods
//	low rank                                            [Config] and its DoRA, RSLoRA, aLoRA, [PiSSA], [OLoRA]; [AdaLoRA], [DeLoRA], [GraLoRA], [MiSS]
//	low rank from shared or random factors              [VeRA], [RandLoRA], [VBLoRA]
//	whole updates made of few numbers                   [LoHa], [LoKr], [HiRA], [FourierFT], [C3A]
//	rotations of the input, orthogonal                  [OFT], [BOFT], [HRA]
//	scales and rotations of inputs or outputs           [IA3], [RoAd]
//	rows of an embedding; edits of hidden states        [Tokens]; [ReFT]
//	other steps of the optimizer for LoRA               [Plus], [FA]
//
// [Weighted] combines trained patches of LoRA into one; [FromHub] and [ToHub] turn patches of LoRA and IA3 into the form of another library and back.
//
// All but [ReFT] and aLoRA, which act on some rows and not on others, disappear into weights by [peft.Merge]. Importing the package lets [peft.Load] read folders of these methods as Hugging
// Face PEFT writes them, under its peft_type ("LORA", "HRA", in lower case in a configuration with a "method"), and those of ReFT as AdapterHub's library does. [peft.Save] writes them. An
// option that a method here lacks is refused by name.
package lora
