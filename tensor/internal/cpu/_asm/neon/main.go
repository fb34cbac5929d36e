// Command neon writes the assembly kernels of package cpu for arm64: for each theme a file of instructions and one of Go declarations.
//
// Kernels are written with any number of registers, to which those of the processor are given at the end. Go's assembler has no names for most
// floating-point instructions on vectors, so these are written as words, each with what it means as a comment.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"
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

func main() {
	dir := flag.String("dir", "..", "folder to write to")
	flag.Parse()
	for _, t := range themes {
		m := new(machine)
		t.write(m)
		instructions, declarations := m.files()
		name := filepath.Join(*dir, t.name+"_neon_arm64")
		for ext, text := range map[string][]byte{".s": instructions, ".go": declarations} {
			if err := os.WriteFile(name+ext, text, 0o644); err != nil {
				log.Fatal(err)
			}
		}
	}
}
