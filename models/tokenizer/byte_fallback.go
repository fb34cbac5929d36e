package tokenizer

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Models with a byte fallback have a token such as <0xE4> for every byte, and write with them what they have no other token for.

// byteOf returns the byte that a byte token such as <0xE4> stands for.
func byteOf(token string) (byte, bool) {
	if len(token) != len("<0x00>") || !strings.HasPrefix(token, "<0x") || token[5] != '>' {
		return 0, false
	}
	b, err := strconv.ParseUint(token[3:5], 16, 8)
	return byte(b), err == nil
}

// byteToken writes a byte as such a token.
func byteToken(b byte) string {
	const hex = "0123456789ABCDEF"
	return string([]byte{'<', '0', 'x', hex[b>>4], hex[b&15], '>'})
}

// byteFallback makes characters of byte tokens; where a run of them is not valid, each becomes U+FFFD.
func byteFallback(tokens []string) []string {
	var out []string
	var run []byte
	flush := func() {
		if utf8.Valid(run) && len(run) > 0 {
			out = append(out, string(run))
		} else {
			for range run {
				out = append(out, string(utf8.RuneError))
			}
		}
		run = run[:0]
	}
	for _, token := range tokens {
		if b, ok := byteOf(token); ok {
			run = append(run, b)
			continue
		}
		flush()
		out = append(out, token)
	}
	flush()
	return out
}
