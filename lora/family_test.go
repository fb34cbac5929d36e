package lora_test

import (
	"testing"

	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
)

// TestFamily tries the laws on the other methods, each with the number of parameters that its formula gives.
func TestFamily(t *testing.T) {
	const size, inner = pefttest.Size, pefttest.Inner
	at, everywhere := lora.Common{On: peft.Named("*.Query", "*.Value")}, lora.Common{On: peft.AllLinear()}

	words := lora.Common{On: peft.Named("Words")}
	cut := lora.AdaLoRA{Common: at, InitRank: 3, RankPattern: map[string][]bool{"Layers.0.Query.lora_E": {true, false, true}, "Layers.1.Value.lora_E": {false, false, false}}}
	feed := lora.IA3{Common: lora.Common{On: peft.Named("*.Down")}, FeedForward: peft.Names{List: []string{"Down"}}}
	for name, c := range map[string]struct {
		method peft.Method
		want   pefttest.Want
	}{
		"ia3":             {lora.IA3{Common: at}, pefttest.Want{Trained: maps * size}},
		"ia3 feed":        {feed, pefttest.Want{Trained: pefttest.Layers * inner}},
		"loha":            {lora.LoHa{Common: at, Rank: 2, Alpha: 3}, pefttest.Want{Trained: maps * 2 * 2 * perRank}},
		"lokr":            {lora.LoKr{Common: at, Rank: 1, Alpha: 3}, pefttest.Want{Trained: maps * (3*3 + 1*(4+4))}},
		"lokr both":       {lora.LoKr{Common: at, Rank: 1, Factor: 4, Both: true}, pefttest.Want{Trained: maps * (1*(4+4) + 1*(3+3))}},
		"lokr lycoris":    {lora.LoKr{Common: at, Rank: 9, Init: lora.LyCORIS}, pefttest.Want{Trained: maps * (3*3 + 4*4)}},
		"loha dropped":    {lora.LoHa{Common: at, Rank: 2, RankDropout: 0.3, ModuleDropout: 0.2}, pefttest.Want{Trained: maps * 2 * 2 * perRank}},
		"lokr dropped":    {lora.LoKr{Common: at, Rank: 9, RankDropout: 0.3, ModuleDropout: 0.2, Even: true}, pefttest.Want{Trained: maps * (3*3 + 4*4)}},
		"oft dropped":     {lora.OFT{Common: at, BlockSize: 4, Neumann: true, Dropout: 0.3}, pefttest.Want{Trained: maps * 3 * 6}},
		"boft dropped":    {lora.BOFT{Common: at, BlockSize: 2, Factors: 2, Dropout: 0.3}, pefttest.Want{Trained: maps * (2*size*2 + size)}},
		"vera":            {lora.VeRA{Common: at, Rank: 5}, pefttest.Want{Trained: maps * (size + 5)}},
		"vera saved":      {lora.VeRA{Common: everywhere, Rank: 3, SaveProjection: true, Dropout: 0.2}, pefttest.Want{Trained: pefttest.Layers * (5*size + inner + 6*3)}},
		"adalora":         {lora.AdaLoRA{Common: at, InitRank: 3, TargetRank: 1, Total: 9}, pefttest.Want{Trained: maps * 3 * (perRank + 1)}},
		"adalora cut":     {cut, pefttest.Want{Trained: (2*3 + 2) * (perRank + 1)}},
		"oft":             {lora.OFT{Common: at, BlockSize: 4, Neumann: true}, pefttest.Want{Trained: maps * 3 * 6}},
		"oft cayley":      {lora.OFT{Common: at, Blocks: 2}, pefttest.Want{Trained: maps * 2 * 15}},
		"oft shared":      {lora.OFT{Common: at, BlockSize: 5, Shared: true, Neumann: true, Terms: 7}, pefttest.Want{Trained: maps * 6}},
		"oft bound":       {lora.OFT{Common: at, BlockSize: 6, Constrained: true, Eps: 0.3}, pefttest.Want{Trained: maps * 2 * 15, Detached: []string{"oft_R.weight"}}},
		"boft":            {lora.BOFT{Common: at, BlockSize: 3}, pefttest.Want{Trained: maps * (size*3 + size)}},
		"boft factors":    {lora.BOFT{Common: at, BlockSize: 2, Factors: 2}, pefttest.Want{Trained: maps * (2*size*2 + size)}},
		"hra":             {lora.HRA{Common: at, Rank: 4}, pefttest.Want{Trained: maps * size * 4, Nearly: true}},
		"hra orthogonal":  {lora.HRA{Common: at, Rank: 3, Orthogonalise: true}, pefttest.Want{Trained: maps * size * 3, Different: true}},
		"fourierft":       {lora.FourierFT{Common: at, Frequencies: 7}, pefttest.Want{Trained: maps * 7}},
		"randlora":        {lora.RandLoRA{Common: everywhere, Rank: 5, Alpha: 3}, pefttest.Want{Trained: pefttest.Layers * 6 * (5*3 + 3*size)}},
		"randlora sparse": {lora.RandLoRA{Common: at, Rank: 5, Sparse: true, Dropout: 0.1}, pefttest.Want{Trained: maps * (5*3 + 3*size)}},
		"miss":            {lora.MiSS{Common: at, Rank: 5}, pefttest.Want{Trained: maps * 5 * size}},
		"miss bat":        {lora.MiSS{Common: at, Rank: 3, Init: lora.Bat}, pefttest.Want{Trained: maps * 3 * size}},
		"miss mini":       {lora.MiSS{Common: at, Rank: 5, Columns: 4, Init: lora.Mini, Dropout: 0.2}, pefttest.Want{Trained: maps * 5 * 4}},
		"road 1":          {lora.RoAd{Common: at, Group: 6}, pefttest.Want{Trained: maps * size}},
		"road 2":          {lora.RoAd{Common: at, Group: 4, Variant: lora.Road2}, pefttest.Want{Trained: maps * 2 * size}},
		"road 4":          {lora.RoAd{Common: at, Group: 2, Variant: lora.Road4}, pefttest.Want{Trained: maps * 4 * size}},
		"c3a":             {lora.C3A{Common: at, Block: 4}, pefttest.Want{Trained: maps * size * size / 4}},
		"vblora":          {lora.VBLoRA{Common: at, Rank: 2, Vectors: 7, Length: 4, TopK: 3, Std: 20}, pefttest.Want{Trained: 7*4 + maps*2*2*3*7, Different: true}},
		"vblora smallest": {lora.VBLoRA{Common: at, Rank: 1, Vectors: 5, Length: 6, TopK: 1, Std: 20, Small: true}, pefttest.Want{Trained: 5*6 + maps*1*2*2*5, Different: true}},
		"delora":          {lora.DeLoRA{Common: at, Rank: 3}, pefttest.Want{Trained: maps * (3*perRank + 1)}},
		"hira":            {lora.HiRA{Common: at, Rank: 3, Dropout: 0.2}, pefttest.Want{Trained: maps * 3 * perRank}},
		"hira embedding":  {lora.HiRA{Common: words, Rank: 3}, pefttest.Want{Trained: 3 * (pefttest.Words + size)}},
		"oft embedding":   {lora.OFT{Common: words, BlockSize: 4, Neumann: true}, pefttest.Want{Trained: 3 * 6}},
		"oft bound table": {lora.OFT{Common: words, BlockSize: 6, Constrained: true, Eps: 0.3}, pefttest.Want{Trained: 2 * 15, Detached: []string{"oft_embedding_R.weight"}}},
		"gralora":         {lora.GraLoRA{Common: at, Rank: 6, Blocks: 3, Dropout: 0.2}, pefttest.Want{Trained: maps * 6 * perRank}},
		"gralora hybrid":  {lora.GraLoRA{Common: at, Rank: 4, Hybrid: 2}, pefttest.Want{Trained: maps * 6 * perRank}},
		"tokens":          {lora.Tokens{Rows: []int{3, 9, 0}}, pefttest.Want{Trained: 3 * size}},
		"loreft":          {lora.ReFT{Rank: 2, First: 2, Last: 1, Orthogonal: true}, pefttest.Want{Trained: pefttest.Layers * 2 * (2*2*size + 2), Different: true, Stays: true}},
		"reft of tanh":    {lora.ReFT{Rank: 2, First: 1, Last: 1, Activation: "tanh"}, pefttest.Want{Trained: pefttest.Layers * 2 * (2*2*size + 2), Different: true, Stays: true}},
		"direft":          {lora.ReFT{Rank: 3, First: 5, Tied: true, Direct: true, Dropout: 0.1}, pefttest.Want{Trained: pefttest.Layers * (2*3*size + 3), Different: true, Stays: true}},
	} {
		t.Run(name, func(t *testing.T) { pefttest.Test(t, c.method, c.want) })
	}
}
