package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sort"
	"sync"
	"time"

	"peft/examples/internal/cli"
	"peft/examples/internal/figure"
	"peft/examples/internal/lesson"
	"peft/models"
	"peft/peft"
	"peft/tensor"
	"peft/train"
)

// A sweep is one loaded base over which many settings are trained, each in a patch of its own. The base is never written, so several do so at the same time.
type sweep struct {
	options
	env    cli.Env
	base   *models.Opened
	lesson *lesson.Lesson
	sites  *peft.Sites
	axes   []axis
	trials []*trial

	mu      sync.Mutex
	results []result
	runs    int // how many there will be
}

// A result is what a trial came to after some steps.
type result struct {
	*trial
	steps     int
	trainable int
	percent   float64
	score     train.Score // not a number where the run diverged
	seconds   float64
}

func newSweep(e cli.Env, o options) (s *sweep, err error) {
	s = &sweep{options: o, env: e}
	if o.picture != "" {
		if err := figure.Check(o.picture); err != nil {
			return nil, err
		}
	}
	if s.base, s.lesson, err = o.open(); err != nil {
		return nil, err
	}
	threads := o.threads
	if threads == 0 {
		threads = max(1, runtime.GOMAXPROCS(0)/o.parallel)
	}
	if s.sites, err = peft.FindSites(tensor.CPU(threads), s.lesson.Model); err == nil {
		err = s.draw()
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *sweep) close() { s.base.Close() }

// search trains the trials: all to the end, or by successive halving (Jamieson and Talwalkar 2016, arXiv:1502.07943), in which only the best after a part of the steps go on. A run with
// more steps begins anew, so that its learning rate falls to 0 as that of every other.
func (s *sweep) search(ctx context.Context) error {
	rounds := s.rounds()
	for _, r := range rounds {
		s.runs += r.trials
	}
	going := s.trials
	for _, r := range rounds {
		going = going[:min(r.trials, len(going))]
		results, err := s.round(ctx, going, r.steps)
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("interrupted after %d of %d runs: %w", len(s.results), s.runs, err)
		case err != nil:
			return err
		}
		sort.SliceStable(results, func(i, j int) bool { return results[i].better(results[j]) })
		going = nil
		for _, r := range results {
			going = append(going, r.trial)
		}
	}
	return nil
}

// A round is so many trials, each trained for so many steps.
type round struct{ trials, steps int }

func (s *sweep) rounds() []round {
	steps := (s.lesson.Train.Len() + s.batch - 1) / s.batch * s.epochs
	if s.steps > 0 {
		steps = min(steps, s.steps)
	}
	n := len(s.trials)
	all := []round{{n, steps}}
	if s.how == "random" {
		return all
	}
	for n /= s.factor; n >= 1; n /= s.factor {
		for i := range all {
			all[i].steps = max(1, all[i].steps/s.factor)
		}
		all = append(all, round{n, steps})
	}
	return all
}

// round trains trials for so many steps, several at the same time.
func (s *sweep) round(ctx context.Context, trials []*trial, steps int) ([]result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan *trial)
	var group sync.WaitGroup
	first := len(s.results)
	for range min(s.parallel, len(trials)) {
		group.Go(func() {
			for t := range queue {
				if err := tensor.Try(func() error { return s.try(ctx, t, steps) }); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, t := range trials {
		queue <- t
	}
	close(queue)
	group.Wait()
	return append([]result{}, s.results[first:]...), context.Cause(ctx)
}

// try trains a trial, unless the search has ended. A run that diverges is a result, not an error.
func (s *sweep) try(ctx context.Context, t *trial, steps int) error {
	if ctx.Err() != nil {
		return nil
	}
	start := time.Now()
	r := result{trial: t, steps: steps, score: train.Score{Loss: math.NaN(), Accuracy: math.NaN()}}
	q, err := s.lesson.Attach(ctx, s.sites, t.method, s.seed)
	if err != nil {
		return err
	}
	sum := q.Summary()
	r.trainable, r.percent = sum.Trainable, sum.Percent()
	got, err := train.Run(ctx, s.lesson.Job(q), train.Config{
		Steps: steps, Batch: s.batch, LR: t.rate, Rule: lesson.Rule(q, t.rate), Warmup: warmup, Clip: clip, Seed: s.seed,
	})
	var diverged *train.NotFiniteError
	if err != nil && !errors.As(err, &diverged) {
		return err
	}
	if err == nil {
		r.score = got.Evals[len(got.Evals)-1].Score
	}
	r.seconds = time.Since(start).Seconds()
	return s.add(r)
}

// What all runs have in common.
const (
	clip   = 1
	warmup = 0.06 // share of all steps
)

// add keeps a result, and tells of it.
func (s *sweep) add(r result) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results = append(s.results, r)
	fmt.Fprintf(s.env.Err, "run %d of %d: %s: %s after %d steps, %.0f s\n", len(s.results), s.runs, s.setting(r.trial), r, r.steps, r.seconds)
	return s.print(r)
}

// better tells whether a result is better than another: it got further, is more often right, or else has the lower loss.
func (r result) better(o result) bool {
	switch {
	case r.steps != o.steps:
		return r.steps > o.steps
	case math.IsNaN(r.score.Loss) || math.IsNaN(o.score.Loss):
		return !math.IsNaN(r.score.Loss)
	case r.score.Accuracy != o.score.Accuracy && !math.IsNaN(r.score.Accuracy):
		return r.score.Accuracy > o.score.Accuracy
	}
	return r.score.Loss < o.score.Loss
}

// last are the results after most steps of each trial, the best first.
func (s *sweep) last() (all []result) {
	longest := map[*trial]result{}
	for _, r := range s.results {
		if have, ok := longest[r.trial]; !ok || r.steps > have.steps {
			longest[r.trial] = r
		}
	}
	for _, t := range s.trials {
		if r, ok := longest[t]; ok {
			all = append(all, r)
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].better(all[j]) })
	return all
}
