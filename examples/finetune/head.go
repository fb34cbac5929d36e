package main

import (
	"encoding/json"
	"fmt"
	"slices"

	"peft/internal/plainjson"
	"peft/models"
	"peft/peft"
)

// settleHead says in the configuration that the head is trained where that goes without saying: that of a classifier, unless Hugging Face's configuration leaves it out, and a fresh one.
func (s *spec) settleHead(j *job) error {
	said := s.config["head"]
	_, written := s.config["peft_type"]
	fresh := len(j.model.Fresh) > 0
	switch {
	case fresh && string(said) == "false":
		return fmt.Errorf("-method: head is false, but the model has no head for the task %s: a fresh one must be trained", j.model.Task())
	case slices.Contains(withHead, s.name):
		return nil
	case said == nil && (fresh || !written && j.model.Task() == models.SequenceClassification):
		s.config["head"] = json.RawMessage("true")
	}
	return s.saveParts(j)
}

// saveParts lets the parts of a fresh head that are not marked as one be trained as modules_to_save.
func (s *spec) saveParts(j *job) error {
	var save []string
	if raw := s.config["modules_to_save"]; raw != nil {
		if err := json.Unmarshal(raw, &save); err != nil {
			return fmt.Errorf("-method: modules_to_save: %w", plainjson.Error(err))
		}
	}
	n := len(save)
	for _, site := range j.fresh {
		if !slices.Contains(save, site) {
			save = append(save, site)
		}
	}
	if len(save) == n {
		return nil
	}
	text, err := json.Marshal(save)
	s.config["modules_to_save"] = text
	return err
}

// trainsHead makes sure that no map of a fresh head stays as it was drawn, which no file would hold.
func (s *spec) trainsHead(j *job, q *peft.Patch) error {
	for x := range q.Sites().All() {
		if f := x.Frozen(); len(f) > 0 && slices.Contains(j.model.Fresh, f[0].Name) && q.Param(f[0].Name) == nil {
			return fmt.Errorf("-method: the model has no head for the task %s, and %s does not train a fresh one", j.model.Task(), s.name)
		}
	}
	return nil
}

// freshParts are the maps and norms of a fresh head that are not marked as one: those of a language model's, and a pooler.
func freshParts(m *models.Opened) (names []string, err error) {
	if len(m.Fresh) == 0 {
		return nil, nil
	}
	sites, err := peft.FindSites(nil, m.Unwrap())
	if err != nil {
		return nil, err
	}
	for x := range sites.All() {
		l, linear := x.(*peft.Linear)
		if f := x.Frozen(); len(f) > 0 && slices.Contains(m.Fresh, f[0].Name) && !(linear && l.Role == peft.Head) {
			names = append(names, x.Name())
		}
	}
	return names, nil
}
