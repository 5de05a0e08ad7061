package psplib_test

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/trama-suite/trama/services/projects/internal/domain/schedule/level"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule/level/psplib"
)

const patterson = `
4 2

2  1

0  0 0   2  2
3
5  2 1  1  4
3  0 1  1  4
0  0 0  0
`

const single = `************************************************************************
file with basedata            : example.bas
initial value random generator: 28123
************************************************************************
projects                      :  1
jobs (incl. supersource/sink ):  4
horizon                       :  8
RESOURCES
  - renewable                 :  2   R
  - nonrenewable              :  0   N
  - doubly constrained        :  0   D
************************************************************************
PROJECT INFORMATION:
pronr.  #jobs rel.date duedate tardcost  MPM-Time
    1      2      0       38       26       38
************************************************************************
PRECEDENCE RELATIONS:
jobnr.    #modes  #successors   successors
   1        1          2           2   3
   2        1          1           4
   3        1          1           4
   4        1          0
************************************************************************
REQUESTS/DURATIONS:
jobnr. mode duration  R 1  R 2
------------------------------------------------------------------------
  1      1     0       0    0
  2      1     5       2    1
  3      1     3       0    1
  4      1     0       0    0
************************************************************************
RESOURCEAVAILABILITIES:
  R 1  R 2
   2    1
************************************************************************
`

func TestBothFormatsSayTheSame(t *testing.T) {
	want := &level.Instance{
		Durations: []int{0, 5, 3, 0}, Demands: [][]int{{0, 0}, {2, 1}, {0, 1}, {0, 0}}, Capacities: []int{2, 1},
		Precedences: []level.Precedence{{From: 0, To: 1}, {From: 0, To: 2}, {From: 1, To: 3}, {From: 2, To: 3}},
	}
	for name, read := range map[string]func() (*level.Instance, error){
		"rcp": func() (*level.Instance, error) { return psplib.ReadPatterson(strings.NewReader(patterson)) },
		"sm":  func() (*level.Instance, error) { return psplib.ReadSingleMode(strings.NewReader(single)) },
		"sm, CR LF": func() (*level.Instance, error) {
			return psplib.ReadSingleMode(strings.NewReader(strings.ReplaceAll(single, "\n", "\r\n")))
		},
	} {
		got, err := read()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", name, got, err)
			continue
		}
		if r, err := level.Solve(t.Context(), got, level.Options{}); err != nil || r.Makespan != 8 || !r.Optimal {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestMalformedFilesAreRefused(t *testing.T) {
	rcp := func(r io.Reader) (*level.Instance, error) { return psplib.ReadPatterson(r) }
	sm := func(r io.Reader) (*level.Instance, error) { return psplib.ReadSingleMode(r) }
	for _, c := range []struct {
		name, text, want string
		read             func(io.Reader) (*level.Instance, error)
	}{
		{"empty", "", "line 0: the file ends where the number of activities should be", rcp},
		{"words", "4 two", `line 1: the number of resources is "two"`, rcp},
		{"no activity", "0 0", `line 1: the number of activities is "0"`, rcp},
		{"too many", "99999999999999999999 1", "line 1: the number of activities", rcp},
		{"truncated", patterson[:len(patterson)-8], "the file ends where", rcp},
		{"more", patterson + " 7", `line 11: "7" stands after the last activity`, rcp},
		{"a successor that is not there", strings.Replace(patterson, "1  4", "1  5", 1), `line 8: a successor of activity 2 is "5"`, rcp},
		{"negative", strings.Replace(patterson, "5  2 1", "-5  2 1", 1), "line 8: the duration of activity 2", rcp},
		{"a long line", strings.Repeat("1", 2<<20), "line 1: ", rcp},
		{"empty", "", "the file does not say how many jobs", sm},
		{"truncated", single[:900], "", sm},
		{"no capacities", single[:strings.Index(single, "RESOURCEAVAIL")], "the file ends before the capacities", sm},
		{"two modes", strings.Replace(single, "2        1          1           4", "2        3          1           4", 1), "line 20: job 2 has 3 modes", sm},
		{"nonrenewable", strings.Replace(single, ":  0   N", ":  2   N", 1), "line 10: 2 resources that are not renewable", sm},
		{"a missing job", strings.Replace(single, "   3        1          1           4\n", "", 1), "line 21: the successors of job 3", sm},
		{"a missing demand", strings.Replace(single, "2    1\n  3", "2\n  3", 1), "line 28: job 2 with mode 1", sm},
		{"a word for a number", strings.Replace(single, "5       2    1", "five    2    1", 1), `is "five"`, sm},
		{"not the format", "<xml/>\n<a>", "the file does not say how many jobs", sm},
	} {
		_, err := c.read(strings.NewReader(c.text))
		e, ok := errors.AsType[*psplib.SyntaxError](err)
		if !ok || !strings.Contains(e.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func FuzzReaders(f *testing.F) {
	f.Add(patterson)
	f.Add(single)
	f.Fuzz(func(t *testing.T, text string) {
		if in, err := psplib.ReadPatterson(strings.NewReader(text)); err == nil {
			_, _ = level.Serial(in, level.LFT)
		}
		if in, err := psplib.ReadSingleMode(strings.NewReader(text)); err == nil {
			_, _ = level.Serial(in, level.LFT)
		}
	})
}
