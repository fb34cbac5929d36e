package peft

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
)

// tied are modules without a tensor of their own in a model's file.
var tied = map[string]string{"gpt2-lm": "lm_head", "bert-mlm": "cls.predictions.decoder", "llama-lm-tied": "lm_head", "gemma3-lm": "lm_head", "opt-lm": "lm_head", "t5": "lm_head"}

var (
	embeddings = regexp.MustCompile(`embeddings?\.|embed_|_embedding\.|\.w[tp]e\.|^shared\.|relative_attention_bias`)
	heads      = regexp.MustCompile(`^(lm_head|embed_out|score|classifier)$|predictions\.decoder`)
	vitNames   = strings.NewReplacer("vit.encoder.layer", "vit.layers", "attention.attention.query", "attention.q_proj", "attention.attention.key", "attention.k_proj",
		"attention.attention.value", "attention.v_proj", "attention.output.dense", "attention.o_proj", "intermediate.dense", "mlp.fc1", "output.dense", "mlp.fc2")
)

// goldenModel has the modules of a model folder, as kinds of sites that fit their names and shapes. PEFT takes only a language model's output and SEQ_CLS's classifier for heads.
func goldenModel(t testing.TB, name string) *Sites {
	dir := golden.Shared(t, "golden", "hf", "models", name)
	m := &named{modelType: modelType(t, dir)}
	files, err := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	require.NoError(t, err)
	for _, f := range files {
		for x := range golden.Open(t, f).All() {
			if module, ok := strings.CutSuffix(x.Name, ".weight"); ok {
				m.module(name, module, x.Shape)
			}
		}
	}
	if n := tied[name]; n != "" {
		m.linear(n).IsHead = true
	}
	return m.find(t)
}

func (m *named) module(model, name string, shape []int) {
	if model == "vit-cls" {
		name = vitNames.Replace(name)
	}
	switch {
	case len(shape) == 1:
		m.norm(name)
	case len(shape) == 2 && embeddings.MatchString(name+"."):
		m.embedding(name)
	default:
		l := m.linear(name)
		l.W.Shape = shape
		l.IsHead = heads.MatchString(name) && model != "vit-cls"
	}
}

func modelType(t testing.TB, dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	require.NoError(t, err)
	var config struct {
		ModelType string `json:"model_type"`
	}
	require.NoError(t, json.Unmarshal(text, &config))
	return config.ModelType
}

// A targetRow is a row of targets.json: a configuration of LoRA, and what PEFT makes of it.
type targetRow struct {
	Model   string          `json:"model"`
	Options json.RawMessage `json:"options"`
	Error   string          `json:"error"`
	Modules map[string]struct {
		R              int
		Alpha, Scaling float64
	} `json:"modules"`
}

// targetOptions are the fields that say which modules are adapted, and how.
type targetOptions struct {
	Targets
	R             int        `json:"r"`
	Alpha         float64    `json:"lora_alpha"`
	RSLoRA        bool       `json:"use_rslora"`
	RankPattern   PatternMap `json:"rank_pattern"`
	AlphaPattern  PatternMap `json:"alpha_pattern"`
	ModulesToSave []string   `json:"modules_to_save"`
}

// selection is what a configuration chooses; classifiers are saved whole.
func (o targetOptions) selection(s *Sites, model string) Selection {
	chosen := Usual("LORA", s.ModelType())
	if o.Given() {
		chosen = o.Targets
	}
	save := o.ModulesToSave
	if model != "vit-cls" && (strings.HasSuffix(model, "-cls") || strings.HasSuffix(model, "-tok")) {
		save = append(save, "classifier", "score")
	}
	return Except(chosen, save)
}

func TestTargetsAreHuggingFaces(t *testing.T) {
	var table struct {
		Table []targetRow `json:"table"`
	}
	text, err := os.ReadFile(golden.Shared(t, "golden", "hf", "targets.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &table))
	for i, row := range table.Table {
		t.Run(fmt.Sprint(i, " ", row.Model), func(t *testing.T) { row.check(t) })
	}
}

func (row targetRow) check(t *testing.T) {
	o := targetOptions{R: 8, Alpha: 8}
	require.NoError(t, json.Unmarshal(row.Options, &o))
	o.RankPattern, o.AlphaPattern = reversed(t, o.RankPattern), reversed(t, o.AlphaPattern)
	s := goldenModel(t, row.Model)
	chosen, err := o.selection(s, row.Model).Select(s)
	switch {
	case strings.Contains(row.Error, "modules_to_save cannot"):
		require.NoError(t, err) // PEFT adapts the classifier, and then cannot save it; here what is trained whole is never adapted
		require.False(t, slices.ContainsFunc(chosen, func(x Site) bool { return strings.Contains(x.Name(), "classifier") }))
	case strings.HasPrefix(row.Error, "ValueError: Target module"):
		require.NoError(t, err) // for the method to refuse: other methods adapt norms
		require.IsType(t, &Norm{}, chosen[0])
	case strings.Contains(row.Error, "`r` should") || strings.Contains(row.Error, "Requested bias") || strings.Contains(row.Error, "lora_bias"):
		require.NoError(t, err) // about other fields
	case row.Error != "":
		require.Error(t, err)
	default:
		require.NoError(t, err)
		row.compare(t, o, chosen)
	}
}

// reversed puts the keys of the file, which are sorted there, into the order in which PEFT was given them: in every row of the table it is the opposite.
func reversed(t *testing.T, m PatternMap) (r PatternMap) {
	for _, e := range slices.Backward(m.entries) {
		require.NoError(t, r.Set(e.key, e.value))
	}
	return r
}

// compare checks the names, and the ranks and factors of each.
func (row targetRow) compare(t *testing.T, o targetOptions, chosen []Site) {
	require.Len(t, chosen, len(row.Modules), "%v", siteNames(chosen))
	for _, x := range chosen {
		want, ok := row.Modules[x.Name()]
		require.True(t, ok, x.Name())
		r, alpha := float64(o.R), o.Alpha
		if v, ok := o.RankPattern.Lookup(x.Name()); ok {
			r = v
		}
		if v, ok := o.AlphaPattern.Lookup(x.Name()); ok {
			alpha = v
		}
		scaling := alpha / r
		if o.RSLoRA {
			scaling = alpha / math.Sqrt(r)
		}
		require.EqualValues(t, want.R, r, x.Name())
		require.Equal(t, want.Alpha, alpha, x.Name())
		require.InDelta(t, want.Scaling, scaling, 1e-12, x.Name())
	}
}
