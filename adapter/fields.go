package adapter

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"peft/peft"
)

// fields is a configuration as AdapterHub's library has it.
type fields struct {
	MHAdapter          bool            `json:"mh_adapter"`
	OutputAdapter      bool            `json:"output_adapter"`
	CrossAdapter       bool            `json:"cross_adapter"`
	LeaveOut           []int           `json:"leave_out"`
	ReductionFactor    factor          `json:"reduction_factor"`
	NonLinearity       string          `json:"non_linearity"`
	OriginalLNBefore   bool            `json:"original_ln_before"`
	OriginalLNAfter    bool            `json:"original_ln_after"`
	ResidualBeforeLN   json.RawMessage `json:"residual_before_ln"`
	LNBefore           bool            `json:"ln_before"`
	LNAfter            bool            `json:"ln_after"`
	AdapterResidualLN  bool            `json:"adapter_residual_before_ln"`
	IsParallel         bool            `json:"is_parallel"`
	Scaling            json.RawMessage `json:"scaling"`
	UseGating          bool            `json:"use_gating"`
	Dropout            float64         `json:"dropout"`
	StochasticDepth    float64         `json:"stochastic_depth"`
	InitWeights        string          `json:"init_weights"`
	InitWeightsSeed    *int            `json:"init_weights_seed"`
	InvAdapter         *string         `json:"inv_adapter"`
	InvReductionFactor *float64        `json:"inv_adapter_reduction_factor"`
	Inverse            bool            `json:"inv_adapter_inverse,omitempty"` // not the library's
	phmFields
}

// phmFields are those of the sums of Kronecker products.
type phmFields struct {
	PHMLayer      bool    `json:"phm_layer"`
	PHMDim        int     `json:"phm_dim"`
	PHMRank       int     `json:"phm_rank"`
	PHMBias       bool    `json:"phm_bias"`
	FactorizedW   bool    `json:"factorized_phm_W"`
	SharedW       bool    `json:"shared_W_phm"`
	FactorizedPHM bool    `json:"factorized_phm_rule"`
	SharedRule    bool    `json:"shared_phm_rule"`
	LearnPHM      bool    `json:"learn_phm"`
	PHMInit       string  `json:"phm_c_init"`
	PHMRange      float64 `json:"phm_init_range"`
	PHMWeights    string  `json:"hypercomplex_nonlinearity"`
}

// fields is the configuration in the library's words.
func (c Config) fields() fields {
	f := fields{
		MHAdapter: slices.Contains(c.roles(), peft.SelfBlock), OutputAdapter: slices.Contains(c.roles(), peft.FFN), CrossAdapter: slices.Contains(c.roles(), peft.CrossPart),
		LeaveOut: append([]int{}, c.LeaveOut...), ReductionFactor: factor{orElse(c.Reduction, 16), c.Reductions}, NonLinearity: cmp.Or(c.Activation, "relu"),
		OriginalLNBefore: c.Input == Sum, OriginalLNAfter: !c.NoSum, ResidualBeforeLN: json.RawMessage(residuals[c.Residual]), LNBefore: c.NormBefore, LNAfter: c.NormAfter,
		AdapterResidualLN: c.NormResidual, IsParallel: c.Input == Stream, Scaling: c.scaling(), UseGating: c.Gate, Dropout: c.Dropout, StochasticDepth: c.Depth,
		InitWeights: cmp.Or(string(c.Init), "bert"), Inverse: c.Inverse, phmFields: c.PHM.fields(),
	}
	if c.Invertible > 0 {
		kind := "nice"
		f.InvAdapter, f.InvReductionFactor = &kind, &c.Invertible
	}
	return f
}

// residuals are the values of residual_before_ln.
var residuals = map[Residual]string{ToBranch: "true", ToInput: "false", ToSum: `"post_add"`}

