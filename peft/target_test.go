package peft

import (
	"encoding/json"
	"iter"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor"
)

// named is a model that is nothing but named sites.
type named struct {
	modelType string
	names     []string
	sites     []Site
}

func (m *named) ModelType() string { return m.modelType }

func (m *named) Sites() iter.Seq2[string, Site] {
	return func(yield func(string, Site) bool) {
		for i, name := range m.names {
			if !yield(name, m.sites[i]) {
				return
			}
		}
	}
}

func (m *named) add(name string, x Site) {
	m.names, m.sites = append(m.names, name), append(m.sites, x)
}

func (m *named) linear(name string) *Linear {
	l := NewLinear(1, 1, false, "")
	m.add(name, &l)
	return &l
}

func (m *named) embedding(name string) {
	e := NewEmbedding(1, 1)
	m.add(name, &e)
}

func (m *named) norm(name string) {
	n := NewNorm(1, 0, true)
	m.add(name, &n)
}

func (m *named) find(t testing.TB) *Sites {
	s, err := FindSites(tensor.Reference(), m)
	require.NoError(t, err)
	return s
}

// linears are the sites of a model that has linear maps of these names.
func linears(t testing.TB, names ...string) *Sites {
	m := &named{}
	for _, n := range names {
		m.linear(n)
	}
	return m.find(t)
}

func siteNames(sites []Site) []string {
	names := []string{}
	for _, x := range sites {
		names = append(names, x.Name())
	}
	return names
}

func TestTargetRules(t *testing.T) {
	s := linears(t, "model.layers.0.q", "model.layers.0.mlp.up", "model.layers.1.q", "layers.1.q", "encoder.block.2.layer.1.q", "pre_q", "q", "head")
	for _, c := range []struct {
		name string
		on   Targets
		want []string
	}{
		{"suffix after a dot", Suffixes("q"), []string{"model.layers.0.q", "model.layers.1.q", "layers.1.q", "encoder.block.2.layer.1.q", "q"}},
		{"dotted suffix", Suffixes("mlp.up"), []string{"model.layers.0.mlp.up"}},
		{"part of a word", Suffixes("_q", "head"), []string{"head"}},
		{"pattern", FullMatch(`model.*q`), []string{"model.layers.0.q", "model.layers.1.q"}},
		{"part of a pattern", FullMatch(`.*mlp|.*up`), []string{"model.layers.0.mlp.up"}},
		{"layer, but for a listed name", Targets{Modules: Names{List: []string{"q"}}, Layers: []int{1}}, []string{"model.layers.1.q", "q"}},
		{"first number counts", Targets{Modules: Names{List: []string{"q"}}, Layers: []int{2}}, []string{"encoder.block.2.layer.1.q", "q"}},
		{"named list of layers", Targets{Modules: Names{List: []string{"q"}}, Layers: []int{1}, LayersPattern: []string{"layer"}}, []string{"encoder.block.2.layer.1.q", "q"}},
		{"pattern of lists", Targets{Modules: Names{List: []string{"q"}}, Layers: []int{0, 2}, LayersPattern: []string{"blocks?", "layer."}},
			[]string{"model.layers.0.q", "encoder.block.2.layer.1.q", "q"}},
		{"excluded by suffix", Targets{Modules: Names{List: []string{"q"}}, Exclude: Names{List: []string{"1.q", "q"}}, Layers: nil}, nil},
		{"excluded by pattern", Targets{Modules: Names{Pattern: AllLinear().Modules.Pattern}, Exclude: Names{Pattern: `model\..*|.*q`}}, []string{"head"}},
		{"all linear, in capitals", FullMatch("All-Linear"), siteNames(slices.Collect(s.All()))},
	} {
		t.Run(c.name, func(t *testing.T) {
			chosen, err := c.on.Select(s)
			if c.want == nil {
				require.ErrorContains(t, err, "excludes all of the 5 sites")
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, siteNames(chosen))
		})
	}
}

