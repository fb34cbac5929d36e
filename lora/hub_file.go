package lora

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"peft/peft"
)

func init() { peft.Register(peft.HubFormat("lora"), decodeHub) }

// hubFields are the fields of AdapterHub's configurations of LoRA.
type hubFields struct {
	Architecture string   `json:"architecture"`
	Rank         int      `json:"r"`
	Alpha        float64  `json:"alpha"`
	Attention    bool     `json:"selfattn_lora"`
	Matrices     []string `json:"attn_matrices"`
	Intermediate bool     `json:"intermediate_lora"`
	Output       bool     `json:"output_lora"`
	LeaveOut     []int    `json:"leave_out"`
	Mode         string   `json:"composition_mode"`
	Gate         bool     `json:"use_gating"`
	DoRA         bool     `json:"use_dora"`
	Dropout      float64  `json:"dropout"`
	Init         string   `json:"init_weights"`
	Seed         *int     `json:"init_weights_seed"`
	DType        *string  `json:"dtype"`
	VeraD        *float64 `json:"vera_d"`
	VeraB        *float64 `json:"vera_b"`
}

// matrices are the library's letters for the maps of an attention.
var matrices = map[string]peft.Role{"q": peft.Query, "k": peft.Key, "v": peft.Value}

// decodeHub reads the configuration of a folder of AdapterHub's library.
func decodeHub(text []byte) (peft.Method, error) {
	var doc peft.HubConfig
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	f := hubFields{Rank: 8, Alpha: 8, Attention: true, Matrices: []string{"q", "v"}, Mode: "add", Init: "lora"}
	if err := json.Unmarshal(doc.Config, &f); err != nil {
		return nil, err
	}
	if alphaless(doc.Version) {
		f.Alpha = float64(f.Rank)
	}
	return f.method(doc.Name, doc.Head)
}

// alphaless reports whether a version of the library, "adapters.0.1.0" to "adapters.1.0.1", computed with s = 1 whatever α was.
func alphaless(version string) bool {
	v, ok := strings.CutPrefix(version, "adapters.")
	major, rest, _ := strings.Cut(v, ".")
	minor, patch, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(patch)
	return ok && (major == "0" || major == "1" && minor == "0" && err == nil && n <= 1)
}

func (f hubFields) method(name string, head bool) (peft.Method, error) {
	c := Hub{
		Name: name, Rank: f.Rank, Alpha: f.Alpha, Attention: []peft.Role{}, Intermediate: f.Intermediate, Output: f.Output, LeaveOut: f.LeaveOut, Rescale: f.Mode == "scale",
		Gate: f.Gate, DoRA: f.DoRA, Dropout: f.Dropout, Init: HubInit(f.Init), Head: head,
	}
	if f.VeraD != nil && f.VeraB != nil {
		c.VeRA = &HubVeRA{*f.VeraD, *f.VeraB}
	}
	for _, m := range f.Matrices {
		r, ok := matrices[m]
		if !ok {
			return nil, fmt.Errorf("attn_matrices holds %q, expected \"q\", \"k\" and \"v\"", m)
		}
		if f.Attention {
			c.Attention = append(c.Attention, r)
		}
	}
	switch {
	case (f.VeraD != nil) != (f.VeraB != nil):
		return nil, fmt.Errorf("only one of vera_d and vera_b is given, which both make it VeRA")
	case f.Mode != "add" && f.Mode != "scale":
		return nil, fmt.Errorf("composition_mode is %q, expected \"add\" or \"scale\"", f.Mode)
	case c.Rescale && f.Rank != 1:
		return nil, fmt.Errorf("r is %d, expected 1 where composition_mode is \"scale\"", f.Rank)
	}
	return c, c.check()
}

// HubName is the name of the adapter.
func (c Hub) HubName() string { return cmp.Or(c.Name, "lora") }

// Config is the configuration that AdapterHub's library reads.
func (c Hub) Config(s *peft.Sites) (map[string]any, error) {
	f := hubFields{
		Architecture: "lora", Rank: c.Rank, Alpha: cmp.Or(c.Alpha, float64(c.Rank)), Matrices: []string{}, Intermediate: c.Intermediate, Output: c.Output,
		LeaveOut: append([]int{}, c.LeaveOut...), Mode: "add", Gate: c.Gate, DoRA: c.DoRA, Dropout: c.Dropout, Init: string(c.init()),
	}
	if c.Rescale {
		f.Rank, f.Alpha, f.Mode = 1, cmp.Or(c.Alpha, 1), "scale"
	}
	if c.VeRA != nil {
		f.VeraD, f.VeraB = &c.VeRA.D, &c.VeRA.B
	}
	for _, r := range c.attention() {
		for letter, role := range matrices {
			if role == r {
				f.Attention, f.Matrices = true, append(f.Matrices, letter)
			}
		}
	}
	text, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	var config map[string]any
	return config, json.Unmarshal(text, &config)
}

// Key is the name of a parameter in the files of AdapterHub's library: SITE.loras.NAME.FIELD, or that of the base's own parameter.
func (c Hub) Key(q *peft.Patch, x *peft.Param) string {
	site, field, own := strings.Cut(x.Name, "/")
	switch {
	case !own:
		return x.Name
	case site == sharedVeRA:
		return q.Sites().HubPrefix() + site + "." + c.HubName() + "." + field
	}
	return site + ".loras." + c.HubName() + "." + field
}
