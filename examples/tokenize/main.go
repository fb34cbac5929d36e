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
	"errors"
	"fmt"
	"unicode/utf8"

	"peft/examples/internal/cli"
	"peft/internal/plainjson"
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

// lines converts each line of the input that is not blank, and writes what comes of it at once. An interruption is heeded while a line is waited for.
func lines(ctx context.Context, e cli.Env, convert func(line []byte) (any, error)) error {
	done := make(chan error, 1)
	go func() { done <- convertLines(ctx, e, convert) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func convertLines(ctx context.Context, e cli.Env, convert func(line []byte) (any, error)) error {
	in := bufio.NewScanner(e.In)
	in.Buffer(nil, longest)
	to := json.NewEncoder(e.Out)
	to.SetEscapeHTML(false)
	n := 1
	for ; in.Scan() && ctx.Err() == nil; n++ {
		line := clean(in.Bytes(), n)
		if len(line) == 0 {
			continue
		}
		v, err := convert(line)
		if err != nil {
			return fmt.Errorf("standard input, line %d: %w", n, plainjson.Error(err))
		}
		if err := to.Encode(v); err != nil {
			return fmt.Errorf("standard output: %w", err)
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("standard input, line %d: %w", n, err)
	}
	return context.Cause(ctx)
}

// clean is a line without white space around it and, if it is the first, without a byte order mark.
func clean(line []byte, number int) []byte {
	if number == 1 {
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	return bytes.TrimSpace(line)
}

func encoder(t *tokenizer.Tokenizer, special bool) func([]byte) (any, error) {
	var options []tokenizer.Option
	if !special {
		options = append(options, tokenizer.NoSpecial())
	}
	return func(line []byte) (any, error) {
		var text *string
		if err := read(line, &text); err != nil {
			return nil, fmt.Errorf("expected a JSON string: %w", err)
		}
		x, err := t.Encode(*text, options...)
		if err != nil {
			return nil, err
		}
		return append([]int32{}, x.IDs...), nil // never null
	}
}

func decoder(t *tokenizer.Tokenizer) func([]byte) (any, error) {
	return func(line []byte) (any, error) {
		var ids *[]int32
		if err := read(line, &ids); err != nil {
			return nil, fmt.Errorf("expected a JSON list of ids: %w", err)
		}
		return t.Decode(*ids), nil
	}
}

// read reads a line of JSON that is not null.
func read[T any](line []byte, v **T) error {
	if !utf8.Valid(line) {
		return errors.New("found bytes that are not UTF-8")
	}
	if err := json.Unmarshal(line, v); err != nil {
		return err
	}
	if *v == nil {
		return errors.New("found null")
	}
	return nil
}
