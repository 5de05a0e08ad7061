package rpc

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/impact/internal/domain"
	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
	"github.com/trama-suite/trama/services/impact/internal/domain/rollup"
	"github.com/trama-suite/trama/services/impact/internal/store"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// happened is one event as it reaches the service.
type happened struct {
	env  *eventv1.Envelope
	data proto.Message
}

func (s *Server) apply(ctx context.Context, tx *sqldb.Tx, h happened) error {
	switch m := h.data.(type) {
	case *cataloguev1.OrganisationPublished:
		return s.organisationPublished(ctx, tx, h.env, m)
	case *trainingv1.EnrolmentConfirmed:
		return s.enrolmentConfirmed(ctx, tx, h.env, m)
	case *trainingv1.EnrolmentCancelled:
		return s.enrolmentCancelled(ctx, tx, h.env, m)
	case *trainingv1.EnrolmentCompleted:
		return s.enrolmentCompleted(ctx, tx, h.env, m)
	case *trainingv1.AttendanceRecorded:
		return s.attendanceRecorded(ctx, tx, h.env, m)
	case *projectsv1.ProjectClosed:
		return s.projectClosed(ctx, tx, h.env, m)
	case *projectsv1.ExpenditureRecorded:
		return s.expenditureRecorded(ctx, tx, h.env, m)
	case *projectsv1.ExpenditureVoided:
		return s.expenditureVoided(ctx, tx, h.env, m)
	case *matchingv1.MatchActivated:
		return s.matchActivated(ctx, tx, h.env, m)
	}
	return fmt.Errorf("unexpected %T", h.data)
}

// history makes a random past of the network, in order, and what its automatic
// indicators come to by plain counting.
func history(r *rand.Rand) (events []happened, want map[string]string) {
	start := time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC)
	name := func(kind string, n int) string {
		return fmt.Sprintf("%s/0197f000-0000-7000-8000-0000000000%02d", kind, n)
	}
	versions := map[string]int64{}
	add := func(service, aggregate string, data proto.Message) {
		versions[aggregate] += int64(1 + r.IntN(2)) // other events of the aggregate are none of ours
		events = append(events, happened{&eventv1.Envelope{
			Id: fmt.Sprintf("%s/%s/%d", service, aggregate, versions[aggregate]), Service: service, Aggregate: aggregate,
			AggregateVersion: versions[aggregate], EventTime: timestamppb.New(start.AddDate(0, 0, len(events))),
		}, data})
	}
	date := func() string { return start.AddDate(0, 0, r.IntN(120)).Format(time.DateOnly) }
	enrolled, trained := map[string]bool{}, map[string]bool{}
	var minutes, cents, closed, matches int64
	for n := range 2 + r.IntN(4) {
		en := &trainingv1.Enrolment{Name: name("enrolments", n), Learner: name("learners", r.IntN(3)), Organisation: name("organisations", r.IntN(2)),
			Project: []string{"", name("projects", r.IntN(2))}[r.IntN(2)], EnrolTime: timestamppb.New(start)}
		add("training", en.Name, &trainingv1.EnrolmentConfirmed{Enrolment: en})
		if r.IntN(4) == 0 {
			add("training", en.Name, &trainingv1.EnrolmentCancelled{Enrolment: en})
			continue
		}
		enrolled[en.Learner] = true
		total := int32(0)
		for range r.IntN(5) {
			total = max(0, total+int32(r.IntN(200)-20)) // a correction may take minutes away
			add("training", en.Name, &trainingv1.AttendanceRecorded{Enrolment: en.Name, Organisation: en.Organisation, Project: en.Project, AttendedMinutes: total, Date: date()})
		}
		minutes += int64(total)
		if r.IntN(2) == 0 {
			trained[en.Learner] = true
			add("training", en.Name, &trainingv1.EnrolmentCompleted{Enrolment: en.Name, Organisation: en.Organisation, Project: en.Project, Learner: en.Learner, Minutes: total, Date: date()})
		}
	}
	for n := range 2 {
		p := &projectsv1.Project{Name: name("projects", n), Organisation: name("organisations", n), Title: &typev1.LocalizedText{Text: "p", LanguageCode: "it"}}
		for x := range r.IntN(4) {
			e := &projectsv1.Expenditure{Name: p.Name + "/" + name("expenditures", n*10+x), Organisation: name("organisations", r.IntN(2)),
				Document: &projectsv1.Document{Date: date()}, Amount: &typev1.Money{MinorUnits: int64(1 + r.IntN(100_000)), CurrencyCode: "EUR"}}
			add("projects", e.Name, &projectsv1.ExpenditureRecorded{Expenditure: e, Project: p.Name, ProjectOrganisation: p.Organisation})
			if r.IntN(3) == 0 {
				add("projects", e.Name, &projectsv1.ExpenditureVoided{Expenditure: e, Project: p.Name, ProjectOrganisation: p.Organisation})
				continue
			}
			cents += e.Amount.MinorUnits
		}
		if r.IntN(2) == 0 {
			closed++
			add("projects", p.Name, &projectsv1.ProjectClosed{Project: p})
		}
	}
	for n := range r.IntN(3) {
		matches++
		add("matching", name("matches", n), &matchingv1.MatchActivated{Match: &matchingv1.Match{Name: name("matches", n), DemandOrganisation: name("organisations", 0)}})
	}
	return events, map[string]string{
		domain.PeopleEnrolled: fmt.Sprint(len(enrolled)), domain.PeopleTrained: fmt.Sprint(len(trained)),
		domain.TrainingHours: exact.Fraction(minutes, 60).String(), domain.AmountSpent: exact.Fraction(cents, 100).String(),
		domain.ProjectsClosed: fmt.Sprint(closed), domain.MatchesMade: fmt.Sprint(matches),
	}
}

