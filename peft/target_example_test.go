package peft_test

import (
	"encoding/json"
	"fmt"

	"peft/peft"
	"peft/tensor"
)

// network is a model of one's own: names of sites are the paths of its fields.
type network struct {
	Embed  peft.Embedding `name:"embed"`
	Blocks []*block       `name:"model.layers"`
	Head   peft.Linear    `name:"head"`
}

type block struct {
	Q    peft.Linear `name:"attn.q_proj"`
	V    peft.Linear `name:"attn.v_proj"`
	Up   peft.Linear `name:"mlp.up_proj"`
	Down peft.Linear `name:"mlp.down_proj"`
}

func newNetwork(layers int) *network {
	n := &network{Embed: peft.NewEmbedding(9, 4), Head: peft.NewLinear(4, 9, false, peft.Head)}
	n.Head.IsHead = true
	for range layers {
		n.Blocks = append(n.Blocks, &block{
			Q: peft.NewLinear(4, 4, true, peft.Query), V: peft.NewLinear(4, 4, true, peft.Value), Up: peft.NewLinear(4, 8, true, peft.Up), Down: peft.NewLinear(8, 4, true, peft.Down),
		})
	}
	return n
}

func show(s *peft.Sites, on peft.Selection) {
	chosen, err := on.Select(s)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, x := range chosen {
		fmt.Println(x.Name())
	}
}

func ExampleTargets() {
	sites, err := peft.FindSites(tensor.Reference(), newNetwork(3))
	if err != nil {
		panic(err)
	}
	var on peft.Targets
	config := `{"target_modules": ["q_proj", "up_proj", "head"], "layers_to_transform": [0, 2], "exclude_modules": ".*layers\\.2.*up_proj"}`
	if err := json.Unmarshal([]byte(config), &on); err != nil {
		panic(err)
	}
	show(sites, on)
	// Output:
	// model.layers.0.attn.q_proj
	// model.layers.0.mlp.up_proj
	// model.layers.2.attn.q_proj
	// head
}

func ExampleSuffixes() {
	sites, err := peft.FindSites(tensor.Reference(), newNetwork(2))
	if err != nil {
		panic(err)
	}
	show(sites, peft.Suffixes("v_proj", "embed"))
	show(sites, peft.Suffixes("query"))
	// Output:
	// embed
	// model.layers.0.attn.v_proj
	// model.layers.1.attn.v_proj
	// peft: Targets{"target_modules": ["query"]} matches no site; there are: embed, model.layers.N.attn.q_proj, model.layers.N.attn.v_proj, model.layers.N.mlp.up_proj, model.layers.N.mlp.down_proj, head
}

func ExampleFullMatch() {
	sites, err := peft.FindSites(tensor.Reference(), newNetwork(2))
	if err != nil {
		panic(err)
	}
	show(sites, peft.FullMatch(`.*layers\.(?!0\.).*_proj`))
	// Output:
	// model.layers.1.attn.q_proj
	// model.layers.1.attn.v_proj
	// model.layers.1.mlp.up_proj
	// model.layers.1.mlp.down_proj
}

func ExampleAllLinear() {
	sites, err := peft.FindSites(tensor.Reference(), newNetwork(1))
	if err != nil {
		panic(err)
	}
	show(sites, peft.AllLinear())
	// Output:
	// model.layers.0.attn.q_proj
	// model.layers.0.attn.v_proj
	// model.layers.0.mlp.up_proj
	// model.layers.0.mlp.down_proj
}

func ExamplePatternMap() {
	var ranks peft.PatternMap
	if err := json.Unmarshal([]byte(`{"layers.0.attn.q_proj": 16, "q_proj": 4}`), &ranks); err != nil {
		panic(err)
	}
	for _, name := range []string{"model.layers.0.attn.q_proj", "model.layers.1.attn.q_proj", "model.layers.1.attn.v_proj"} {
		r, ok := ranks.Lookup(name)
		fmt.Println(name, r, ok)
	}
	// Output:
	// model.layers.0.attn.q_proj 16 true
	// model.layers.1.attn.q_proj 4 true
	// model.layers.1.attn.v_proj 0 false
}

func ExampleUsual() {
	fmt.Println(peft.Usual("LORA", "bert"))
	fmt.Println(peft.Usual("IA3", "llama"))
	// Output:
	// Targets{"target_modules": ["query","value"]}
	// Targets{"target_modules": ["k_proj","v_proj","down_proj"]}
}
