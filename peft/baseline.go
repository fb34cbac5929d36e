package peft

import "strings"

// Full is full fine-tuning, the baseline: every parameter of the model is trained.
type Full struct{}

// Attach lets a trained copy stand in for every parameter.
func (Full) Attach(s *Sites, _ Rand) (*Patch, error) {
	q := NewPatch(s)
	for f := range s.Params() {
		q.Train(f)
	}
	return q, nil
}

// Heads is the other baseline: the base is frozen and the model's head alone is trained.
type Heads struct{}

// Attach lets trained copies stand in for the head's parameters.
func (Heads) Attach(s *Sites, _ Rand) (*Patch, error) {
	q := NewPatch(s)
	q.TrainHead()
	return q, nil
}

// TrainHead trains the parameters of all sites whose role is [Head], whole.
func (q *Patch) TrainHead() {
	for l := range q.sites.Linears() {
		if l.Role == Head {
			q.trainSite(l)
		}
	}
}

// TrainModules trains the parameters below each module whose path ends with one of the names, as Hugging Face's modules_to_save does.
func (q *Patch) TrainModules(names []string) {
	for x := range q.sites.All() {
		if below(x.Name(), names) {
			q.trainSite(x)
			for _, f := range x.Frozen() {
				q.beside[f.Name] = true
			}
		}
	}
}

func (q *Patch) trainSite(x Site) {
	for _, f := range x.Frozen() {
		if !f.Absent {
			q.Train(f)
		}
	}
}

// below reports whether a site is, or lies below, a module whose path ends with one of the names.
func below(site string, names []string) bool {
	for _, n := range names {
		if strings.HasSuffix(site, n) || strings.Contains(site, n+".") {
			return true
		}
	}
	return false
}

// TrainBiases trains every bias of the model.
func (q *Patch) TrainBiases() {
	for f := range q.sites.Params() {
		if strings.HasSuffix(f.Name, "bias") {
			q.Train(f)
		}
	}
}
