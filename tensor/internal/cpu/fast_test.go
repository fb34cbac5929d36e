//go:build (amd64 || arm64) && !noasm

package cpu

import (
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/cpu"

	"peft/tensor/internal/backend"
)

// TestFastest fails if New leaves the instructions of the processor unused.
func TestFastest(t *testing.T) {
	want := Generic
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		want = AVX2
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW {
		want = AVX512
		if cpu.X86.HasAVX512BF16 {
			if !slow(AVX512BF16) {
				want = AVX512BF16
			}
			if cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16 && supported(AMX) { // the system may not let us
				want = AMX
			}
		}
	}
	if runtime.GOARCH == "arm64" {
		want = NEON
	}
	if name := os.Getenv("PEFT_CPU"); name != "" {
		require.Equal(t, name, New(1).Set().String())
		return
	}
	require.Equal(t, want, New(1).Set())
}

// TestFastPaths fails if a kernel of a set is plain Go, but for the functions that are seldom computed.
func TestFastPaths(t *testing.T) {
	for _, s := range ownSets() {
		k := newKernels(s)
		for f := backend.ReLU; f <= backend.Softplus; f++ {
			if f == backend.Log || f >= backend.Sin {
				continue
			}
			requireFast(t, s, f.String(), reflect.ValueOf(k.unary[f]))
			requireFast(t, s, f.String()+"'", reflect.ValueOf(k.slope[f]))
		}
		v := reflect.ValueOf(k).Elem()
		for i := range v.NumField() {
			field, name := v.Field(i), v.Type().Field(i).Name
			switch {
			case name == "unary" || name == "slope":
			case field.Kind() == reflect.Func:
				requireFast(t, s, name, field)
			case field.Kind() == reflect.Array:
				for j := range field.Len() {
					if f := field.Index(j); f.Kind() == reflect.Func && (name != "tile" || j >= 1 && j <= k.tileRows) {
						requireFast(t, s, name, f)
					}
				}
			}
		}
	}
}

// requireFast fails unless f is an assembly function of set s, or a closure made for it.
func requireFast(t *testing.T, s Set, name string, f reflect.Value) {
	t.Helper()
	at := runtime.FuncForPC(f.Pointer()).Name()
	wrapped := strings.Contains(at, "."+s.String()+".") || strings.Contains(at, "vectors")
	require.True(t, wrapped || strings.HasSuffix(strings.ToLower(at), s.String()), "%v: %s is %s", s, name, at)
}