func TestTargetErrors(t *testing.T) {
	s := linears(t, "model.layers.0.q", "model.layers.1.q", "model.layers.0.mlp.up")
	for want, config := range map[string]string{
		`matches no site; there are: model.layers.N.q, model.layers.N.mlp.up`: `{"target_modules": ["k"]}`,
		`target_modules names nothing`:                                        `{}`,
		`matches no site`:                                                     `{"target_modules": ""}`,
		`layers_to_transform goes with a list`:                                `{"target_modules": ".*q", "layers_to_transform": 1}`,
		`layers_pattern goes with a list`:                                     `{"target_modules": ".*q", "layers_pattern": "h"}`,
		`layers_to_transform names no layer`:                                  `{"target_modules": ["q"], "layers_pattern": "h"}`,
		`target_modules: pattern "(": missing )`:                              `{"target_modules": "("}`,
		`exclude_modules: pattern ")": unbalanced parenthesis`:                `{"target_modules": ["q"], "exclude_modules": ")"}`,
		`layers_pattern: pattern`:                                             `{"target_modules": ["q"], "layers_to_transform": [0], "layers_pattern": "["}`,
	} {
		var on Targets
		require.NoError(t, json.Unmarshal([]byte(config), &on), config)
		_, err := on.Select(s)
		require.ErrorContains(t, err, want, config)
	}
	for _, config := range []string{`{"target_modules": 3}`, `{"target_modules": [3]}`, `{"layers_to_transform": "1"}`, `{"layers_to_transform": [1.5]}`, `{"layers_pattern": {}}`} {
		require.Error(t, json.Unmarshal([]byte(config), new(Targets)), config)
	}
}

// TestTargetFields reads fields and writes them as they were.
func TestTargetFields(t *testing.T) {
	for _, config := range []string{
		`{"target_modules": null, "exclude_modules": null, "layers_to_transform": null, "layers_pattern": null}`,
		`{"target_modules": [], "exclude_modules": ["a", "b.c"], "layers_to_transform": [1, 2], "layers_pattern": ["h"]}`,
		`{"target_modules": "(?<!a)<b>&c", "exclude_modules": "all-linear", "layers_to_transform": [], "layers_pattern": []}`,
	} {
		var on Targets
		require.NoError(t, json.Unmarshal([]byte(config), &on))
		for _, v := range []any{on, on.Fields()} {
			text, err := json.Marshal(v)
			require.NoError(t, err)
			require.JSONEq(t, config, string(text))
		}
	}
	require.Equal(t, `Targets{"target_modules": ["q","v"], "layers_to_transform": [3]}`, Targets{Modules: Names{List: []string{"q", "v"}}, Layers: []int{3}}.String())
}

func TestUsual(t *testing.T) {
	m := &named{modelType: "bert"}
	for _, n := range []string{"l.0.query", "l.0.key", "l.0.value", "l.0.output.dense"} {
		m.linear(n)
	}
	s := m.find(t)
	for method, want := range map[string][]string{
		"LORA": {"l.0.query", "l.0.value"}, "lora": {"l.0.query", "l.0.value"}, "OFT": {"l.0.query", "l.0.value"}, "IA3": {"l.0.key", "l.0.value", "l.0.output.dense"},
	} {
		chosen, err := Usual(method, s.ModelType()).Select(s)
		require.NoError(t, err)
		require.Equal(t, want, siteNames(chosen), method)
	}
	require.Equal(t, []string{"output.dense"}, UsualFeedForward("bert"))
	require.Empty(t, UsualFeedForward("mt5"))
	require.Equal(t, FullMatch(`.*language_model\..*\.(q_proj|v_proj)`), Usual("LORA", "gemma4"))
	require.Equal(t, Suffixes("mlp.c_proj"), Usual("FOURIERFT", "gpt2"))

	_, err := Usual("LORA", "").Select(s)
	require.ErrorContains(t, err, "no targets are given, and LORA has no usual ones here: the model does not say its type; choose from: l.N.query")
	_, err = Usual("LORA", "vit").Select(s)
	require.ErrorContains(t, err, `none are known for models of type "vit"`)
	require.Equal(t, "the usual targets of LORA in vit", Usual("lora", "vit").String())
	require.Equal(t, "the usual targets of LORA", Usual("lora", "").String())
	require.Equal(t, `Targets{"layers_to_transform": [1]}.OrUsual("LORA")`, Targets{Layers: []int{1}}.OrUsual("LORA").String())
}

