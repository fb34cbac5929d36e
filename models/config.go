package models

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"peft/tensor"
)

// A Config is what this package reads of a config.json, in BERT's words: see dialect.go for those of other model types.
type Config struct {
	Architectures []string                 `json:"architectures"`
	ModelType     string                   `json:"model_type"`
	Act           string                   `json:"hidden_act"`
	Hidden        int                      `json:"hidden_size"`
	Intermediate  int                      `json:"intermediate_size"`
	Layers        int                      `json:"num_hidden_layers"`
	Heads         int                      `json:"num_attention_heads"`
	Positions     int                      `json:"max_position_embeddings"`
	Types         int                      `json:"type_vocab_size"`
	Vocabulary    int                      `json:"vocab_size"`
	Eps           float64                  `json:"layer_norm_eps"`
	Dropout       float64                  `json:"hidden_dropout_prob"`
	AttnDropout   float64                  `json:"attention_probs_dropout_prob"`
	HeadDropout   *float64                 `json:"classifier_dropout"`
	PadID         int                      `json:"pad_token_id"`
	Tie           *bool                    `json:"tie_word_embeddings"`
	PositionType  string                   `json:"position_embedding_type"`
	IsDecoder     bool                     `json:"is_decoder"`
	LabelNames    map[string]string        `json:"id2label"`
	NumLabels     int                      `json:"num_labels"`
	order         []int                    // of the layers, see [Options]; nil: as they are
	rotaries      map[string]tensor.Rotary // by type of layer
	Pool          Pool                     `json:"pool"` // of a classifier that this library wrote: transformers has none on the mean
	EmbedDropout  float64                  `json:"embedding_dropout"`
	KVHeads       int                      `json:"num_key_value_heads"`
	HeadSize      int                      `json:"head_dim"`
	Theta         float64                  `json:"rope_theta"` // 0: the model has no rotary positions
	LocalTheta    float64                  `json:"rope_local_base_freq"`
	PartialRotary float64                  `json:"partial_rotary_factor"`
	RopeScaling   json.RawMessage          `json:"rope_scaling"`
	Rope          json.RawMessage          `json:"rope_parameters"`
	Window        int                      `json:"sliding_window"`
	UseWindow     bool                     `json:"use_sliding_window"`
	FirstWindow   int                      `json:"max_window_layers"`
	LayerTypes    []string                 `json:"layer_types"`
	AttentionBias bool                     `json:"attention_bias"`
	FeedBias      bool                     `json:"mlp_bias"`
	Pattern       int                      `json:"sliding_window_pattern"` // one layer in so many sees all the way back
	QueryScalar   float64                  `json:"query_pre_attn_scalar"`
	Softcap       float64                  `json:"attn_logit_softcapping"`
	LastSoftcap   float64                  `json:"final_logit_softcapping"`
	Bidirectional bool                     `json:"use_bidirectional_attention"`
	Parallel      bool                     `json:"use_parallel_residual"`
	Bias          bool                     `json:"enable_bias"`
	NormBefore    bool                     `json:"do_layer_norm_before"`
	NormAffine    bool                     `json:"layer_norm_elementwise_affine"`
	NoLastNorm    bool                     `json:"_remove_final_layer_norm"`
	WordSize      int                      `json:"word_embed_proj_dim"`
	ScaleScores   bool                     `json:"scale_attn_weights"`
	ScaleByLayer  bool                     `json:"scale_attn_by_inverse_layer_idx"`
}

// ReadConfig reads the config.json of a model folder.
func ReadConfig(dir string) (*Config, error) {
	text, err := readConfig(dir)
	if err != nil {
		return nil, fmt.Errorf("models: %w", err)
	}
	c, err := parseConfig(text)
	if err != nil {
		return nil, fmt.Errorf("models: %s: %w", dir, err)
	}
	return c, nil
}

// readConfig is the content of config.json.
func readConfig(dir string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err == nil {
		return text, nil
	}
	info, stat := os.Stat(dir)
	inside, _ := filepath.Glob(filepath.Join(dir, "*.gguf"))
	switch {
	case stat != nil:
		return nil, err
	case len(inside) > 0 || strings.EqualFold(filepath.Ext(dir), ".gguf"):
		return nil, fmt.Errorf("%s: GGUF files are not supported yet, only folders with config.json and safetensors", dir)
	case !info.IsDir():
		return nil, fmt.Errorf("%s: found a file, expected a folder with config.json and safetensors", dir)
	}
	return nil, err
}

