package psplib

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/trama-suite/trama/services/projects/internal/domain/schedule/level"
)

func fields(line string) []string { return strings.Fields(strings.TrimPrefix(line, "\ufeff")) }

// ReadSingleMode reads an instance in the single-mode format of PSPLIB (.sm), or
// a multi-mode file (.mm) in which every job has one mode and there are renewable
// resources only.
func ReadSingleMode(r io.Reader) (*level.Instance, error) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	f := &singleMode{in: &level.Instance{}}
	for s.Scan() {
		f.line++
		if err := f.read(s.Text()); err != nil {
			return nil, err
		}
	}
	if err := s.Err(); err != nil {
		return nil, &SyntaxError{f.line + 1, err.Error()}
	}
	return f.in, f.complete()
}

// singleMode is the state of the reader: the section it is in, and what it has.
type singleMode struct {
	in        *level.Instance
	line      int
	section   string
	jobs      int
	resources int
	related   int // jobs of which the successors are read
}

// Sections of the format. The others say nothing that is needed.
const (
	relations = "PRECEDENCE RELATIONS"
	requests  = "REQUESTS/DURATIONS"
	available = "RESOURCEAVAILABILITIES"
)

func (f *singleMode) wrong(format string, args ...any) error {
	return &SyntaxError{f.line, fmt.Sprintf(format, args...)}
}

func (f *singleMode) read(text string) error {
	words := fields(text)
	if len(words) == 0 || strings.Trim(words[0], "*-=") == "" && !strings.Contains(text, ":") {
		return nil
	}
	key, value, colon := strings.Cut(text, ":")
	key = strings.TrimSpace(key)
	if colon {
		f.section = ""
		switch {
		case key == relations || key == requests || key == available:
			f.section = key
		case strings.HasPrefix(key, "jobs"):
			return f.count(value, "the number of jobs", 1, level.MaxActivities, &f.jobs)
		case strings.HasPrefix(key, "- renewable"):
			return f.count(value, "the number of renewable resources", 0, level.MaxResources, &f.resources)
		case strings.HasPrefix(key, "- nonrenewable"), strings.HasPrefix(key, "- doubly constrained"):
			n := 0
			if err := f.count(value, "the number of resources", 0, level.MaxResources, &n); err != nil {
				return err
			}
			if n > 0 {
				return f.wrong("%d resources that are not renewable: only renewable ones can be levelled", n)
			}
		}
		return nil
	}
	if first := words[0][0]; first < '0' || first > '9' {
		if first == '-' || f.section != "" && (words[0] == "jobnr." || words[0] == "R") || f.section == "" {
			return nil // a heading
		}
		return f.wrong("%q is not a number", shown(words[0]))
	}
	switch f.section {
	case relations:
		return f.relation(words)
	case requests:
		return f.request(words)
	case available:
		return f.capacities(words)
	}
	return nil
}

func (f *singleMode) count(value, what string, least, most int, to *int) error {
	words := fields(value)
	if len(words) == 0 {
		return f.wrong("%s is missing", what)
	}
	n, err := number(f.line, words[0], what, least, most)
	*to = n
	return err
}

// numbers reads a whole line.
func (f *singleMode) numbers(words []string, what string) ([]int, error) {
	out := make([]int, len(words))
	for i, w := range words {
		var err error
		if out[i], err = number(f.line, w, what, 0, 1<<29); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// relation reads: job, modes, number of successors, successors.
func (f *singleMode) relation(words []string) error {
	x, err := f.numbers(words, "a number of a precedence relation")
	if err != nil {
		return err
	}
	f.related++
	switch {
	case f.related > f.jobs:
		return f.wrong("more than the %d jobs announced", f.jobs)
	case len(x) < 3 || x[0] != f.related:
		return f.wrong("the successors of job %d should be here", f.related)
	case x[1] != 1:
		return f.wrong("job %d has %d modes: only one can be levelled", x[0], x[1])
	case x[2] != len(x)-3:
		return f.wrong("job %d has %d successors, %d are named", x[0], x[2], len(x)-3)
	}
	for _, s := range x[3:] {
		if s < 1 || s > f.jobs {
			return f.wrong("job %d has the successor %d, there are %d jobs", x[0], s, f.jobs)
		}
		f.in.Precedences = append(f.in.Precedences, level.Precedence{From: x[0] - 1, To: s - 1})
	}
	return nil
}

// request reads: job, mode, duration, demands.
func (f *singleMode) request(words []string) error {
	x, err := f.numbers(words, "a number of a request")
	if err != nil {
		return err
	}
	switch job := len(f.in.Durations) + 1; {
	case job > f.jobs:
		return f.wrong("more than the %d jobs announced", f.jobs)
	case len(x) != 3+f.resources || x[0] != job || x[1] != 1:
		return f.wrong("job %d with mode 1, its duration and %d demands should be here", job, f.resources)
	}
	f.in.Durations = append(f.in.Durations, x[2])
	f.in.Demands = append(f.in.Demands, x[3:])
	return nil
}

func (f *singleMode) capacities(words []string) error {
	x, err := f.numbers(words, "a capacity")
	if err != nil {
		return err
	}
	if len(x) != f.resources || f.in.Capacities != nil {
		return f.wrong("one line of %d capacities should be here", f.resources)
	}
	f.in.Capacities = x
	return nil
}

func (f *singleMode) complete() error {
	switch {
	case f.jobs == 0:
		return f.wrong("the file does not say how many jobs there are")
	case f.related < f.jobs:
		return f.wrong("the file ends after the successors of %d of %d jobs", f.related, f.jobs)
	case len(f.in.Durations) < f.jobs:
		return f.wrong("the file ends after the durations of %d of %d jobs", len(f.in.Durations), f.jobs)
	case len(f.in.Capacities) < f.resources:
		return f.wrong("the file ends before the capacities")
	}
	return nil
}
