package lora

import (
	"strings"

	"peft/peft"
)

// lora is the method that the package is named after.
var lora = kind{name: "LORA", bias: true, layout: true}

func init() {
	register(lora, decoder(lora, Config{Rank: 8, Alpha: 8}, unsupported...))
	peft.Register("dora", decoder(lora, Config{Rank: 8, Alpha: 8, DoRA: true}, unsupported...))
}

// unsupported are the fields of Hugging Face's configuration that ask for something else than this package makes.
var unsupported = []string{
	"use_qalora", "use_bdlora", "arrow_config", "kasa_config",
	"monteclora_config", "velora_config", "corda_config", "loftq_config",
}

// Config is the configuration that Hugging Face PEFT reads.
func (c Config) Config(s *peft.Sites) (map[string]any, error) {
	c.Alpha = c.ranks().alphaOr(c.Rank)
	if len(c.Parameters) == 0 {
		c.Parameters = nil
	}
	return lora.write(c.common(), s, c)
}

// Key is a parameter's name in adapter_model.safetensors: SITE.lora_A.weight, SITE.lora_B.bias, SITE.lora_embedding_A, or that of the base's own parameter.
func (c Config) Key(q *peft.Patch, x *peft.Param) string {
	site, field, _ := strings.Cut(x.Name, "/")
	key := c.common().Key(q, x)
	switch field {
	case "lora_bias":
		return peft.Wrapper + site + ".lora_B.bias"
	case "lora_A", "lora_B":
		return key + ".weight"
	}
	return key
}

// Aliases are the further keys of a parameter of the base that is trained, see [Common.Aliases].
func (c Config) Aliases(q *peft.Patch, x *peft.Param) []string { return c.common().Aliases(q, x) }
