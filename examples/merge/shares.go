package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"peft/peft"
)

// A share is an adapter folder and its weight.
type share struct {
	dir    string
	weight float64
	said   bool // the weight was given
}

// shares is a flag that may be given several times: DIR or DIR:WEIGHT.
type shares []share

// String joins the folders.
func (s *shares) String() string { return strings.Join(s.dirs(), ",") }

// Set adds DIR or DIR:WEIGHT. A folder may have a colon in its name.
func (s *shares) Set(v string) error {
	if v == "" {
		return errors.New("the folder is empty")
	}
	x := share{v, 1, false}
	if at := strings.LastIndexByte(v, ':'); at > 0 && !isDir(v) {
		w, err := strconv.ParseFloat(v[at+1:], 64)
		if err != nil || math.IsNaN(w) || math.IsInf(w, 0) {
			return fmt.Errorf("the weight is %q, expected a number", v[at+1:])
		}
		x = share{v[:at], w, true}
	}
	*s = append(*s, x)
	return nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func (s shares) dirs() (all []string) {
	for _, x := range s {
		all = append(all, x.dir)
	}
	return all
}

// weighted reports whether any weight was given.
func (s shares) weighted() bool {
	for _, x := range s {
		if x.said {
			return true
		}
	}
	return false
}

// terms pairs loaded patches with their weights.
func (s shares) terms(patches []*peft.Patch) (all []peft.Term) {
	for i, q := range patches {
		all = append(all, peft.Term{Patch: q, Weight: s[i].weight})
	}
	return all
}
