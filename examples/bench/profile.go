package main

import (
	"io"
	"os"
	"runtime/pprof"
	"time"

	"peft/models"
	"peft/tensor"
	"peft/tensor/profile"
)

// A report is where the time of a device goes; nothing where no profile is asked for.
type report struct{ *profile.Report }

// device is where the steps are done, and the report of them if it is wanted.
func (o options) device() (*tensor.Device, report) {
	d := tensor.CPU(o.threads)
	if o.dtype == string(models.BF16) {
		d = tensor.CPUBF16(o.threads)
	}
	if !o.profile {
		return d, report{}
	}
	d, r := profile.New(d)
	return d, report{r}
}

// Reset forgets the steps so far.
func (r report) Reset() {
	if r.Report != nil {
		r.Report.Reset()
	}
}

// print writes a table of the timed steps.
func (r report) print(w io.Writer, o options, took time.Duration) error {
	if r.Report == nil {
		return nil
	}
	return r.Table(w, profile.Probe(tensor.CPU(o.threads)), o.steps, took)
}

// sample writes to a file where the processor's time goes until it is stopped.
func sample(path string) (stop func(), err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() { pprof.StopCPUProfile(); f.Close() }, nil
}
