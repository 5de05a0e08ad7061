package projects_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/words"
)

// heard is what a stream of alerts has sent.
type heard struct {
	changes chan *projectsv1.StreamAlertsResponse // with an alert
	end     chan error
	first   string // token
}

func (s *suite) listen(as context.Context, req *projectsv1.StreamAlertsRequest) *heard {
	s.t.Helper()
	ctx, cancel := context.WithCancel(as)
	s.t.Cleanup(cancel)
	stream, err := s.StreamAlerts(ctx, req)
	if err != nil {
		s.t.Fatal(err)
	}
	h := &heard{changes: make(chan *projectsv1.StreamAlertsResponse, 1000), end: make(chan error, 1)}
	first, err := stream.Recv()
	if err != nil {
		h.end <- err
		return h
	}
	h.first = first.GetResumeToken()
	go func() {
		for {
			m, err := stream.Recv()
			if err != nil {
				h.end <- err
				return
			}
			if m.GetAlert() != nil {
				h.changes <- m
			}
		}
	}()
	return h
}

func (h *heard) next(t testing.TB) *projectsv1.StreamAlertsResponse {
	t.Helper()
	select {
	case m := <-h.changes:
		return m
	case err := <-h.end:
		t.Fatalf("the stream ended: %v", err)
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came in 20 s")
	}
	return nil
}

func TestStreamsLoseNothingAndShowNoMoreThanLists(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		own, foreign := s.line(p, member, 100), s.line(p, other, 100)
		all := s.listen(me, &projectsv1.StreamAlertsRequest{Parent: "projects/-"})
		partners := s.listen(s.As(partner, member), &projectsv1.StreamAlertsRequest{Parent: p.GetName()})
		outside := s.listen(s.As(manager, stranger), &projectsv1.StreamAlertsRequest{Parent: "projects/-"})
		operators := s.listen(s.As(operator, ""), &projectsv1.StreamAlertsRequest{Parent: "projects/-", Mine: true})
		refused(t, <-s.listen(s.As(manager, stranger), &projectsv1.StreamAlertsRequest{Parent: p.GetName()}).end, codes.NotFound, errs.Absent)

		must[*projectsv1.Expenditure](t)(s.spend(me, foreign, 101))
		committed := time.Now()
		a := all.next(t)
		t.Logf("commit to event: %s", time.Since(committed).Round(10*time.Microsecond))
		if a.GetAlert().GetCause() != foreign.GetName() || a.GetAlert().GetState() != projectsv1.AlertState_ALERT_STATE_OPEN {
			t.Errorf("got %v", a)
		}
		must[*projectsv1.Expenditure](t)(s.spend(me, own, 101))
		b := all.next(t)
		if got := partners.next(t); got.GetAlert().GetCause() != own.GetName() || got.GetResumeToken() != b.GetResumeToken() {
			t.Errorf("the partner got %v, want only its own", got)
		}
		// From any token on, what came after it comes again, in the same order.
		for token, want := range map[string][]string{all.first: {a.GetResumeToken(), b.GetResumeToken()}, a.GetResumeToken(): {b.GetResumeToken()}} {
			again := s.listen(me, &projectsv1.StreamAlertsRequest{Parent: "projects/-", ResumeToken: token})
			for _, w := range want {
				if got := again.next(t); got.GetResumeToken() != w {
					t.Errorf("after %s came %v, want %s", token, got, w)
				}
			}
		}
		// Whoever takes charge is seen by those who follow.
		taken := must[*projectsv1.Alert](t)(s.AcknowledgeAlert(s.As(partner, member), &projectsv1.AcknowledgeAlertRequest{Name: b.GetAlert().GetName(), Note: "ci penso io"}))
		if got := all.next(t).GetAlert(); got.GetNote() != "ci penso io" || got.GetAcknowledgedBy() != taken.GetAcknowledgedBy() || taken.GetAcknowledgeTime() == nil {
			t.Errorf("got %v", got)
		}
		_, err := s.AcknowledgeAlert(me, &projectsv1.AcknowledgeAlertRequest{Name: b.GetAlert().GetName()})
		refused(t, err, codes.FailedPrecondition, domain.AlertAcknowledged)
		_, err = s.AcknowledgeAlert(s.As(partner, member), &projectsv1.AcknowledgeAlertRequest{Name: a.GetAlert().GetName()})
		refused(t, err, codes.NotFound, errs.Absent)
		_, err = s.AcknowledgeAlert(s.As(manager, stranger), &projectsv1.AcknowledgeAlertRequest{Name: a.GetAlert().GetName()})
		refused(t, err, codes.NotFound, errs.Absent)

		// Whoever leaves the partnership's organisation hears no more.
		s.Members.Remove(testkit.Subject(partner, member))
		if err := <-partners.end; status.Code(err) != codes.PermissionDenied && status.Code(err) != codes.NotFound {
			t.Errorf("ended by %v", err)
		}
		for name, h := range map[string]*heard{"a stranger": outside, "operators": operators} {
			if len(h.changes) > 0 {
				t.Errorf("%s got %v", name, <-h.changes)
			}
		}
	})
}

