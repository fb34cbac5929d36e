package optim

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A Schedule is the factor on the learning rate at each step, counted from 0.
type Schedule func(step int) float64

// Constant is 1 throughout.
func Constant() Schedule { return func(int) float64 { return 1 } }

// ConstantWithWarmup rises from 0 to 1 in warmup steps and stays there.
func ConstantWithWarmup(warmup int) Schedule {
	return warmed(warmup, func(int) float64 { return 1 })
}

// Linear rises from 0 to 1 in warmup steps and falls in a straight line to 0 at total.
func Linear(warmup, total int) Schedule {
	return warmed(warmup, func(i int) float64 {
		return max(0, float64(total-i)/math.Max(1, float64(total-warmup)))
	})
}

// Cosine rises from 0 to 1 in warmup steps and falls along cycles waves of a cosine until total; half a wave ends at 0.
func Cosine(warmup, total int, cycles float64) Schedule {
	return warmed(warmup, func(i int) float64 {
		return wave(2 * cycles * share(i, warmup, total))
	})
}

// CosineWithRestarts rises from 0 to 1 in warmup steps and then falls cycles times along half a wave of a cosine, starting at 1 each time.
func CosineWithRestarts(warmup, total int, cycles float64) Schedule {
	return warmed(warmup, func(i int) float64 {
		at := share(i, warmup, total)
		if at >= 1 {
			return 0
		}
		return wave(math.Mod(cycles*at, 1))
	})
}

// Polynomial rises from 0 to 1 in warmup steps and falls to end, a factor too, at total, as (1−x)^power does.
func Polynomial(warmup, total int, end, power float64) Schedule {
	return warmed(warmup, func(i int) float64 {
		if i > total {
			return end
		}
		return end + (1-end)*math.Pow(1-share(i, warmup, total), power)
	})
}

// InverseSqrt rises from 0 to 1 in warmup steps and falls as √(warmup/step); without warm-up it begins to fall as if 10,000 steps had passed.
func InverseSqrt(warmup int) Schedule {
	scale := warmup
	if warmup == 0 {
		scale = 10_000
	}
	return warmed(warmup, func(i int) float64 {
		return 1 / math.Sqrt(float64(i+scale-warmup)/float64(scale))
	})
}

// named is the schedules by the names that Hugging Face gives them, with its defaults.
var named = map[string]func(warmup, total int) Schedule{
	"constant":             func(warmup, _ int) Schedule { return ConstantWithWarmup(warmup) },
	"constant_with_warmup": func(warmup, _ int) Schedule { return ConstantWithWarmup(warmup) },
	"linear":               Linear,
	"cosine":               func(warmup, total int) Schedule { return Cosine(warmup, total, 0.5) },
	"cosine_with_restarts": func(warmup, total int) Schedule { return CosineWithRestarts(warmup, total, 1) },
	"inverse_sqrt":         func(warmup, _ int) Schedule { return InverseSqrt(warmup) },
}

// Named is the schedule that Hugging Face gives the name to: constant, constant_with_warmup, linear, cosine, cosine_with_restarts, inverse_sqrt.
// Unlike there, constant too heeds its warm-up.
func Named(name string, warmup, total int) (Schedule, error) {
	s, known := named[name]
	if !known {
		return nil, fmt.Errorf("optim: no schedule is called %q; there are %s", name, strings.Join(Names(), ", "))
	}
	if warmup < 0 || total < 0 {
		return nil, fmt.Errorf("optim: a schedule of %d steps with %d of warm-up", total, warmup)
	}
	return s(warmup, total), nil
}

// Names lists the schedules that [Named] knows.
func Names() []string {
	names := make([]string, 0, len(named))
	for name := range named {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// warmed is i/warmup before warmup, and then what follows it.
func warmed(warmup int, after Schedule) Schedule {
	return func(i int) float64 {
		if i < warmup {
			return float64(i) / float64(warmup)
		}
		return after(i)
	}
}

// share is how much of the way from the end of the warm-up to total is done.
func share(i, warmup, total int) float64 {
	return float64(i-warmup) / math.Max(1, float64(total-warmup))
}

// wave is a cosine between 1 and 0, with its first zero at x = 1.
func wave(x float64) float64 { return math.Max(0, 0.5*(1+math.Cos(math.Pi*x))) }
