package train

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// A LogFile is a log on the disk that a resumed run goes on with where its checkpoint was: lines of later steps, and one that was cut short, are
// taken off.
type LogFile struct{ f *os.File }

// OpenLog opens a log, or makes it. What it holds stays until [Run] begins.
func OpenLog(path string) (*LogFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	return &LogFile{f}, nil
}

// Write adds lines.
func (l *LogFile) Write(lines []byte) (int, error) { return l.f.Write(lines) }

// Close closes the file.
func (l *LogFile) Close() error { return l.f.Close() }

// Rewind takes off all that was written after a step.
func (l *LogFile) Rewind(step int) error {
	if _, err := l.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	keep, err := l.until(step)
	if err != nil {
		return fmt.Errorf("read %s: %w", l.f.Name(), err)
	}
	if err := l.f.Truncate(keep); err != nil {
		return err
	}
	_, err = l.f.Seek(keep, io.SeekStart)
	return err
}

// until is the length of the whole lines that tell of no later step.
func (l *LogFile) until(step int) (length int64, err error) {
	r := bufio.NewReader(l.f)
	for {
		text, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return length, nil
		}
		if err != nil {
			return 0, err
		}
		var line struct{ Step int }
		if json.Unmarshal(bytes.TrimSpace(text), &line) != nil || line.Step > step || step == 0 {
			return length, nil
		}
		length += int64(len(text))
	}
}