func TestRulesAreBentWithATraceAndEscalate(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		l := s.line(p, member, 1000)
		name := p.GetName() + "/alertRules/line-overspent"
		shipped := must[*projectsv1.AlertRule](t)(s.GetAlertRule(me, &projectsv1.GetAlertRuleRequest{Name: name}))
		if shipped.GetOrigin() != projectsv1.AlertRuleOrigin_ALERT_RULE_ORIGIN_SHIPPED || shipped.GetThreshold() != 10_000 {
			t.Errorf("shipped %v", shipped)
		}
		clear := int64(10_500)
		bent := must[*projectsv1.AlertRule](t)(s.UpdateAlertRule(me, &projectsv1.UpdateAlertRuleRequest{Reason: "il finanziatore ammette il 20 %", AlertRule: &projectsv1.AlertRule{
			Name: name, Threshold: 12_000, ClearThreshold: &clear, EscalateAfter: durationpb.New(48 * time.Hour),
			EscalateTo: []projectsv1.AlertRecipient{projectsv1.AlertRecipient_ALERT_RECIPIENT_NETWORK_OPERATOR}}}))
		if bent.GetOrigin() != projectsv1.AlertRuleOrigin_ALERT_RULE_ORIGIN_PROJECT || len(bent.GetChanges()) != 1 || bent.GetChanges()[0].GetReason() == "" {
			t.Errorf("bent %v", bent)
		}
		open := func() int { return len(s.openAlerts(me, p.GetName())) }
		first := must[*projectsv1.Expenditure](t)(s.spend(me, l, 1200))
		if open() != 0 {
			t.Error("an alert at the flexibility")
		}
		small := must[*projectsv1.Expenditure](t)(s.spend(me, l, 1))
		if open() != 1 {
			t.Error("no alert above it")
		}
		// It does not flap: it closes only below the other threshold.
		must[*projectsv1.Expenditure](t)(s.VoidExpenditure(me, &projectsv1.VoidExpenditureRequest{Name: small.GetName(), Reason: "x"}))
		if open() != 1 {
			t.Error("closed between the thresholds")
		}
		mine := func() int {
			return len(must[*projectsv1.ListAlertsResponse](t)(s.ListAlerts(s.As(operator, ""), &projectsv1.ListAlertsRequest{Parent: "projects/-", Mine: true})).GetAlerts())
		}
		if mine() != 0 {
			t.Error("operators are told before it escalates")
		}
		s.Clock.Advance(48 * time.Hour)
		s.Until("it escalates", func() bool { return mine() == 1 })
		must[*projectsv1.Expenditure](t)(s.VoidExpenditure(me, &projectsv1.VoidExpenditureRequest{Name: first.GetName(), Reason: "x"}))
		if open() != 0 {
			t.Error("open with nothing spent")
		}
		// Back to what is shipped, once.
		if _, err := s.DeleteAlertRule(me, &projectsv1.DeleteAlertRuleRequest{Name: name}); err != nil {
			t.Fatal(err)
		}
		_, err := s.DeleteAlertRule(me, &projectsv1.DeleteAlertRuleRequest{Name: name})
		refused(t, err, codes.NotFound, errs.Absent)

		for who, err := range map[string]error{
			"a partner": func() error {
				_, err := s.UpdateAlertRule(s.As(manager, member), &projectsv1.UpdateAlertRuleRequest{Reason: "x", AlertRule: &projectsv1.AlertRule{Name: name, Threshold: 1}})
				return err
			}(),
			"a manager, the network's": func() error {
				_, err := s.UpdateAlertRule(me, &projectsv1.UpdateAlertRuleRequest{Reason: "x", AlertRule: &projectsv1.AlertRule{Name: "alertRules/line-overspent", Threshold: 1}})
				return err
			}(),
		} {
			if status.Code(err) != codes.PermissionDenied {
				t.Errorf("%s: %v", who, err)
			}
		}
		_, err = s.UpdateAlertRule(me, &projectsv1.UpdateAlertRuleRequest{Reason: "x", AlertRule: &projectsv1.AlertRule{Name: name, ClearThreshold: &[]int64{20_000}[0]}})
		refused(t, err, codes.InvalidArgument, domain.AlertRuleWrong)
	})
}

