package models

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"peft/peft"
)

// A blueprint is what is asked for, once configuration, file and options are known.
type blueprint struct {
	*Config
	Options
	pooler bool // the file holds one
}

// An architecture is a class of a family that a folder can hold: how it is built, and for which task.
type architecture struct {
	name  string
	task  Task
	build func(blueprint) Model
}

// A family is the classes of one model_type, and the prefix that tells the base's names from a head's.
type family struct {
	prefix        string
	architectures []architecture
}

// families are the model types that can be opened.
var families = map[string]family{
	"bert": {"bert.", []architecture{
		{"BertModel", NoTask, func(b blueprint) Model { return newBert(b.Config, b.pooler) }},
		{"BertForSequenceClassification", SequenceClassification, buildBertSequence},
		{"BertForTokenClassification", TokenClassification, func(b blueprint) Model {
			return &BertForTokenClassification{Bert: newBert(b.Config, false), Classifier: head(b.Hidden, b.Options.Labels)}
		}},
		{"BertForMaskedLM", MaskedLM, func(b blueprint) Model {
			m := &BertForMaskedLM{Bert: newBert(b.Config, false), Dense: peft.NewLinear(b.Hidden, b.Hidden, true, ""), Norm: peft.NewNorm(b.Hidden, b.Eps, false), Decoder: output(b)}
			m.Decoder.B.Name = "cls.predictions.bias"
			m.Decoder.W = tied(b, m.Bert, m.Decoder.W)
			return m
		}},
		{"BertAdapterModel", NoTask, func(b blueprint) Model {
			return &BertAdapterModel{newBert(b.Config, b.Flexible.Pooler), newFlexible(b.Config, b.Flexible)}
		}},
	}},
	"gpt2": {"transformer.", []architecture{
		{"GPT2Model", NoTask, func(b blueprint) Model { return newGPT2(b.Config) }},
		{"GPT2LMHeadModel", CausalLM, func(b blueprint) Model {
			m := newGPT2(b.Config)
			return &GPT2LMHeadModel{m, outputEmbedding(b.Config, &m.Word)}
		}},
		{"GPT2ForSequenceClassification", SequenceClassification, func(b blueprint) Model {
			return &GPT2ForSequenceClassification{newGPT2(b.Config), score(b.Config, b.Options.Labels)}
		}},
		{"GPT2AdapterModel", NoTask, func(b blueprint) Model {
			return &GPT2AdapterModel{newGPT2(b.Config), newFlexible(b.Config, b.Flexible)}
		}},
	}},
	"distilbert": {"distilbert.", []architecture{
		{"DistilBertModel", NoTask, func(b blueprint) Model { return newDistilBert(b.Config) }},
		{"DistilBertForSequenceClassification", SequenceClassification, func(b blueprint) Model {
			return &DistilBertForSequenceClassification{newDistilBert(b.Config), head(b.Hidden, b.Hidden), head(b.Hidden, b.Options.Labels)}
		}},
		{"DistilBertForTokenClassification", TokenClassification, func(b blueprint) Model {
			return &DistilBertForTokenClassification{newDistilBert(b.Config), head(b.Hidden, b.Options.Labels)}
		}},
		{"DistilBertAdapterModel", NoTask, func(b blueprint) Model {
			return &DistilBertAdapterModel{newDistilBert(b.Config), newFlexible(b.Config, b.Flexible)}
		}},
	}},
	gemma3: {"model.", []architecture{
		{"Gemma3TextModel", NoTask, func(b blueprint) Model { return newGemma(b.Config) }},
		{"Gemma3ForCausalLM", CausalLM, func(b blueprint) Model {
			m := newGemma(b.Config)
			return &GemmaForCausalLM{m, outputEmbedding(b.Config, &m.Word)}
		}},
		{"Gemma3TextForSequenceClassification", SequenceClassification, func(b blueprint) Model {
			return &GemmaForSequenceClassification{newGemma(b.Config), score(b.Config, b.Options.Labels)}
		}},
	}},
	"gpt_neox": {"gpt_neox.", []architecture{
		{"GPTNeoXModel", NoTask, func(b blueprint) Model { return newGPTNeoX(b.Config) }},
		{"GPTNeoXForCausalLM", CausalLM, func(b blueprint) Model {
			m := newGPTNeoX(b.Config)
			return &GPTNeoXForCausalLM{m, outputEmbedding(b.Config, &m.Word)}
		}},
	}},
	"opt": {"model.", []architecture{
		{"OPTModel", NoTask, func(b blueprint) Model { return newOPT(b.Config) }},
		{"OPTForCausalLM", CausalLM, func(b blueprint) Model {
			m := newOPT(b.Config)
			return &OPTForCausalLM{m, outputEmbedding(b.Config, &m.Word)}
		}},
	}},
	"llama": llamas("Llama"), "mistral": llamas("Mistral"), "qwen2": llamas("Qwen2"), "qwen3": llamas("Qwen3"),
	"roberta": {"roberta.", []architecture{
		{"RobertaModel", NoTask, func(b blueprint) Model { return newBert(b.Config, b.pooler) }},
		{"RobertaForSequenceClassification", SequenceClassification, buildRobertaSequence},
		{"RobertaForTokenClassification", TokenClassification, func(b blueprint) Model {
			return &RobertaForTokenClassification{Bert: newBert(b.Config, false), Classifier: head(b.Hidden, b.Options.Labels)}
		}},
		{"RobertaForMaskedLM", MaskedLM, func(b blueprint) Model {
			m := &RobertaForMaskedLM{Bert: newBert(b.Config, false), Dense: peft.NewLinear(b.Hidden, b.Hidden, true, ""), Norm: peft.NewNorm(b.Hidden, b.Eps, false), Decoder: output(b)}
			m.Decoder.B.Name = "lm_head.bias"
			m.Decoder.W = tied(b, m.Bert, m.Decoder.W)
			return m
		}},
		{"RobertaAdapterModel", NoTask, func(b blueprint) Model {
			return &RobertaAdapterModel{newBert(b.Config, b.Flexible.Pooler), newFlexible(b.Config, b.Flexible)}
		}},
	}},
}

