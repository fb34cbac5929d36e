// Command convert rewrites an adapter folder from the format of Hugging Face PEFT to that of AdapterHub's library adapters, or back. The rewritten adapter computes the same. Only LoRA and IA3
// have a form in both; what the other format cannot express is refused by name.
//
//	go run ./examples/convert -model models/bert -adapter lora -to adapterhub -out lora-hub
//	go run ./examples/convert -model models/bert -adapter lora-hub -to peft -out lora
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"peft/adapter"
	"peft/examples/internal/cli"
	"peft/internal/plainjson"
	"peft/lora"
	"peft/models"
	"peft/peft"
	"peft/prefix"
	"peft/tensor"

	_ "peft/bitfit"
	_ "peft/hybrid"
	_ "peft/sparsemask"
)

func main() { cli.Main(run) }

// The formats, as -to names them.
const (
	huggingFace = "peft"
	adapterHub  = "adapterhub"
)

// options are the flags.
type options struct{ adapter, to, out, model string }

func parse(e cli.Env, args []string) (o options, err error) {
	f := cli.Flags(e, "convert", "convert -adapter DIR -to peft|adapterhub -out DIR [-model DIR]: rewrite an adapter between file formats.")
	f.StringVar(&o.adapter, "adapter", "", "adapter `folder` to read")
	f.StringVar(&o.to, "to", "", "`format` to write: peft (Hugging Face PEFT) or adapterhub (AdapterHub's adapters)")
	f.StringVar(&o.out, "out", "", "adapter `folder` to write")
	f.StringVar(&o.model, "model", "", "model `folder` of the adapter (default: the one that its configuration names, if it is here)")
	if err := cli.Parse(f, args, "adapter", "to", "out"); err != nil {
		return o, err
	}
	if o.to != huggingFace && o.to != adapterHub {
		return o, fmt.Errorf("convert: -to is %q, must be %q or %q", o.to, huggingFace, adapterHub)
	}
	if cli.Same(o.out, o.adapter) || cli.Same(o.out, o.model) {
		return o, fmt.Errorf("convert: -out is the folder %s that is read, which stays as it is", o.out)
	}
	return o, nil
}

func run(ctx context.Context, e cli.Env, args []string) error {
	o, err := parse(e, args)
	if err != nil {
		return err
	}
	if peft.IsComposition(o.adapter) {
		return fmt.Errorf("convert: %s is a composition of several adapters: convert each by itself", o.adapter)
	}
	if o.model == "" {
		if o.model, err = base(o.adapter); err != nil {
			return err
		}
	}
	return tensor.Try(func() error { return convert(ctx, e, o) })
}

// base is the model folder that an adapter's configuration names.
func base(dir string) (string, error) {
	text, err := peft.ReadConfig(dir)
	if err != nil {
		return "", err
	}
	var c struct {
		HuggingFace string `json:"base_model_name_or_path"`
		AdapterHub  string `json:"model_name"`
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return "", fmt.Errorf("convert: %s: %w", dir, plainjson.Error(err))
	}
	name := c.HuggingFace + c.AdapterHub
	if _, err := os.Stat(name); err != nil {
		return "", fmt.Errorf("convert: %s is for the model %q, which is no folder here: give it by -model", dir, name)
	}
	return name, nil
}

func convert(ctx context.Context, e cli.Env, o options) error {
	m, err := models.OpenFor(o.model, o.adapter)
	if err != nil {
		return err
	}
	defer m.Close()
	if m.Options.Flexible.Layers > 0 {
		return fmt.Errorf("convert: %s has a head that AdapterHub's library builds itself: Hugging Face PEFT cannot express it", o.adapter)
	}
	patches, err := cli.Load(e, tensor.Reference(), m, o.adapter)
	if err != nil {
		return err
	}
	q, err := rewritten(patches[0], o.to)
	if err != nil {
		return fmt.Errorf("convert: %s: %w", o.adapter, err)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := peft.Save(o.out, q, cli.Info(o.model, m, cli.Labels(o.adapter))); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "wrote %s\n", o.out)
	return nil
}

// rewritten is a patch in its other form.
func rewritten(q *peft.Patch, to string) (*peft.Patch, error) {
	_, hub := q.Method().(peft.HubMethod)
	if hub == (to == adapterHub) {
		return nil, fmt.Errorf("it is in the format %q already", to)
	}
	switch q.Method().(type) {
	case lora.Hub:
		return lora.FromHub(q)
	case lora.Config, lora.IA3:
		return lora.ToHub(q)
	}
	return nil, unconvertible(q.Method(), to)
}

// unconvertible says why a method has no form in the other format.
func unconvertible(m peft.Method, to string) error {
	name := strings.TrimPrefix(fmt.Sprintf("%T", m), "*")
	switch m.(type) {
	case adapter.Config:
		return fmt.Errorf("bottleneck adapters have no form in Hugging Face PEFT")
	case prefix.Hub, prefix.Config:
		return fmt.Errorf("prefix tuning is not the same in the formats: in Hugging Face PEFT rows take the first positions, in AdapterHub's library they take none")
	case prefix.HubPrompt, prefix.Prompt:
		return fmt.Errorf("prompt tuning is not the same in the formats: in Hugging Face PEFT rows take positions and pass through the embedding's norm, in AdapterHub's library they do not")
	}
	if parts := slices.Collect(peft.Methods(m)); len(parts) > 1 {
		return fmt.Errorf("the format %q has no form of several methods in one adapter, here %d", to, len(parts))
	}
	return fmt.Errorf("the format %q has no form of %s", to, name)
}
