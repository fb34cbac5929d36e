// Command tokenize turns texts into the numbers of their tokens, or back, one JSON value a line.
//
//	echo '"Would buy again."' | go run ./examples/tokenize -model models/all-MiniLM-L6-v2
//	echo '[101, 2052, 4965, 102]' | go run ./examples/tokenize -model models/all-MiniLM-L6-v2 -decode
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"peft/examples/internal/cli"
	"peft/models/tokenizer"
)

func main() { cli.Main(run) }

// longest is the longest line in bytes.
const longest = 1 << 28

func run(ctx context.Context, e cli.Env, args []string) error {
	f := cli.Flags(e, "tokenize", "tokenize -model DIR [-special=false] [-decode]: JSON strings in, lists of ids out, a line each; or back.")
	model := f.String("model", "", "`folder` with a tokenizer.json")
	special := f.Bool("special", true, "add the special tokens that the tokenizer puts around a text")
	decode := f.Bool("decode", false, "read lists of ids and print texts, special tokens left out")
	if err := cli.Parse(f, args, "model"); err != nil {
		return err
	}
	t, err := tokenizer.Open(*model)
	if err != nil {
		return err
	}
	convert := encoder(t, *special)
	if *decode {
		convert = decoder(t)
	}
	return lines(ctx, e, convert)
}

// lines converts each line of the input that is not blank.
func lines(ctx context.Context, e cli.Env, convert func(line []byte) (any, error)) error {
	in := bufio.NewScanner(e.In)
	in.Buffer(nil, longest)
	out := bufio.NewWriter(e.Out)
	defer out.Flush()
	to := json.NewEncoder(out)
	to.SetEscapeHTML(false)
	for n := 1; in.Scan() && ctx.Err() == nil; n++ {
		line := bytes.TrimSpace(in.Bytes())
		if len(line) == 0 {
			continue
		}
		v, err := convert(line)
		if err != nil {
			return fmt.Errorf("standard input, line %d: %w", n, err)
		}
		if err := to.Encode(v); err != nil {
			return err
		}
	}
	if err := in.Err(); err != nil && err != io.EOF {
		return fmt.Errorf("standard input: %w", err)
	}
	return ctx.Err()
}

func encoder(t *tokenizer.Tokenizer, special bool) func([]byte) (any, error) {
	var options []tokenizer.Option
	if !special {
		options = append(options, tokenizer.NoSpecial())
	}
	return func(line []byte) (any, error) {
		var text string
		if err := json.Unmarshal(line, &text); err != nil {
			return nil, fmt.Errorf("expected a JSON string: %w", err)
		}
		x, err := t.Encode(text, options...)
		if err != nil {
			return nil, err
		}
		return append([]int32{}, x.IDs...), nil // never null
	}
}

func decoder(t *tokenizer.Tokenizer) func([]byte) (any, error) {
	return func(line []byte) (any, error) {
		var ids []int32
		if err := json.Unmarshal(line, &ids); err != nil {
			return nil, fmt.Errorf("expected a JSON list of ids: %w", err)
		}
		return t.Decode(ids), nil
	}
}