func TestEarnedValueOverTimeAndByPartner(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		a := s.task(p, "Analisi", 5) // 5 to 12 January: the 6th is a holiday
		for organisation, amount := range map[string]int64{leader: 60_000, member: 40_000} {
			must[*projectsv1.BudgetLine](t)(s.CreateBudgetLine(me, &projectsv1.CreateBudgetLineRequest{Parent: p.GetName(), BudgetLine: &projectsv1.BudgetLine{
				Organisation: organisation, Category: projectsv1.CostCategory_COST_CATEGORY_OTHER, Amount: eur(amount), WorkPackage: a.GetName()}}))
		}
		s.Clock.Set(time.Date(2026, time.January, 7, 12, 0, 0, 0, time.UTC))
		must[*projectsv1.Task](t)(s.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: a.GetName(), ProgressPercent: 40, ActualStartDate: "2026-01-05"}}))
		s.Clock.Set(time.Date(2026, time.January, 8, 12, 0, 0, 0, time.UTC))
		must[*projectsv1.Task](t)(s.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: a.GetName(), ProgressPercent: 50}}))
		read := func(as context.Context, day, organisation string) *projectsv1.EarnedValue {
			t.Helper()
			return must[*projectsv1.EarnedValue](t)(s.GetEarnedValue(as, &projectsv1.GetEarnedValueRequest{Name: p.GetName() + "/earnedValue", AsOfDate: day, Organisation: organisation}))
		}
		v := read(me, "2026-01-07", "")
		if v.GetBudgetAtCompletion().GetMinorUnits() != 100_000 || v.GetPlannedValue().GetMinorUnits() != 40_000 || v.GetEarnedValue().GetMinorUnits() != 40_000 || v.CostPerformanceIndex != nil {
			t.Errorf("on the 7th: %v", v)
		}
		if v = read(me, "", ""); v.GetEarnedValue().GetMinorUnits() != 50_000 || v.GetSchedulePerformanceIndex() != 5./6 || v.GetEarnedScheduleDays() != 2.5 || v.GetActualTimeDays() != 3 {
			t.Errorf("today: %v", v)
		}
		if v = read(s.As(partner, member), "", ""); v.GetBudgetAtCompletion().GetMinorUnits() != 40_000 || v.GetEarnedValue().GetMinorUnits() != 20_000 {
			t.Errorf("the partner's: %v", v)
		}
		_, err := s.GetEarnedValue(s.As(partner, member), &projectsv1.GetEarnedValueRequest{Name: p.GetName() + "/earnedValue", Organisation: leader})
		refused(t, err, codes.PermissionDenied, domain.LeadOnly)
		_, err = s.GetEarnedValue(s.As(manager, stranger), &projectsv1.GetEarnedValueRequest{Name: p.GetName() + "/earnedValue"})
		refused(t, err, codes.NotFound, errs.Absent)
		_, err = s.GetEarnedValue(me, &projectsv1.GetEarnedValueRequest{Name: p.GetName() + "/earnedValue", AsOfDate: "2026-01-09"})
		refused(t, err, codes.InvalidArgument, domain.DatesWrong)
		curve := must[*projectsv1.SCurve](t)(s.GetSCurve(s.As(auditor, ""), &projectsv1.GetSCurveRequest{Name: p.GetName() + "/sCurve", Step: projectsv1.CurveStep_CURVE_STEP_DAY}))
		points := curve.GetPoints()
		if points[2].GetEarned() != 40_000 || points[3].GetEarned() != 50_000 || points[4].Earned != nil || points[len(points)-1].GetPlanned() != 100_000 {
			t.Errorf("the curve: %v", points[:6])
		}
		kpis := must[*projectsv1.ListKpisResponse](t)(s.ListKpis(me, &projectsv1.ListKpisRequest{Parent: p.GetName()})).GetKpis()
		if len(kpis) != 9 || kpis[0].GetKey() != "spi" || kpis[0].GetValue() != 5./6 || kpis[2].Value != nil {
			t.Errorf("key figures: %v", kpis)
		}
	})
}

