// Command asm writes the assembly kernels of package cpu: for each theme of kernels and each instruction set a file of instructions, and for
// each theme a file of Go declarations.
//
// The kernels are written once in terms of a [machine], vectors of 8 numbers (AVX2 and FMA) or 16 (AVX-512); only where the sets differ in kind
// (masks, the shape of tiles, transpositions) is there code for each.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"

	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

// themes are the kernels, by the name of the file that they go to.
var themes = []struct {
	name  string
	write func(m *machine)
}{
	{"tile", tiles},
	{"pack", packs},
	{"probe", probes},
	{"elementwise", elementwise},
	{"function", functions},
	{"reduce", reductions},
	{"norm", norms},
	{"attention", attentions},
	{"widen", widenings},
}

// sixteen are the kernels of bfloat16, each for processors of one kind.
var sixteen = []struct {
	set   string
	write func(m *machine)
}{
	{"AVX512BF16", dots},
	{"AMX", matrices},
}

func main() {
	dir := flag.String("dir", "..", "folder to write to")
	flag.Parse()
	for _, t := range themes {
		for _, wide := range []bool{true, false} {
			m := newMachine(wide)
			t.write(m)
			name := fmt.Sprintf("%s_%s_amd64", t.name, m.lower())
			if err := m.save(filepath.Join(*dir, name)); err != nil {
				log.Fatalf("%s: %v", name, err)
			}
		}
	}
	for _, t := range sixteen {
		m := newMachine(true)
		m.name = t.set
		t.write(m)
		name := fmt.Sprintf("pairs_%s_amd64", m.lower())
		if err := m.save(filepath.Join(*dir, name)); err != nil {
			log.Fatalf("%s: %v", name, err)
		}
	}
}

// save writes name.s and name.go.
func (m *machine) save(name string) error {
	m.constants()
	m.count()
	f, err := m.Result()
	if err != nil {
		return err
	}
	if err := pass.Compile.Execute(f); err != nil {
		return err
	}
	config := printer.Config{Name: "go generate", Pkg: "cpu"}
	for ext, p := range map[string]printer.Printer{".s": printer.NewGoAsm(config), ".go": printer.NewStubs(config)} {
		text, err := p.Print(f)
		if err != nil {
			return err
		}
		if err := m.check(text); err != nil {
			return err
		}
		if err := os.WriteFile(name+ext, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// upper matches registers that only AVX-512 has.
var upper = regexp.MustCompile(`\b[XYZ](1[6-9]|2\d|3\d)\b|\bZ\d`)

// check fails if AVX2 code uses registers that only AVX-512 has.
func (m *machine) check(text []byte) error {
	if r := upper.Find(text); r != nil && !m.wide {
		return fmt.Errorf("register %s in AVX2 code", r)
	}
	return nil
}
