package errs

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestUnderPrefixesEveryPath(t *testing.T) {
	inner := New(Invalid, InvalidRequest, "two things").WithField("value", "A", "a").WithField("[2].code", "B", "b").WithField("", "C", "c")
	outer := inner.Under("identifiers")
	for i, want := range []string{"identifiers.value", "identifiers[2].code", "identifiers"} {
		if outer.Fields[i].Path != want {
			t.Errorf("%q, want %q", outer.Fields[i].Path, want)
		}
	}
	if inner.Fields[0].Path != "value" {
		t.Error("the original has changed")
	}
	if one := InvalidField("A", "value", "wrong").Under("identifiers[1]"); one.Message != "identifiers[1].value: wrong" {
		t.Errorf("message %q", one.Message)
	}
}

func TestKindAndReasonSurviveWrapping(t *testing.T) {
	cause := errors.New("the disk is full")
	err := fmt.Errorf("save: %w", AbsentResource("needs/1").Because(cause))
	if KindOf(err) != NotFound || ReasonOf(err) != Absent || !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
	if KindOf(cause) != Internal || ReasonOf(cause) != "" {
		t.Error("a foreign error has a kind")
	}
}

// A row of another tenant and one that does not exist must look the same: both
// come from AbsentResource, which knows nothing but the name.
func TestAbsenceTellsNothing(t *testing.T) {
	a, b := AbsentResource("needs/1"), AbsentResource("needs/1")
	if a.Error() != b.Error() || a.Metadata["resource"] != b.Metadata["resource"] || len(a.Metadata) != 1 {
		t.Errorf("%v, %v", a, b)
	}
}

func TestAbsenceDoesNotRepeatAWholeMessage(t *testing.T) {
	e := AbsentResource(strings.Repeat("è", 1<<20))
	if len(e.Message) > 300 || len(e.Metadata["resource"]) > 210 || !utf8.ValidString(e.Message) {
		t.Errorf("an error of %d bytes", len(e.Message))
	}
}
