package models

import (
	"peft/peft"
	"peft/tensor"
)

// BertForSequenceClassification is a linear map on the pooled first row.
type BertForSequenceClassification struct {
	*Bert      `name:"bert"`
	Classifier peft.Linear `name:"classifier"`
}

// Forward is logits [sequences×labels].
func (m *BertForSequenceClassification) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	x := m.pooled(p, m.first(p, b))
	return m.Classifier.Apply(p, p.Dropout(x, m.config.headDropout(), "classifier"))
}

// Task is sequence classification.
func (m *BertForSequenceClassification) Task() Task { return SequenceClassification }

// BertMean is the sentence encoder's way: a linear map on the mean of the last hidden state. Hugging Face has no class for it; its parameters are named as those of the class above.
type BertMean struct {
	*Bert      `name:"bert"`
	Classifier peft.Linear `name:"classifier"`
}

// Forward is logits [sequences×labels].
func (m *BertMean) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	return m.Classify(p, m.Features(p, b))
}

// Features is the mean of the last hidden state of each sequence [sequences×size].
func (m *BertMean) Features(p *peft.Pass, b *Batch) *tensor.Tensor {
	return tensor.MeanRows(m.Bert.Forward(p, b))
}

// Classify is the logits of features.
func (m *BertMean) Classify(p *peft.Pass, features *tensor.Tensor) *tensor.Tensor {
	return m.Classifier.Apply(p, p.Dropout(features, m.config.headDropout(), "classifier"))
}

func (m *BertMean) sibling(labels int) Model {
	return &BertMean{Bert: m.Bert, Classifier: head(m.config.Hidden, labels)}
}

// Task is sequence classification.
func (m *BertMean) Task() Task { return SequenceClassification }

// BertForTokenClassification is a linear map on each row.
type BertForTokenClassification struct {
	*Bert      `name:"bert"`
	Classifier peft.Linear `name:"classifier"`
}

// Forward is logits [rows×labels].
func (m *BertForTokenClassification) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	x := p.Dropout(m.Bert.Forward(p, b), m.config.headDropout(), "classifier")
	return m.Classifier.Apply(p, x)
}

// Task is token classification.
func (m *BertForTokenClassification) Task() Task { return TokenClassification }

// BertForMaskedLM predicts tokens, by the table that embeds them.
type BertForMaskedLM struct {
	*Bert   `name:"bert"`
	Dense   peft.Linear `name:"cls.predictions.transform.dense"`
	Norm    peft.Norm   `name:"cls.predictions.transform.LayerNorm"`
	Decoder peft.Linear `name:"cls.predictions.decoder"`
}

// Forward is logits [rows×vocabulary].
func (m *BertForMaskedLM) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	x := m.Dense.Activated(p, m.Bert.Forward(p, b), activations[m.config.Act])
	return m.Decoder.Apply(p, m.Norm.Apply(p, x))
}

// Task is masked language modelling.
func (m *BertForMaskedLM) Task() Task { return MaskedLM }

// RobertaForSequenceClassification is two linear maps on the first row, tanh between them.
type RobertaForSequenceClassification struct {
	*Bert `name:"roberta"`
	Dense peft.Linear `name:"classifier.dense"`
	Out   peft.Linear `name:"classifier.out_proj"`
}

// Forward is logits [sequences×labels].
func (m *RobertaForSequenceClassification) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	x := p.Dropout(m.first(p, b), m.config.headDropout(), "classifier.dense")
	x = m.Dense.Activated(p, x, tensor.Tanh)
	return m.Out.Apply(p, p.Dropout(x, m.config.headDropout(), "classifier.out_proj"))
}

// Task is sequence classification.
func (m *RobertaForSequenceClassification) Task() Task { return SequenceClassification }

// RobertaMean is BertMean for RoBERTa.
type RobertaMean struct {
	*Bert      `name:"roberta"`
	Classifier peft.Linear `name:"classifier"`
}

// Forward is logits [sequences×labels].
func (m *RobertaMean) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	return m.Classify(p, m.Features(p, b))
}

// Features is the mean of the last hidden state of each sequence [sequences×size].
func (m *RobertaMean) Features(p *peft.Pass, b *Batch) *tensor.Tensor {
	return tensor.MeanRows(m.Bert.Forward(p, b))
}

// Classify is the logits of features.
func (m *RobertaMean) Classify(p *peft.Pass, features *tensor.Tensor) *tensor.Tensor {
	return m.Classifier.Apply(p, p.Dropout(features, m.config.headDropout(), "classifier"))
}

func (m *RobertaMean) sibling(labels int) Model {
	return &RobertaMean{Bert: m.Bert, Classifier: head(m.config.Hidden, labels)}
}

// Task is sequence classification.
func (m *RobertaMean) Task() Task { return SequenceClassification }

// RobertaForTokenClassification is a linear map on each row.
type RobertaForTokenClassification struct {
	*Bert      `name:"roberta"`
	Classifier peft.Linear `name:"classifier"`
}

// Forward is logits [rows×labels].
func (m *RobertaForTokenClassification) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	x := p.Dropout(m.Bert.Forward(p, b), m.config.headDropout(), "classifier")
	return m.Classifier.Apply(p, x)
}

// Task is token classification.
func (m *RobertaForTokenClassification) Task() Task { return TokenClassification }

// RobertaForMaskedLM predicts tokens, by the table that embeds them.
type RobertaForMaskedLM struct {
	*Bert   `name:"roberta"`
	Dense   peft.Linear `name:"lm_head.dense"`
	Norm    peft.Norm   `name:"lm_head.layer_norm"`
	Decoder peft.Linear `name:"lm_head.decoder"`
}

// Forward is logits [rows×vocabulary].
func (m *RobertaForMaskedLM) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	x := m.Dense.Activated(p, m.Bert.Forward(p, b), tensor.GELU)
	return m.Decoder.Apply(p, m.Norm.Apply(p, x))
}

// Task is masked language modelling.
func (m *RobertaForMaskedLM) Task() Task { return MaskedLM }
