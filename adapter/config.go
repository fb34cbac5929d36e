package adapter

import (
	"cmp"
	"fmt"

	"peft/peft"
	"peft/tensor"
)

// A Config is bottleneck adapters at the sublayers of a model. Its zero value is Pfeiffer's adapter: after each feed-forward network, a sixteenth as wide as the stream, with ReLU.
type Config struct {
	Name       string          // of the adapter, a part of its keys in files; empty means "adapter"
	At         []peft.Role     // the sublayers: of peft.SelfBlock, peft.CrossPart, peft.FFN; nil means the last
	LeaveOut   []int           // blocks without adapters, by number, the decoder's counted after the encoder's (AdapterDrop: Rücklé et al. 2021, arXiv:2010.11918)
	Reduction  float64         // how many times narrower than the stream the bottleneck is; 0 means 16, negative that Reductions lists every block
	Reductions map[int]float64 // that of single blocks
	Activation string          // f, as Hugging Face names it; empty means "relu"

	Input        Input    // what the bottleneck reads
	Residual     Residual // what its value is added to
	NoSum        bool     // what results is the block's output: no residual sum and no norm of the model come after
	NormBefore   bool     // a layer norm of its own before Down
	NormAfter    bool     // one after Up
	NormResidual bool     // the latter norms the residual too; not of a bottleneck that reads the stream

	Scale   float64 // s; 0 means 1
	Scaling Scaling // whether s is trained: then it starts at 1
	Gate    bool    // a trained gate from 0 to 1 on A, one for each sequence (UniPELT: Mao et al. 2022, arXiv:2110.07577)
	Dropout float64 // on A, in training
	Depth   float64 // probability that a sequence goes without A, in training (stochastic depth)

	Init       Init    // how weights start
	PHM        *PHM    // Down and Up are sums of Kronecker products; nil: matrices
	Invertible float64 // reduction factor of an invertible adapter on the embeddings; 0: none
	Inverse    bool    // undo it before the output embedding of a language model, as its paper has it and AdapterHub's library 1.3 does not
	Head       bool    // train the model's head whole
}

// An Input is what a bottleneck reads.
type Input string

// The inputs.
const (
	Sum    Input = ""       // the sum of stream and branch, through the norm after it if there is one
	Branch Input = "branch" // what the sublayer computes
	Stream Input = "stream" // the residual stream before the sublayer: the bottleneck is parallel to it
)

// A Residual is what the value of a sequential bottleneck is added to.
type Residual string

// The residuals.
const (
	ToBranch Residual = ""      // what the sublayer computes
	ToSum    Residual = "sum"   // the sum of stream and branch, before any norm
	ToInput  Residual = "input" // what the bottleneck reads
)

// A Scaling says whether the factor on a bottleneck's value is trained.
type Scaling string

// The kinds of scaling.
const (
	Fixed   Scaling = ""
	Learned Scaling = "learned" // one factor
	Channel Scaling = "channel" // one for each column
)

// An Init is how weights start; biases start at zero, norms and factors at one.
type Init string

// The initialisations. With Zero a fresh patch leaves the model as it is, with the others nearly.
const (
	Normal    Init = ""            // N(0, 0.02²)
	Zero      Init = "mam_adapter" // Down uniform within ±1/√d, Up zero
	Truncated Init = "houlsby"     // N(0, 0.01²), cut off at two standard deviations
)

// widest is the smallest reduction factor: a file must not ask for more memory than there is.
const widest = 1.0 / 16

func (c Config) name() string {
	if c.Name == "" {
		return "adapter"
	}
	return c.Name
}

func (c Config) roles() []peft.Role {
	if c.At == nil {
		return []peft.Role{peft.FFN}
	}
	return c.At
}

// width is the size of the bottleneck in a block whose stream has size d.
func (c Config) width(d, block int) (int, error) {
	factor, ok := c.Reductions[block]
	switch {
	case !ok && c.Reduction < 0:
		return 0, fmt.Errorf("field Reductions lacks block %d, and Reduction gives no factor for those it lacks", block)
	case !ok:
		factor = c.Reduction
	}
	if factor == 0 {
		factor = 16
	}
	if !(factor >= widest) {
		return 0, fmt.Errorf("the reduction factor is %v, must be at least %v", factor, widest)
	}
	return max(1, int(float64(d)/factor)), nil
}

func (c Config) check() error {
	for _, r := range c.At {
		if r != peft.SelfBlock && r != peft.CrossPart && r != peft.FFN {
			return fmt.Errorf("field At holds %q, must be of %q, %q and %q", r, peft.SelfBlock, peft.CrossPart, peft.FFN)
		}
	}
	for _, p := range []struct {
		name  string
		value float64
	}{{"Dropout", c.Dropout}, {"Depth", c.Depth}} {
		if !(p.value >= 0 && p.value < 1) {
			return fmt.Errorf("%s is %v, must be at least 0 and below 1", p.name, p.value)
		}
	}
	if _, err := c.function(); err != nil {
		return err
	}
	return c.checkWords()
}

func (c Config) checkWords() error {
	switch {
	case c.Input != Sum && c.Input != Branch && c.Input != Stream:
		return fmt.Errorf("Input is %q, must be empty, %q or %q", c.Input, Branch, Stream)
	case c.Residual != ToBranch && c.Residual != ToSum && c.Residual != ToInput:
		return fmt.Errorf("Residual is %q, must be empty, %q or %q", c.Residual, ToSum, ToInput)
	case c.Scaling != Fixed && c.Scaling != Learned && c.Scaling != Channel:
		return fmt.Errorf("Scaling is %q, must be empty, %q or %q", c.Scaling, Learned, Channel)
	case c.Init != Normal && c.Init != Zero && c.Init != Truncated:
		return fmt.Errorf("Init is %q, must be empty, %q or %q", c.Init, Zero, Truncated)
	case c.Invertible != 0 && !(c.Invertible >= widest):
		return fmt.Errorf("field Invertible is %v, must be a reduction factor of at least %v, or 0 for none", c.Invertible, widest)
	}
	return c.PHM.check()
}

// function is f.
func (c Config) function() (tensor.Func, error) { return peft.Activation(cmp.Or(c.Activation, "relu")) }