func TestLessonsAreRankedAsByHand(t *testing.T) {
	vocabulary := strings.Fields("partenariato rendicontazione ritardo acquisto gara formazione territorio volontari digitale budget scadenza documento")
	eachDB(t, func(t *testing.T, s *suite) {
		random := rand.New(rand.NewPCG(3, 9))
		sentence := func() string {
			var out []string
			for range 1 + random.IntN(12) {
				out = append(out, vocabulary[random.IntN(len(vocabulary))])
			}
			return strings.Join(out, " ")
		}
		p := s.project()
		var lessons []*projectsv1.Lesson
		for i := range 40 {
			l := &projectsv1.Lesson{Title: text(sentence()), Context: text(sentence()), WhatHappened: text(sentence()), Recommendation: text(sentence()),
				Sharing: projectsv1.Sharing(1 + i%3), Tags: []string{vocabulary[random.IntN(len(vocabulary))]}, Outcome: projectsv1.LessonOutcome(i % 2)}
			lessons = append(lessons, must[*projectsv1.Lesson](t)(s.CreateLesson(s.As(manager, leader), &projectsv1.CreateLessonRequest{Parent: p.GetName(), Lesson: l})))
		}
		for who, c := range map[string]struct {
			as   context.Context
			sees func(projectsv1.Sharing) bool
		}{
			"the lead":   {s.As(manager, leader), func(projectsv1.Sharing) bool { return true }},
			"a stranger": {s.As(learner, stranger), func(x projectsv1.Sharing) bool { return x != projectsv1.Sharing_SHARING_OWN }},
			"nobody":     {s.Anonymous(), func(x projectsv1.Sharing) bool { return x == projectsv1.Sharing_SHARING_PUBLIC }},
		} {
			for range 10 {
				query := sentence()
				outcome := projectsv1.LessonOutcome(random.IntN(2))
				got := must[*projectsv1.SearchLessonsResponse](t)(s.SearchLessons(c.as, &projectsv1.SearchLessonsRequest{Query: query, PageSize: 100, Outcome: outcome}))
				want := rankByHand(lessons, query, outcome, c.sees)
				var names []string
				for _, h := range got.GetHits() {
					names = append(names, h.GetLesson().GetName()+fmt.Sprint(" ", h.GetScore()))
				}
				if !slices.Equal(names, want) || int(got.GetTotalSize()) != len(want) {
					t.Fatalf("%s, %q:\ngot  %v\nwant %v", who, query, names, want)
				}
			}
		}
	})
}

// rankByHand is BM25 the plain way, over the lessons that somebody sees.
func rankByHand(lessons []*projectsv1.Lesson, query string, outcome projectsv1.LessonOutcome, sees func(projectsv1.Sharing) bool) []string {
	type entry struct {
		lesson *projectsv1.Lesson
		index  words.Index
		score  int64
	}
	var visible []*entry
	var total int64
	for _, l := range lessons {
		if !sees(l.GetSharing()) {
			continue
		}
		index := words.Index{}
		index.Add(l.GetTitle().GetText(), 3)
		index.Add(l.GetTags()[0], 2)
		for _, t := range []string{l.GetContext().GetText(), l.GetWhatHappened().GetText(), l.GetRecommendation().GetText()} {
			index.Add(t, 1)
		}
		total += index.Length()
		visible = append(visible, &entry{lesson: l, index: index})
	}
	stems := words.Stems(query)
	slices.Sort(stems)
	for _, stem := range slices.Compact(stems) {
		having := int64(0)
		for _, e := range visible {
			if e.index[stem] > 0 {
				having++
			}
		}
		for _, e := range visible {
			if e.index[stem] > 0 {
				e.score += words.Score(words.Rarity(int64(len(visible)), having), e.index[stem], e.index.Length(), int64(len(visible)), total)
			}
		}
	}
	visible = slices.DeleteFunc(visible, func(e *entry) bool {
		return e.score == 0 || outcome != 0 && e.lesson.GetOutcome() != outcome
	})
	slices.SortStableFunc(visible, func(a, b *entry) int { return int(b.score - a.score) })
	var out []string
	for _, e := range visible {
		out = append(out, e.lesson.GetName()+fmt.Sprint(" ", float64(e.score)/1e6))
	}
	return out
}

// fill puts so many projects in place at once, with their partners and lines.
func fill(ctx context.Context, db *sqldb.DB, n int) error {
	const batch = 5000
	for from := 0; from < n; from += batch {
		err := db.Write(ctx, func(_ context.Context, tx *sqldb.Tx) error {
			for i := from; i < min(from+batch, n); i++ {
				id := fmt.Sprintf("00000000-0000-7000-9000-%012x", i)
				lead, second := organisation(100+i%628), organisation(100+(i*7+1)%628)
				doc := fmt.Sprintf(`{"sectors":["s%d"],"funders":[{"displayName":"F%d","programme":"P%d"}],"partners":[{"organisation":"%s","lead":true},{"organisation":"%s"}]}`,
					i%12, i%40, i%60, lead, second)
				tx.Queue(`INSERT INTO projects (id, organisation, currency, phase, territory, start_date, end_date, closed, granted, planned, spent, version, created, updated, doc)
					VALUES ($1, $2, 'EUR', $3, $4, '2026-01-01', $5, 0, $6, $7, $8, 1, 1, 1, $9)`,
					id, lead, string(domain.Phases[i%5]), fmt.Sprintf("it-%d", 20+i%21), fmt.Sprintf("202%d-12-31", 6+i%4), int64(i)*7, int64(i)*10, int64(i)*3, doc)
			}
			tx.Queue(`INSERT INTO project_parts (part, changes) SELECT substr(id, 34, 3), COUNT(*) FROM projects WHERE TRUE GROUP BY 1
				ON CONFLICT (part) DO UPDATE SET changes = project_parts.changes + excluded.changes`)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
