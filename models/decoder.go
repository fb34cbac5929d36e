package models

import (
	"fmt"

	"peft/peft"
	"peft/tensor"
)

// The types of layers that attend differently.
const (
	fullLayer    = "full_attention"
	slidingLayer = "sliding_attention" // sees only what is less than sliding_window tokens back
)

// gemma3 is the type of the text models of Gemma 3.
const gemma3 = "gemma3_text"

// layerType is the type of a layer.
func (c *Config) layerType(i int) string {
	switch {
	case len(c.LayerTypes) > 0:
		return c.LayerTypes[i]
	case c.ModelType == gemma3 && (i+1)%max(1, c.Pattern) != 0:
		return slidingLayer
	case c.Window > 0 && (c.ModelType == "mistral" || c.UseWindow && i >= c.FirstWindow):
		return slidingLayer
	}
	return fullLayer
}

// window is how far back a layer sees, 0 for all the way.
func (c *Config) window(layer int) int {
	if c.layerType(layer) == slidingLayer {
		return c.Window
	}
	return 0
}

// freeHeads reports whether heads may be of any size, as a linear map goes from all of them to the hidden size.
func (c *Config) freeHeads() bool { return c.Theta != 0 && c.ModelType != "gpt_neox" }

// headNorms reports whether the queries and keys of each head are normed.
func (c *Config) headNorms() bool { return c.ModelType == "qwen3" || c.ModelType == gemma3 }

// rmsNorm is an RMS norm of rows of a size.
func (c *Config) rmsNorm(size int) peft.Norm {
	offset := 0.0
	if c.ModelType == gemma3 {
		offset = 1
	}
	return peft.Norm{Size: size, Eps: c.Eps, RMS: true, Offset: offset, W: &peft.Frozen{Shape: []int{size}}, B: &peft.Frozen{Shape: []int{size}, Absent: true}}
}

// checkDecoder refuses what no decoder has, and works out the rotary positions of each type of layer.
func (c *Config) checkDecoder() (err error) {
	switch {
	case c.KVHeads < 1 || c.Heads%c.KVHeads != 0:
		return fmt.Errorf("config.json: num_attention_heads %d is no multiple of num_key_value_heads %d", c.Heads, c.KVHeads)
	case c.HeadSize < 1 || c.HeadSize > 1<<16 || c.HeadSize*c.Heads != c.Hidden && !c.freeHeads():
		return fmt.Errorf("config.json: head_dim is %d, expected a size that suits %d heads and hidden_size %d", c.HeadSize, c.Heads, c.Hidden)
	case c.Window < 0:
		return fmt.Errorf("config.json: sliding_window is %d, expected a number of tokens", c.Window)
	case len(c.LayerTypes) > 0 && len(c.LayerTypes) != c.Layers:
		return fmt.Errorf("config.json: %d layer_types for %d layers", len(c.LayerTypes), c.Layers)
	case c.LastSoftcap != 0 || c.Bidirectional:
		return fmt.Errorf("config.json: final_logit_softcapping and use_bidirectional_attention are not supported")
	case c.ModelType == "opt" && (!c.NormBefore || !c.NormAffine || c.NoLastNorm || c.WordSize != c.Hidden):
		return fmt.Errorf("config.json: of OPT, norms after the sums, norms without gains and word_embed_proj_dim %d beside hidden_size %d are not supported", c.WordSize, c.Hidden)
	case c.Theta == 0:
		return nil
	}
	c.rotaries = map[string]tensor.Rotary{}
	for i := range c.Layers {
		t := c.layerType(i)
		if t != fullLayer && t != slidingLayer {
			return fmt.Errorf("config.json: layer_types: %q is not supported", t)
		}
		if _, known := c.rotaries[t]; known {
			continue
		}
		if c.rotaries[t], err = c.rotary(t); err != nil {
			return err
		}
	}
	return nil
}

// rotary is the rotary positions of a type of layer.
func (c *Config) rotary(layer string) (tensor.Rotary, error) {
	r, err := c.ropeFor(layer)
	if err != nil {
		return tensor.Rotary{}, err
	}
	return r.rotary(c.HeadSize)
}
