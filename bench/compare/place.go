package main

import (
	"bufio"
	"debug/buildinfo"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// A place is where and when something was measured.
type place struct {
	processor, memory, system, golang, commit, date string
	processors                                      int
}

// here is this machine, now, and the commit that the programs in a folder were built from. What the system does not say is "unknown".
func here(programs string) place {
	p := place{
		processor: field("/proc/cpuinfo", "model name"), memory: "unknown", system: runtime.GOOS + "/" + runtime.GOARCH, golang: runtime.Version(),
		commit: commit(filepath.Join(programs, "bench")), date: time.Now().UTC().Format(time.DateOnly), processors: runtime.NumCPU(),
	}
	var kib float64
	if _, err := fmt.Sscanf(field("/proc/meminfo", "MemTotal"), "%f kB", &kib); err == nil {
		p.memory = fmt.Sprintf("%.0f GB", kib*1024/1e9)
	}
	return p
}

// field is the first value of a name in a file of lines "name : value".
func field(path, name string) string {
	f, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		key, value, ok := strings.Cut(lines.Text(), ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// commit is what a program was built from, "unknown" where it does not say.
func commit(program string) string {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(7, len(s.Value))]
		}
	}
	return "unknown"
}