// llamas are the classes of a family that computes as Llama does.
func llamas(name string) family {
	return family{"model.", []architecture{
		{name + "Model", NoTask, func(b blueprint) Model { return newLlama(b.Config) }},
		{name + "ForCausalLM", CausalLM, func(b blueprint) Model {
			m := newLlama(b.Config)
			return &LlamaForCausalLM{m, outputEmbedding(b.Config, &m.Word)}
		}},
		{name + "ForSequenceClassification", SequenceClassification, func(b blueprint) Model {
			return &LlamaForSequenceClassification{newLlama(b.Config), score(b.Config, b.Options.Labels)}
		}},
		{name + "AdapterModel", NoTask, func(b blueprint) Model {
			return &LlamaAdapterModel{newLlama(b.Config), newFlexible(b.Config, b.Flexible)}
		}},
	}}
}

func buildBertSequence(b blueprint) Model {
	if b.Options.Pool == MeanPool {
		return &BertMean{Bert: newBert(b.Config, b.pooler), Classifier: head(b.Hidden, b.Options.Labels)}
	}
	return &BertForSequenceClassification{Bert: newBert(b.Config, true), Classifier: head(b.Hidden, b.Options.Labels)}
}

func buildRobertaSequence(b blueprint) Model {
	if b.Options.Pool == MeanPool {
		return &RobertaMean{Bert: newBert(b.Config, b.pooler), Classifier: head(b.Hidden, b.Options.Labels)}
	}
	return &RobertaForSequenceClassification{Bert: newBert(b.Config, false), Dense: head(b.Hidden, b.Hidden), Out: head(b.Hidden, b.Options.Labels)}
}

// head is a linear map of a classifier's head.
func head(in, out int) peft.Linear {
	return peft.Linear{In: in, Out: out, W: &peft.Frozen{Shape: []int{out, in}}, B: &peft.Frozen{Shape: []int{out}}, Role: peft.Head, IsHead: true}
}

// output is the output embedding of a language model.
func output(b blueprint) peft.Linear {
	return peft.Linear{In: b.Hidden, Out: b.Vocabulary, W: &peft.Frozen{Shape: []int{b.Vocabulary, b.Hidden}}, B: &peft.Frozen{Shape: []int{b.Vocabulary}}, IsHead: true}
}

// tied is the parameter of the word embedding, or own where the configuration unties it.
func tied(b blueprint, m *Bert, own *peft.Frozen) *peft.Frozen {
	if b.Tie != nil && !*b.Tie {
		return own
	}
	return m.Embeddings.Word.W
}

// pick finds the class to build: the one for the task that is asked for, else the one that the configuration names.
func (b blueprint) pick() (family, architecture, error) {
	f, ok := families[b.ModelType]
	if !ok {
		return f, architecture{}, fmt.Errorf("config.json: model_type %q (architectures %v) is not supported; there are: %s", b.ModelType, b.Architectures, strings.Join(known(), ", "))
	}
	for _, a := range f.architectures {
		if b.suits(a) {
			return f, a, nil
		}
	}
	if b.Class != "" {
		return f, architecture{}, fmt.Errorf("%s has no class %q; there are %s", b.ModelType, b.Class, f.names())
	}
	if b.Task != NoTask {
		return f, architecture{}, fmt.Errorf("%s has no head for the task %q; it has heads for: %s", b.ModelType, b.Task, b.Config.tasks())
	}
	return f, architecture{}, fmt.Errorf("config.json: architectures %v: none is known; of %s there are %s", b.Architectures, b.ModelType, f.names())
}

// suits reports whether a class is the one that is asked for.
func (b blueprint) suits(a architecture) bool {
	switch {
	case isFlexible(a.name) != (b.Flexible.Layers > 0):
		return false
	case b.Class != "":
		return a.name == b.Class
	case b.Task != NoTask:
		return a.task == b.Task
	}
	return slices.Contains(b.Architectures, a.name)
}

// Tasks are those that the model type has a head for.
func (c *Config) Tasks() (all []Task) {
	for _, a := range families[c.ModelType].architectures {
		if a.task != NoTask {
			all = append(all, a.task)
		}
	}
	return all
}

func (c *Config) tasks() string {
	var words []string
	for _, t := range c.Tasks() {
		words = append(words, string(t))
	}
	return strings.Join(words, ", ")
}

func (f family) names() string {
	var all []string
	for _, a := range f.architectures {
		all = append(all, a.name)
	}
	return strings.Join(all, ", ")
}

func known() (names []string) {
	for n := range families {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
