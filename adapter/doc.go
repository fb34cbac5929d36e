// Package adapter puts small bottleneck networks beside the sublayers of a transformer: sequential adapters (Houlsby et al. 2019, arXiv:1902.00751; Pfeiffer et al. 2020,
// arXiv:2005.00247), parallel ones (He et al. 2021, arXiv:2110.04366), Compacter's (Mahabadi et al. 2021, arXiv:2106.04647) and invertible ones on the embeddings (Pfeiffer et al. 2020,
// arXiv:2005.00052). With u what a sublayer computes from the residual stream x, the block's own norm LN, and
//
//	A(h) = s·(f(h·Downᵀ + b)·Upᵀ + c),  Down [r×d], Up [d×r],  r = d/Reduction
//
// a block with a norm after the sum and one without become
//
//	[Houlsby]    LN(u + A(u) + x)           x + u + A(u)
//	[Pfeiffer]   LN(u + A(LN(u+x)) + x)     x + u + A(u+x)
//	[Parallel]   LN(u + A(x) + x)           x + u + A(x)
//
// Each of these functions is a [Config] that can be changed before it is used, and a Config literal is a method too; the zero Config is Pfeiffer's:
//
//	patch, err := peft.Attach(dev, model, adapter.Config{Reduction: 8}, seed)
//
// [Compacter] and [CompacterPlusPlus] make Down and Up sums of Kronecker products, Config.Invertible adds an invertible map of the embeddings, and a [Fusion] learns to mix several trained
// adapters.
//
// Adapters are not linear, so they cannot be folded into weights. Importing the package lets peft.Load read folders of AdapterHub's library adapters, and peft.Save writes them.
package adapter
