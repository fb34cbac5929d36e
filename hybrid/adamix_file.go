package hybrid

import (
	"encoding/json"
	"errors"
	"fmt"

	"peft/peft"
)

func init() { peft.Register("adamix", decodeAdaMix) }

// adaMixFields is the configuration of [AdaMix], for which there is no other library's.
type adaMixFields struct {
	Experts     int             `json:"experts"`
	Of          json.RawMessage `json:"of"`
	Share       string          `json:"share"`
	Consistency float64         `json:"consistency"`
	Head        *bool           `json:"head"`
}

func decodeAdaMix(config []byte) (peft.Method, error) {
	f := adaMixFields{Experts: 4, Share: "up", Consistency: 1}
	if err := peft.DecodeConfig(config, &f); err != nil {
		return nil, err
	}
	c := AdaMix{Experts: f.Experts, Share: Share(f.Share), NoConsistency: f.Consistency == 0, Consistency: f.Consistency}
	switch {
	case f.Experts < 1:
		return nil, fmt.Errorf("experts is %d, expected 1 or more", f.Experts)
	case f.Consistency < 0:
		return nil, fmt.Errorf("consistency is %v, expected 0 or more", f.Consistency)
	case f.Share == "up":
		c.Share = Up
	case c.Share != Down && c.Share != Nothing:
		return nil, fmt.Errorf("share is %q, expected \"up\", \"down\" or \"none\"", f.Share)
	}
	var err error
	c.Of, err = f.of()
	return c, err
}

// of is the method that is mixed, which trains the head if that is asked for here.
func (f adaMixFields) of() (peft.Method, error) {
	fields := map[string]json.RawMessage{}
	if len(f.Of) > 0 {
		if err := json.Unmarshal(f.Of, &fields); err != nil {
			return nil, fmt.Errorf("of: expected a method's configuration: %w", err)
		}
	}
	if len(fields) == 0 {
		c := Sequential()
		c.Head = f.Head != nil && *f.Head
		return c, nil
	}
	if f.Head != nil && fields["head"] == nil {
		fields["head"] = json.RawMessage(fmt.Sprint(*f.Head))
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	m, err := peft.DecodeMethod(text)
	if err != nil {
		return nil, fmt.Errorf("of: %w", err)
	}
	if _, ok := m.(AdaMix); ok {
		return nil, errors.New("of: found adamix again, expected a method that is no mixture")
	}
	return m, nil
}
