package domain

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/platform/errs"
)

var start = time.Date(2026, 1, 12, 9, 0, 0, 0, time.UTC)

// drawSessions draws sessions one after another, some of them cancelled.
func drawSessions(t *rapid.T) []Session {
	var out []Session
	at := start
	for range rapid.IntRange(0, 8).Draw(t, "sessions") {
		at = at.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "gap")) * time.Minute)
		x := Session{Start: at, State: SessionScheduled}
		at = at.Add(time.Duration(rapid.IntRange(1, 240).Draw(t, "minutes")) * time.Minute)
		x.End = at
		if rapid.IntRange(0, 4).Draw(t, "cancelled") == 0 {
			x.State = SessionCancelled
		}
		out = append(out, x)
	}
	return out
}

// TestJoiningAgainstEveryMinute holds the arithmetic of joining mid-course against
// a count of the minutes one by one: whoever may join can reach the threshold by
// attending everything that is left, and whoever may not, cannot.
func TestJoiningAgainstEveryMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sessions := drawSessions(t)
		e := &Edition{State: EditionRunning, Threshold: rapid.IntRange(0, 100).Draw(t, "threshold")}
		now := start.Add(time.Duration(rapid.IntRange(-60, 3000).Draw(t, "now")) * time.Minute)
		attended := rapid.IntRange(0, 200).Draw(t, "attended")
		total, left := 0, 0
		for _, x := range sessions {
			for m := x.Start; x.State == SessionScheduled && m.Before(x.End); m = m.Add(time.Minute) {
				total++
				if !m.Before(now) {
					left++
				}
			}
		}
		s := ScheduleAt(sessions, now)
		if s.Total != total || s.Remaining != left {
			t.Fatalf("got %+v, counted %d in all and %d to come", s, total, left)
		}
		reachable := (attended+left)*100 >= e.Threshold*total
		err := e.MayJoin(attended, s, now)
		if reachable != (err == nil) || !reachable && errs.ReasonOf(err) != ThresholdUnreachable {
			t.Fatalf("%d + %d of %d minutes at %d %%: %v", attended, left, total, e.Threshold, err)
		}
		if e.Frozen(s, now) != (e.MayJoin(0, s, now) != nil) {
			t.Fatal("promotion goes where joining may not")
		}
		e.JoinDeadline = now.Add(-time.Minute)
		if errs.ReasonOf(e.MayJoin(attended, s, now)) != LateJoinCutoff {
			t.Fatal("the deadline has passed")
		}
	})
}

func TestCompletionAgainstTheThreshold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := &Edition{State: EditionRunning, Threshold: rapid.IntRange(1, 100).Draw(t, "threshold")}
		total := rapid.IntRange(0, 2000).Draw(t, "total")
		earlier := rapid.IntRange(0, 100).Draw(t, "earlier")
		n := &Enrolment{State: Enrolled, Minutes: rapid.IntRange(0, 2000).Draw(t, "attended"), Version: 4}
		_, err := n.Complete(e, earlier, total, start)
		enough := n.Minutes+earlier > 0 && (n.Minutes+earlier)*100 >= e.Threshold*total
		if enough != (err == nil) || enough != (n.State == Completed) || enough != (n.Version == 5) {
			t.Fatalf("%d + %d of %d at %d %%: %v, %+v", n.Minutes, earlier, total, e.Threshold, err, n)
		}
	})
}

func TestStatusInSession(t *testing.T) {
	x := &Session{Start: start, End: start.Add(2 * time.Hour), State: SessionScheduled}
	hour := func(h int) time.Time { return start.Add(time.Duration(h) * time.Hour) }
	for _, c := range []struct {
		name    string
		n       Enrolment
		minutes int
		now     time.Time
		want    AttendanceStatus
	}{
		{"was there", Enrolment{State: Enrolled, EnrolledAt: hour(-1)}, 5, hour(5), Present},
		{"was not there", Enrolment{State: Enrolled, EnrolledAt: hour(-1)}, 0, hour(5), Absence},
		{"still to come", Enrolment{State: Enrolled, EnrolledAt: hour(-1)}, 0, hour(1), Pending},
		{"joined afterwards", Enrolment{State: Enrolled, EnrolledAt: hour(2)}, 0, hour(5), NotDue},
		{"joined during it", Enrolment{State: Enrolled, EnrolledAt: hour(1)}, 0, hour(5), Absence},
		{"was there before joining", Enrolment{State: Enrolled, EnrolledAt: hour(3)}, 60, hour(5), Present},
		{"left before", Enrolment{State: Cancelled, EnrolledAt: hour(-2), Updated: hour(-1)}, 0, hour(5), NotDue},
		{"never had a seat", Enrolment{State: Waiting}, 0, hour(5), NotDue},
	} {
		if got := c.n.StatusIn(x, c.minutes, c.now); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestClaimStates walks every state through every verb: what is not allowed
// changes nothing.
func TestClaimStates(t *testing.T) {
	verbs := map[string]func(n *Enrolment) error{
		"cancel":  func(n *Enrolment) error { _, err := n.Cancel("", start); return err },
		"accept":  func(n *Enrolment) error { _, err := n.Accept(start); return err },
		"decline": func(n *Enrolment) error { _, err := n.Decline(start); return err },
		"complete": func(n *Enrolment) error {
			_, err := n.Complete(&Edition{State: EditionRunning}, 0, 0, start)
			return err
		},
	}
	allowed := map[EnrolmentState]string{Enrolled: "cancel complete", Offered: "cancel accept decline", Waiting: "cancel"}
	for _, state := range []EnrolmentState{Enrolled, Completed, Offered, Waiting, Cancelled, Declined, Expired} {
		for verb, do := range verbs {
			n := Enrolment{State: state, Minutes: 10, OfferExpires: start.Add(time.Minute), Version: 1}
			before := n
			err := do(&n)
			if want := slices.Contains(strings.Fields(allowed[state]), verb); want != (err == nil) {
				t.Errorf("%s in the state %s: %v", verb, state, err)
			} else if !want && n != before {
				t.Errorf("%s in the state %s was refused and changed %+v", verb, state, n)
			} else if want && n.Version != 2 {
				t.Errorf("%s in the state %s left the version at %d", verb, state, n.Version)
			}
		}
	}
}

func TestInitials(t *testing.T) {
	for _, c := range [][3]string{{"Ada", "Neri", "A. N."}, {"élise", "", "É."}, {" ", "ž", "Ž."}} {
		if got := (&Learner{GivenName: c[0], FamilyName: c[1]}).Initials(); got != c[2] {
			t.Errorf("%q %q: %q, want %q", c[0], c[1], got, c[2])
		}
	}
}