// HeadTask is the task of the class of model that the folder holds.
func (c *Config) HeadTask() Task {
	for _, a := range families[c.ModelType].architectures {
		if slices.Contains(c.Architectures, a.name) {
			return a.task
		}
	}
	return NoTask
}

// Labels is the number of classes that the configuration names; 2 where it names none, as in transformers.
func (c *Config) Labels() int {
	switch {
	case len(c.LabelNames) > 0:
		return len(c.LabelNames)
	case c.NumLabels > 0:
		return c.NumLabels
	}
	return 2
}

// Names are the names of the classes, in their order; none where the configuration names none.
func (c *Config) Names() []string {
	names := make([]string, len(c.LabelNames))
	for i := range names {
		name, ok := c.LabelNames[strconv.Itoa(i)]
		if !ok {
			return nil
		}
		names[i] = name
	}
	return names
}

// check refuses sizes that no model has, before anything is made of them. stored is the number of tensors in the file.
func (c *Config) check(stored int) error {
	sizes := []struct {
		field string
		value int
	}{
		{"hidden_size", c.Hidden}, {"intermediate_size", c.Intermediate}, {"num_hidden_layers", c.Layers}, {"num_attention_heads", c.Heads},
		{"max_position_embeddings", c.Positions}, {"type_vocab_size", c.Types}, {"vocab_size", c.Vocabulary},
	}
	for _, s := range sizes {
		if s.value < 1 || s.value > 1<<28 {
			return fmt.Errorf("config.json: %s is %d, expected a size", s.field, s.value)
		}
	}
	switch {
	case c.Hidden%c.Heads != 0 && !c.freeHeads():
		return fmt.Errorf("config.json: hidden_size %d is no multiple of num_attention_heads %d", c.Hidden, c.Heads)
	case c.Layers > stored:
		return fmt.Errorf("config.json: num_hidden_layers is %d, the file holds %d tensors in all", c.Layers, stored)
	case !(c.Eps >= 0 && c.Eps < 1):
		return fmt.Errorf("config.json: layer_norm_eps is %v, expected a small number, not negative", c.Eps)
	case c.PositionType != "" && c.PositionType != "absolute":
		return fmt.Errorf("config.json: position_embedding_type %q is not supported, only \"absolute\"", c.PositionType)
	case c.IsDecoder:
		return fmt.Errorf("config.json: is_decoder is not supported for %s", c.ModelType)
	}
	if _, err := c.act(); err != nil {
		return err
	}
	if err := c.checkDropout(); err != nil {
		return err
	}
	return c.checkDecoder()
}

// checkDropout wants shares that are left out to leave something.
func (c *Config) checkDropout() error {
	for _, d := range []struct {
		field string
		share float64
	}{{"hidden_dropout_prob", c.Dropout}, {"attention_probs_dropout_prob", c.AttnDropout}, {"embedding_dropout", c.EmbedDropout}, {"classifier_dropout", c.headDropout()}} {
		if !(d.share >= 0 && d.share < 1) {
			return fmt.Errorf("config.json: %s is %v, must be at least 0 and below 1", c.theirs(d.field), d.share)
		}
	}
	return nil
}

// activations are the functions that Hugging Face names.
var activations = map[string]tensor.Func{
	"gelu": tensor.GELU, "gelu_python": tensor.GELU, "gelu_new": tensor.GELUTanh, "gelu_pytorch_tanh": tensor.GELUTanh, "gelu_fast": tensor.GELUTanh, "quick_gelu": tensor.QuickGELU,
	"relu": tensor.ReLU, "silu": tensor.SiLU, "swish": tensor.SiLU, "tanh": tensor.Tanh, "sigmoid": tensor.Sigmoid,
}

func (c *Config) act() (tensor.Func, error) {
	f, ok := activations[c.Act]
	if !ok {
		return 0, fmt.Errorf("config.json: hidden_act %q is not supported", c.Act)
	}
	return f, nil
}

func (c *Config) headDropout() float64 {
	if c.HeadDropout != nil {
		return *c.HeadDropout
	}
	return c.Dropout
}
