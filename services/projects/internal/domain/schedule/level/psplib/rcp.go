// Package psplib reads instances of the resource-constrained project scheduling
// problem in the formats of the public libraries: Patterson's (.rcp) and that of
// PSPLIB (.sm; Kolisch and Sprecher, "PSPLIB, a project scheduling problem
// library", European Journal of Operational Research 96, 1997).
package psplib

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/trama-suite/trama/services/projects/internal/domain/schedule/level"
)

// SyntaxError says where a file is not what it should be.
type SyntaxError struct {
	Line   int // from 1
	Reason string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// maxLine bounds the memory for one line.
const maxLine = 1 << 20

// ReadPatterson reads an instance in Patterson's format: the numbers of
// activities and of resources, the capacities, and for each activity its
// duration, its demands, and how many and which activities come after it, from 1.
// Lines may be broken anywhere.
func ReadPatterson(r io.Reader) (*level.Instance, error) {
	f := newNumbers(r)
	n, err := f.next("the number of activities", 1, level.MaxActivities)
	if err != nil {
		return nil, err
	}
	resources, err := f.next("the number of resources", 0, level.MaxResources)
	if err != nil {
		return nil, err
	}
	in := &level.Instance{}
	if in.Capacities, err = f.list(resources, "a capacity"); err != nil {
		return nil, err
	}
	for i := range n {
		d, err := f.next(fmt.Sprintf("the duration of activity %d", i+1), 0, level.MaxHorizon)
		if err != nil {
			return nil, err
		}
		demands, err := f.list(resources, fmt.Sprintf("a demand of activity %d", i+1))
		if err != nil {
			return nil, err
		}
		in.Durations, in.Demands = append(in.Durations, d), append(in.Demands, demands)
		k, err := f.next(fmt.Sprintf("the number of successors of activity %d", i+1), 0, n)
		if err != nil {
			return nil, err
		}
		for range k {
			s, err := f.next(fmt.Sprintf("a successor of activity %d", i+1), 1, n)
			if err != nil {
				return nil, err
			}
			in.Precedences = append(in.Precedences, level.Precedence{From: i, To: s - 1})
		}
	}
	return in, f.end()
}

// numbers reads a file of whole numbers between blanks.
type numbers struct {
	lines *bufio.Scanner
	words []string
	line  int
}

func newNumbers(r io.Reader) *numbers {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	return &numbers{lines: s}
}

func (f *numbers) word() (string, error) {
	for len(f.words) == 0 {
		if !f.lines.Scan() {
			if err := f.lines.Err(); err != nil {
				return "", &SyntaxError{f.line + 1, err.Error()}
			}
			return "", io.EOF
		}
		f.line++
		f.words = fields(f.lines.Text())
	}
	w := f.words[0]
	f.words = f.words[1:]
	return w, nil
}

func (f *numbers) next(what string, least, most int) (int, error) {
	w, err := f.word()
	if errors.Is(err, io.EOF) {
		return 0, &SyntaxError{f.line, "the file ends where " + what + " should be"}
	}
	if err != nil {
		return 0, err
	}
	return number(f.line, w, what, least, most)
}

func (f *numbers) list(n int, what string) ([]int, error) {
	out := make([]int, n)
	for i := range out {
		var err error
		if out[i], err = f.next(what, 0, 1<<29); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (f *numbers) end() error {
	w, err := f.word()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		err = &SyntaxError{f.line, fmt.Sprintf("%q stands after the last activity", shown(w))}
	}
	return err
}

func number(line int, w, what string, least, most int) (int, error) {
	n, err := strconv.Atoi(w)
	if err != nil || n < least || n > most {
		return 0, &SyntaxError{line, fmt.Sprintf("%s is %q, not a number from %d to %d", what, shown(w), least, most)}
	}
	return n, nil
}

func shown(w string) string {
	if len(w) > 40 {
		return w[:40] + "…"
	}
	return w
}
