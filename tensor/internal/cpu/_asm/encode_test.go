package main

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// TestEncode compares with what GNU as makes of the same instructions.
func TestEncode(t *testing.T) {
	for want, got := range map[string][]byte{
		"62f276585210":         vdpbf16ps.evex(2, 1, place{base: ax, index: none}),
		"62e20e50528834120000": vdpbf16ps.evex(17, 30, place{base: ax, index: none, disp: 0x1234})[:10],
		"62c20e50524c4901":     vdpbf16ps.evex(17, 30, place{base: r9, index: cx, scale: 2, disp: 4}),
		"62e20e4052cb":         vdpbf16ps.evexRegister(17, 30, 3),
		"62f26f4872d9":         vcvtne2ps2bf16.evexRegister(3, 2, 1),
		"c4e2784900":           ldtilecfg.vex(0, place{base: ax, index: none}),
		"c4e27849c0":           tilerelease.vexRegister(0, 0, 0),
		"c4e27b49d8":           tilezero.vexRegister(3, 0, 0),
		"c4e27b4b240e":         tileloadd.vex(4, place{base: si, index: cx, scale: 1}),
		"c4827b4b7c1940":       tileloadd.vex(7, place{base: r9, index: r11, scale: 1, disp: 64}),
		"c4e27a4b140f":         tilestored.vex(2, place{base: di, index: cx, scale: 1}),
		"c4e24a5cc4":           tdpbf16ps.vexRegister(0, 4, 6),
		"c4e2425cdd":           tdpbf16ps.vexRegister(3, 5, 7),
	} {
		if b, _ := hex.DecodeString(want); !bytes.Equal(b, got) {
			t.Errorf("got %x, want %s", got, want)
		}
	}
}
