package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"
)

// preface is what the page begins with; a section for each machine follows.
const preface = `# Benchmarks

Training beside PyTorch with Hugging Face PEFT, both on the same machine in one sitting, taking turns: a section for each machine, written there by the command that it names.
PYTHON has torch, transformers and peft, and the folders are those of the benchmark's scripts, of all-MiniLM-L6-v2, and of the product reviews.
`

// sectionMark begins the title of a section.
const sectionMark = "\n## "

// write writes the section of this machine to a page, whose other sections stay as they are.
func write(path string, r report) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, []byte(replace(string(old), r.title(), r.section())), 0o644)
}

// replace is a page in which the section with a title is new; it is the last one if there was none.
func replace(page, title, text string) string {
	parts, found := strings.Split(page, sectionMark), false
	out := preface
	for _, old := range parts[1:] {
		if strings.HasPrefix(old, title+"\n") {
			old, found = title+"\n"+text, true
		}
		out += sectionMark + strings.TrimRight(old, "\n") + "\n"
	}
	if !found {
		out += sectionMark + title + "\n" + strings.TrimRight(text, "\n") + "\n"
	}
	return out
}