// dump reads everything that figures are made of: what counts now, and the cells.
func dump(ctx context.Context, tx *sqldb.Tx) (out []string, err error) {
	for _, query := range []string{
		"SELECT 'leaf', indicator, fact, organisation, project, place, CAST(start_day AS TEXT), CAST(end_day AS TEXT), value FROM leaves WHERE known_until = 0",
		"SELECT 'cell', indicator, bucket, organisation, project, place, CAST(start_day AS TEXT), CAST(end_day AS TEXT), value FROM cells",
	} {
		rows, err := tx.Query(ctx, query)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			f := make([]string, 9)
			if err := rows.Scan(&f[0], &f[1], &f[2], &f[3], &f[4], &f[5], &f[6], &f[7], &f[8]); err != nil {
				return nil, err
			}
			out = append(out, strings.Join(f, " | "))
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	slices.Sort(out)
	return out, nil
}

// play applies events to an empty service in transactions of random size, and
// returns what is stored and the network's figures.
func play(t *testing.T, s *Server, r *rand.Rand, events []happened) (state []string, figures map[string]string) {
	t.Helper()
	err := s.DB.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		for _, table := range []string{"facts", "leaves", "cells", "turns", "attendance_marks", "organisations", "projects"} {
			tx.Queue("DELETE FROM " + table)
		}
		return nil
	})
	for len(events) > 0 && err == nil {
		n := 1 + r.IntN(len(events))
		group := events[:n]
		events = events[n:]
		err = s.DB.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			for _, e := range group {
				if err := s.apply(ctx, tx, e); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	figures = map[string]string{}
	err = s.DB.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if state, err = dump(ctx, tx); err != nil {
			return err
		}
		for name := range domain.Automatic {
			i, err := store.Indicator(ctx, tx, name)
			if err != nil {
				return err
			}
			rows, err := store.Rows(ctx, tx, []domain.Indicator{i}, domain.Period{Start: 20250101, End: 20280101}, store.Narrow{}, time.Time{})
			if err != nil {
				return err
			}
			states := []rollup.State{}
			for _, row := range rows[name] {
				states = append(states, row.State)
			}
			whole, err := rollup.Fold(i.Measure(), states)
			if err != nil {
				return err
			}
			figures[name] = "0"
			if v := whole.Figure().Value; v != nil {
				figures[name] = v.String()
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return state, figures
}

func newServer(t *testing.T, open testkit.OpenDB) *Server {
	t.Helper()
	clock := testkit.NewClock()
	return &Server{DB: open(t, "impact", os.DirFS("../../migrations")), Now: func() time.Time { return clock.Advance(time.Second) }, Threshold: 3}
}

// Events in their order, and the same events shuffled and some of them given
// several times, leave exactly the same state; and it is what plain counting
// comes to.
func TestEventsCountOnceInAnyOrder(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		s := newServer(t, open)
		const seed = 20261121
		for round := range uint64(25) {
			r := rand.New(rand.NewPCG(seed, round))
			events, want := history(r)
			state, figures := play(t, s, r, events)
			if !maps.Equal(figures, want) {
				t.Fatalf("round %d: figures %v, want %v", round, figures, want)
			}
			again := slices.Clone(events)
			for range r.IntN(len(events) + 1) {
				again = append(again, events[r.IntN(len(events))])
			}
			r.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
			other, figures := play(t, s, r, again)
			if !slices.Equal(state, other) || !maps.Equal(figures, want) {
				t.Fatalf("round %d: in order\n%s\nshuffled\n%s", round, strings.Join(state, "\n"), strings.Join(other, "\n"))
			}
		}
	})
}

func TestHoursStayInTheirMonth(t *testing.T) {
	leaves, err := domain.Hours("s", []domain.Mark{
		{Version: 5, Minutes: 300, Day: 20251210}, {Version: 2, Minutes: 120, Day: 20251105}, {Version: 7, Minutes: 240, Day: 20251105},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[domain.Day]string{}
	for _, l := range leaves {
		got[l.Period.Start] = l.State.Figure().Value.String()
	}
	// 2 h on 5 November, 3 h on 10 December, then one of November's taken back.
	if want := (map[domain.Day]string{20251105: "1", 20251210: "3"}); !maps.Equal(got, want) {
		t.Errorf("hours by day = %v, want %v", got, want)
	}
}

// The seeded rows are what the domain takes them for.
func TestAutomaticIndicatorsAreSeeded(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		s := newServer(t, open)
		err := s.DB.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			list, err := store.Headlines(ctx, tx)
			if err != nil || len(list) != len(domain.Automatic) {
				t.Errorf("%d headline indicators, want %d (%v)", len(list), len(domain.Automatic), err)
			}
			for _, i := range list {
				if i.Measure() != domain.Automatic[i.Name] || !i.Automatic || i.Number != 1 || i.Title.Empty() {
					t.Errorf("%s is seeded as %+v", i.Name, i)
				}
				v, err := store.VersionOf(ctx, tx, i, 1)
				if err != nil || !v.Indicator.Headline || v.Indicator.Title.Text != i.Title.Text {
					t.Errorf("version 1 of %s: %+v, %v", i.Name, v, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// The domain's reasons are the proto's, and the other way about.
func TestReasonsAreDocumented(t *testing.T) {
	declared := map[string]bool{}
	for name, number := range impactv1.ImpactError_value {
		if number != 0 {
			declared[strings.TrimPrefix(name, "IMPACT_ERROR_")] = true
		}
	}
	for _, r := range domain.Reasons {
		if !declared[string(r)] {
			t.Errorf("%s is not in errors.proto", r)
		}
		delete(declared, string(r))
	}
	if len(declared) > 0 {
		t.Errorf("nothing gives %v", slices.Sorted(maps.Keys(declared)))
	}
}
