package peft

import (
	"encoding/json"
	"slices"
	"strings"
)

// Targeted is what configurations of Hugging Face PEFT have in common: where a method acts, and which modules are trained whole beside it. A method's configuration embeds it.
type Targeted struct {
	On   Selection `json:"-"` // the sites; nil: what is usual for the method and the model's type
	Save []string  `json:"-"` // modules trained whole, by the end of their name: a new head
	Head bool      `json:"-"` // train the model's head whole, whatever its name
	Tied bool      `json:"-"` // what the base ties to a module that is trained whole is trained with it, rather than left as it is
}

// Sites are the sites on which a method acts: the chosen ones, but for those in modules that are trained whole.
func (t Targeted) Sites(method string, s *Sites) ([]Site, error) {
	return t.Selection(method, s).Select(s)
}

// Selection chooses those sites.
func (t Targeted) Selection(method string, s *Sites) Selection {
	on := t.On
	if on == nil {
		on = Usual(method, s.ModelType())
	}
	return Except(on, s.Modules(t.Save, t.Head))
}

// Whole trains the modules that are trained whole.
func (t Targeted) Whole(q *Patch) {
	modules := q.sites.Modules(t.Save, t.Head)
	if t.Tied {
		q.trainTied(modules)
	} else {
		q.TrainModules(modules)
	}
}

// Fields are the fields of a method's adapter_config.json: the common ones, and those of own, a struct as JSON names them.
func (t Targeted) Fields(method string, s *Sites, own any) (map[string]any, error) {
	targets, err := TargetsOf(t.Selection(method, s), s)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(own)
	if err != nil {
		return nil, err
	}
	var more map[string]json.RawMessage // raw, since the order of a pattern's keys counts
	if err := json.Unmarshal(text, &more); err != nil {
		return nil, err
	}
	fields, err := targets.fieldsOf(method, t.Selection(method, s), s)
	if err != nil {
		return nil, err
	}
	for name, v := range more {
		fields[name] = v
	}
	fields["peft_type"] = method
	if !slices.Contains(headless, method) {
		fields["modules_to_save"] = nil
	}
	if save := s.Modules(t.Save, t.Head); len(save) > 0 {
		fields["modules_to_save"] = save
	}
	return fields, nil
}

// headless are methods whose configurations in Hugging Face PEFT have no modules to save: it trains no head with them.
var headless = []string{"TRAINABLE_TOKENS"}

// unread are fields that Hugging Face's configuration of a method has not, though those of others have.
var unread = map[string][]string{
	"IA3": layerFields, "LN_TUNING": layerFields,
	"VERA": excludeField, "RANDLORA": excludeField, "C3A": excludeField, "GRALORA": excludeField,
	"ROAD": fieldNames[1:], "SHIRA": fieldNames[1:], "BEFT": fieldNames[1:], "TRAINABLE_TOKENS": fieldNames[1:],
}

var excludeField, layerFields = fieldNames[1:2], fieldNames[2:]

// fieldsOf are the fields as the method's configuration has them. Where it has not one that is set, the chosen sites are named one by one.
func (t Targets) fieldsOf(method string, chosen Selection, s *Sites) (map[string]any, error) {
	fields := t.Fields()
	for _, name := range unread[method] {
		if encode(fields[name]) != "null" {
			sites, err := chosen.Select(s)
			if err != nil {
				return nil, err
			}
			fields = TargetSites(sites).Fields()
			break
		}
	}
	for _, name := range unread[method] {
		delete(fields, name)
	}
	return fields, nil
}

// targetedFields are the fields that [DecodeTargeted] reads.
type targetedFields struct {
	Targets
	Save     []string `json:"modules_to_save"`
	TaskType string   `json:"task_type"`
	Head     bool     `json:"head"`
}

// DecodeTargeted reads a configuration: the common fields, and the method's own into own, by the rule of [DecodeConfig]. What is usual stands for targets that are not named.
func DecodeTargeted(method string, config []byte, own any) (t Targeted, err error) {
	var c targetedFields
	if err := json.Unmarshal(config, &c); err != nil {
		return t, err
	}
	var rest map[string]json.RawMessage
	if err := json.Unmarshal(config, &rest); err != nil {
		return t, err
	}
	for _, name := range slices.Concat(fieldNames, []string{"modules_to_save", "task_type", "head"}) {
		delete(rest, name)
	}
	text, err := json.Marshal(rest)
	if err != nil {
		return t, err
	}
	t = Targeted{Save: c.Save, Head: c.Head}
	if c.Given() || c.Exclude.Given() || len(c.Layers) > 0 {
		t.On = c.Targets.OrUsual(method)
	}
	if slices.Contains(headedTasks, c.TaskType) && !slices.Contains(headless, method) {
		t.Save = withModules(t.Save, "classifier", "score")
	}
	return t, DecodeConfig(text, own)
}

// withModules is a list of modules with some more.
func withModules(list []string, more ...string) []string {
	for _, m := range more {
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list
}

// Aliases are the further keys of a parameter of the base that is trained: it is in the file once for each place that has it.
func (Targeted) Aliases(q *Patch, x *Param) []string { return q.TiedKeys(x) }

// Key is a parameter's name in adapter_model.safetensors: SITE.FIELD for what is named "SITE/FIELD", FIELD for "/FIELD", which all sites share, or that of the base's own parameter.
func (Targeted) Key(q *Patch, x *Param) string {
	site, field, own := strings.Cut(x.Name, "/")
	switch {
	case !own:
		return q.BaseKey(x)
	case site == "":
		return "base_model." + field
	}
	return Wrapper + site + "." + field
}
