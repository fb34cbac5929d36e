package adapter

import "peft/peft"

// Pfeiffer is one adapter a block, after the feed-forward network: it reads the normed sum and is added to the branch, and the model's norm follows again. AdapterHub calls it seq_bn.
func Pfeiffer() Config { return Config{} }

// Houlsby is two adapters a block, after attention and after the feed-forward network, with SiLU: each reads the branch and is added to it. AdapterHub calls it double_seq_bn.
func Houlsby() Config {
	return Config{At: []peft.Role{peft.SelfBlock, peft.FFN}, Input: Branch, Activation: "swish"}
}

// Parallel is one adapter a block, half as wide as the stream, beside the feed-forward network: it reads the stream before it and starts at zero, and its value counts fourfold.
// AdapterHub calls it par_bn.
func Parallel() Config {
	return Config{Input: Stream, Reduction: 2, Scale: 4, Init: Zero}
}

// ScaledParallel is [Parallel] with a trained factor. AdapterHub calls it scaled_par_bn.
func ScaledParallel() Config {
	c := Parallel()
	c.Scale, c.Scaling = 0, Learned
	return c
}

// Compacter is [Houlsby] with sums of Kronecker products for matrices, GELU and a reduction of 32.
func Compacter() Config {
	c := Houlsby()
	c.Activation, c.Reduction, c.PHM = "gelu", 32, &PHM{}
	return c
}

// CompacterPlusPlus is [Compacter] in the places of [Pfeiffer].
func CompacterPlusPlus() Config {
	return Config{Activation: "gelu", Reduction: 32, PHM: &PHM{}}
}

// Plus is Adapter+ (Steitz and Roth 2024, arXiv:2406.06820), meant for vision transformers: what results is the block's output, and each channel has a trained factor.
func Plus() Config {
	return Config{Activation: "gelu", Reduction: 96, Residual: ToInput, NoSum: true, Depth: 0.1, Init: Truncated, Scaling: Channel}
}

// inverting is a configuration with an invertible adapter on the embeddings.
func (c Config) inverting() Config {
	c.Invertible = 2
	return c
}

// presets are the configurations by their names in AdapterHub's library, today's and those of old.
var presets = map[string]Config{
	"adapter": Pfeiffer(), "seq_bn": Pfeiffer(), "pfeiffer": Pfeiffer(), "seq_bn_inv": Pfeiffer().inverting(), "pfeiffer+inv": Pfeiffer().inverting(),
	"double_seq_bn": Houlsby(), "houlsby": Houlsby(), "double_seq_bn_inv": Houlsby().inverting(), "houlsby+inv": Houlsby().inverting(),
	"parallel": Parallel(), "par_bn": Parallel(), "scaled_parallel": ScaledParallel(), "scaled_par_bn": ScaledParallel(),
	"compacter": Compacter(), "compacter++": CompacterPlusPlus(), "adapter_plus": Plus(),
}