// scaling is the factor as the library wants it: a word, or a number that has a point.
func (c Config) scaling() json.RawMessage {
	if c.Scaling != Fixed {
		return json.RawMessage(strconv.Quote(string(c.Scaling)))
	}
	text := strconv.FormatFloat(orElse(c.Scale, 1), 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return json.RawMessage(text)
}

// fields are those of no Kronecker products where c is nil.
func (c *PHM) fields() phmFields {
	on := c != nil
	if !on {
		c = &PHM{}
	}
	start := "normal"
	if c.Uniform {
		start = "uniform"
	}
	return phmFields{
		PHMLayer: on, PHMDim: c.dim(), PHMRank: c.rank(), PHMBias: !c.NoBias, FactorizedW: !c.Whole, SharedW: c.SharedW, FactorizedPHM: c.RankOne, SharedRule: !c.OwnRules,
		LearnPHM: !c.FixedRules, PHMInit: start, PHMRange: orElse(c.Range, 0.0001), PHMWeights: cmp.Or(string(c.Weights), "glorot-uniform"),
	}
}

// config is the configuration that the fields mean.
func (f fields) config() (c Config, err error) {
	c = Config{
		At: f.roles(), LeaveOut: f.LeaveOut, Reduction: f.ReductionFactor.all, Reductions: f.ReductionFactor.blocks, Activation: f.NonLinearity, Input: f.input(),
		NoSum: !f.OriginalLNAfter, NormBefore: f.LNBefore, NormAfter: f.LNAfter, NormResidual: f.AdapterResidualLN, Gate: f.UseGating, Dropout: f.Dropout, Depth: f.StochasticDepth,
		Init: Init(f.InitWeights), Inverse: f.Inverse,
	}
	if f.InitWeights == "bert" {
		c.Init = Normal
	}
	if c.Residual, err = f.residual(); err != nil {
		return c, err
	}
	if c.Scale, c.Scaling, err = f.scaling(); err != nil {
		return c, err
	}
	if c.Invertible, err = f.invertible(); err != nil {
		return c, err
	}
	if c.PHM, err = f.phm(); err != nil {
		return c, err
	}
	return c, c.check()
}

func (f fields) roles() []peft.Role {
	roles := []peft.Role{}
	for role, on := range map[peft.Role]bool{peft.SelfBlock: f.MHAdapter, peft.CrossPart: f.CrossAdapter, peft.FFN: f.OutputAdapter} {
		if on {
			roles = append(roles, role)
		}
	}
	slices.Sort(roles)
	return roles
}

func (f fields) input() Input {
	switch {
	case f.IsParallel:
		return Stream
	case f.OriginalLNBefore:
		return Sum
	}
	return Branch
}

func (f fields) residual() (Residual, error) {
	for r, text := range residuals {
		if text == string(f.ResidualBeforeLN) {
			return r, nil
		}
	}
	return "", fmt.Errorf("residual_before_ln is %s, expected true, false or \"post_add\"", f.ResidualBeforeLN)
}

func (f fields) scaling() (scale float64, kind Scaling, err error) {
	if json.Unmarshal(f.Scaling, &kind) == nil {
		return 0, kind, nil
	}
	if json.Unmarshal(f.Scaling, &scale) != nil || scale == 0 {
		return 0, "", fmt.Errorf("scaling is %s, expected a number but 0, \"learned\" or \"channel\"", f.Scaling)
	}
	return scale, Fixed, nil
}

func (f fields) invertible() (float64, error) {
	switch {
	case f.InvAdapter == nil:
		return 0, nil
	case *f.InvAdapter != "nice":
		return 0, fmt.Errorf("inv_adapter is %q, expected \"nice\" or null", *f.InvAdapter)
	case f.InvReductionFactor == nil || *f.InvReductionFactor <= 0:
		return 0, fmt.Errorf("inv_adapter_reduction_factor is missing, expected a positive number")
	}
	return *f.InvReductionFactor, nil
}

// phm is nil where the maps are matrices. Rules are trained whatever learn_phm says, as the library does once an adapter is trained; a start of "phm" is the normal one of Glorot to it.
func (f phmFields) phm() (*PHM, error) {
	if !f.PHMLayer {
		return nil, nil
	}
	c := &PHM{
		Dim: f.PHMDim, Rank: f.PHMRank, Whole: !f.FactorizedW, SharedW: f.SharedW, OwnRules: !f.SharedRule, RankOne: f.FactorizedPHM,
		Uniform: f.PHMInit == "uniform", Weights: PHMWeights(f.PHMWeights), NoBias: !f.PHMBias,
	}
	if f.SharedRule {
		c.Range = f.PHMRange
	}
	switch f.PHMWeights {
	case "glorot-uniform":
		c.Weights = GlorotUniform
	case "phm":
		c.Weights = GlorotNormal
	}
	switch {
	case f.PHMDim < 1 || f.PHMRank < 1:
		return nil, fmt.Errorf("phm_dim is %d and phm_rank %d, expected 1 or more", f.PHMDim, f.PHMRank)
	case f.PHMInit != "uniform" && f.PHMInit != "normal":
		return nil, fmt.Errorf("phm_c_init is %q, expected \"normal\" or \"uniform\"", f.PHMInit)
	}
	return c, nil
}

// A factor is one reduction factor, or a map from blocks to theirs with one for the others under "default".
type factor struct {
	all    float64 // negative: none
	blocks map[int]float64
}

// UnmarshalJSON reads a number or an object.
func (f *factor) UnmarshalJSON(data []byte) error {
	*f = factor{all: -1}
	if json.Unmarshal(data, &f.all) == nil {
		return f.check(data)
	}
	var byName map[string]float64
	if err := json.Unmarshal(data, &byName); err != nil {
		return fmt.Errorf("reduction_factor is %.60s, expected a number, or numbers of blocks", data)
	}
	f.blocks = map[int]float64{}
	for name, v := range byName {
		if name == "default" {
			f.all = v
			continue
		}
		block, err := strconv.Atoi(name)
		if err != nil || v <= 0 {
			return fmt.Errorf("reduction_factor holds %q: %v, expected numbers of blocks, or \"default\", and positive factors", name, v)
		}
		f.blocks[block] = v
	}
	if _, given := byName["default"]; given {
		return f.check(data)
	}
	return nil
}

func (f *factor) check(data []byte) error {
	if !(f.all > 0) {
		return fmt.Errorf("reduction_factor is %.60s, expected positive numbers", data)
	}
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (f factor) MarshalJSON() ([]byte, error) {
	if f.blocks == nil {
		return json.Marshal(f.all)
	}
	byName := map[string]float64{}
	for block, v := range f.blocks {
		byName[strconv.Itoa(block)] = v
	}
	if f.all > 0 {
		byName["default"] = f.all
	}
	return json.Marshal(byName)
}
