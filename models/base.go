package models

// base is what models without a head have in common: their configuration, and what follows from it.
type base struct{ config *Config }

// ModelType is the family's name in config.json.
func (m *base) ModelType() string { return m.config.ModelType }

// Task is none.
func (m *base) Task() Task { return NoTask }

// Limits are the sizes of the embeddings, and the positions that the model was trained for.
func (m *base) Limits() Limits {
	c := m.config
	return Limits{Vocabulary: c.Vocabulary, Types: c.Types, Positions: c.Positions, Labels: c.Labels()}
}

// Positions counts from 0, padding included.
func (m *base) Positions(s Sequence) []int32 {
	pos := make([]int32, len(s.IDs))
	for i := range pos {
		pos[i] = int32(i)
	}
	return pos
}

// HubFilling is what AdapterHub's library fills up prefixes with that are shorter than others of a batch, and whether it is seen: the padding's number, and its DistilBERT masks it.
func (m *base) HubFilling() (value float64, seen bool) {
	return float64(max(0, m.config.PadID)), m.config.ModelType != "distilbert"
}