// TestOrUsual keeps the other fields where the modules are the usual ones.
func TestOrUsual(t *testing.T) {
	m := &named{modelType: "bert"}
	for _, n := range []string{"e.layer.0.query", "e.layer.1.query", "e.layer.1.key", "e.layer.1.value"} {
		m.linear(n)
	}
	s := m.find(t)
	on := Targets{Exclude: Names{List: []string{"value"}}, Layers: []int{1}}.OrUsual("LORA")
	chosen, err := on.Select(s)
	require.NoError(t, err)
	require.Equal(t, []string{"e.layer.1.query"}, siteNames(chosen))
	require.Equal(t, Suffixes("key"), Suffixes("key").OrUsual("LORA"))
	_, err = on.Select(linears(t, "e.layer.1.query"))
	require.ErrorContains(t, err, "no targets are given")
}

func TestExcept(t *testing.T) {
	s := linears(t, "l.0.q", "pooler.dense", "pre_classifier", "classifier.out")
	chosen, err := Except(AllLinear(), []string{"pooler", "classifier"}).Select(s)
	require.NoError(t, err)
	require.Equal(t, []string{"l.0.q"}, siteNames(chosen))
	_, err = Except(Suffixes("dense"), []string{"pooler"}).Select(s)
	require.ErrorContains(t, err, "only sites in modules that are trained whole")
	_, err = Except(Suffixes("dense"), []string{"("}).Select(s)
	require.ErrorContains(t, err, "modules_to_save")
	_, err = Except(Suffixes("none"), []string{"pooler"}).Select(s)
	require.ErrorContains(t, err, "matches no site")
	require.Equal(t, AllLinear(), Except(AllLinear(), nil))
	require.Equal(t, `Except(Targets{"target_modules": "all-linear"}, ["head"])`, Except(AllLinear(), []string{"head"}).String())
}

func TestTargetsOf(t *testing.T) {
	s := linears(t, "l.0.q", "l.0.k", "classifier")
	for _, c := range []struct {
		on   Selection
		want Targets
	}{
		{Suffixes("q"), Suffixes("q")},
		{FullMatch(".*q"), FullMatch(".*q")},
		{Except(Suffixes("q"), []string{"classifier"}), Suffixes("q")},
		{AllLinear(), Suffixes("l.0.q", "l.0.k", "classifier")},
		{Except(AllLinear(), []string{"classifier"}), Suffixes("l.0.q", "l.0.k")},
		{Named("*.k"), Suffixes("l.0.k")},
	} {
		got, err := TargetsOf(c.on, s)
		require.NoError(t, err)
		require.Equal(t, c.want, got, "%v", c.on)
	}
	_, err := TargetsOf(Named("*.x"), s)
	require.Error(t, err)
}

// FuzzTargets reads hostile fields and uses them.
func FuzzTargets(f *testing.F) {
	f.Add([]byte(`{"target_modules": ["q", ""], "exclude_modules": "(?i)x{2}", "layers_to_transform": [0], "layers_pattern": ["a|b"]}`))
	f.Add([]byte(`{"target_modules": "all-linear", "layers_pattern": null, "layers_to_transform": -1}`))
	s := linears(f, "model.layers.0.q", "model.layers.99999999999999999999.q", "q")
	f.Fuzz(func(t *testing.T, config []byte) {
		var on Targets
		if json.Unmarshal(config, &on) != nil {
			return
		}
		chosen, err := on.Select(s)
		require.Equal(t, err == nil, len(chosen) > 0)
		text, err := json.Marshal(on)
		require.NoError(t, err)
		var again Targets
		require.NoError(t, json.Unmarshal(text, &again))
		require.Equal(t, on, again)
	})
}
