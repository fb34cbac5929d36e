package tokenizer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// benchmarked are tokenizers of every model and of the patterns that take longest.
var benchmarked = []string{"bert-uncased", "gpt2", "llama-2", "llama-3", "qwen3", "gpt-oss", "gemma3", "t5"}

// corpus is the golden texts one after the other, some 100 kB of many scripts, or English alone.
func corpus(b *testing.B) map[string]string {
	var file struct{ Texts []string }
	readGolden(b, "texts.json", &file)
	mixed := strings.Repeat(strings.Join(file.Texts, "\n"), 4)
	english := strings.Repeat(englishText, 100)
	return map[string]string{"mixed": mixed, "english": english}
}

const englishText = `It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was the epoch of belief,
it was the epoch of incredulity, it was the season of Light, it was the season of Darkness, it was the spring of hope, it was the winter of despair. In 1775,
there were a king with a large jaw and a queen with a plain face, on the throne of England; there were a king with a large jaw and a queen with a fair face,
on the throne of France. In both countries it was clearer than crystal to the lords of the State preserves of loaves and fishes, that things in general
were settled for ever.
`

func BenchmarkEncode(b *testing.B) {
	texts := corpus(b)
	for _, name := range benchmarked {
		for kind, s := range texts {
			b.Run(name+"/"+kind, func(b *testing.B) {
				tok, tokens := published(b, name), 0
				b.SetBytes(int64(len(s)))
				b.ReportAllocs()
				for b.Loop() {
					e, err := tok.Encode(s)
					require.NoError(b, err)
					tokens += e.Len()
				}
				b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	s := corpus(b)["mixed"]
	for _, name := range benchmarked {
		b.Run(name, func(b *testing.B) {
			tok := published(b, name)
			e, err := tok.Encode(s)
			require.NoError(b, err)
			for b.Loop() {
				tok.Decode(e.IDs)
			}
			b.ReportMetric(float64(e.Len()*b.N)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, name := range benchmarked {
		b.Run(name, func(b *testing.B) {
			published(b, name)
			info, err := os.Stat(filepath.Join(tokenizers, name, "tokenizer.json"))
			require.NoError(b, err)
			b.SetBytes(info.Size())
			for b.Loop() {
				published(b, name)
			}
		})
	}
}
