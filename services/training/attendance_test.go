package training_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/platform/testkit"
)

func interval(from time.Time, in, out int) *trainingv1.Interval {
	at := func(m int) *timestamppb.Timestamp { return timestamppb.New(from.Add(time.Duration(m) * time.Minute)) }
	return &trainingv1.Interval{InTime: at(in), OutTime: at(out)}
}

func entry(n *trainingv1.Enrolment, intervals ...*trainingv1.Interval) *trainingv1.AttendanceEntry {
	return &trainingv1.AttendanceEntry{Enrolment: n.GetName(), Intervals: intervals}
}

func (w *world) record(x *trainingv1.Session, entries ...*trainingv1.AttendanceEntry) (*trainingv1.SessionRegister, error) {
	return w.attendance.RecordAttendance(w.teacher, &trainingv1.RecordAttendanceRequest{Name: x.GetName(), Entries: entries})
}

func TestFromAttendanceToCertificate(t *testing.T) {
	each(t, func(w *world) {
		e := w.scheduled(w.course(), 1, 4, 0)
		day1 := time.Date(2026, 1, 12, 9, 0, 0, 0, time.UTC)
		day2 := day1.AddDate(0, 0, 7)
		s1, s2 := w.session(e, "digital-mindset", day1, 300), w.session(e, "projects", day2, 200)
		e = w.open(e)
		a := must[*trainingv1.Enrolment](t)(w.enrol(e, w.person("Anna")))
		b := must[*trainingv1.Enrolment](t)(w.enrol(e, w.person("Bruno")))
		e = w.start(e)

		_, err := w.record(s1, entry(a, interval(day1, 0, 300)))
		w.refused(err, "ATTENDANCE_IN_FUTURE")
		w.Clock.Set(day1.Add(6 * time.Hour))
		_, err = w.record(s1, entry(a, interval(day1, 0, 100)), entry(b, interval(day1, 400, 500)))
		w.refused(err, "INTERVAL_OUTSIDE_SESSION")
		if n := w.get(a.GetName()); n.GetAttendedMinutes() != 0 {
			t.Fatalf("a refused request has left %d minutes behind", n.GetAttendedMinutes())
		}
		// Early, late, in pieces and twice: only the time in the session counts, once.
		r := must[*trainingv1.SessionRegister](t)(w.record(s1,
			entry(a, interval(day1, -30, 100), interval(day1, 60, 120), interval(day1, 150, 330)), entry(b, interval(day1, 0, 60))))
		if got := r.GetLines()[0]; got.GetMinutes() != 270 || got.GetGivenName() != "Anna" || len(got.GetIntervals()) != 2 {
			t.Fatalf("%v", got)
		}
		must[*trainingv1.SessionRegister](t)(w.record(s1, entry(a, interval(day1, 100, 150))))
		if n := w.get(a.GetName()); n.GetAttendedMinutes() != 300 {
			t.Fatalf("%d minutes", n.GetAttendedMinutes())
		}
		_, err = w.sessions.CancelSession(w.teacher, &trainingv1.CancelSessionRequest{Name: s1.GetName()})
		w.refused(err, "SESSION_HAS_ATTENDANCE")

		_, err = w.enrolments.CompleteEnrolment(w.teacher, &trainingv1.CompleteEnrolmentRequest{Name: a.GetName()})
		w.refused(err, "THRESHOLD_NOT_REACHED") // 80 % of 500 is 400
		if missing := fact(err, "missing_minutes"); missing != "100" {
			t.Fatalf("missing %s", missing)
		}
		_, err = w.certificates.IssueCertificate(w.teacher, &trainingv1.IssueCertificateRequest{Name: a.GetName()})
		w.refused(err, "ENROLMENT_NOT_COMPLETED")

		w.Clock.Set(day2.Add(6 * time.Hour))
		must[*trainingv1.SessionRegister](t)(w.record(s2, entry(a, interval(day2, 0, 200))))
		// A slip of the pen, corrected: the history stays.
		r = must[*trainingv1.SessionRegister](t)(w.attendance.CorrectAttendance(w.teacher, &trainingv1.CorrectAttendanceRequest{
			Name: s2.GetName(), Enrolment: a.GetName(), Intervals: []*trainingv1.Interval{interval(day2, 0, 100)}, Reason: "uscita anticipata"}))
		history := r.GetLines()[0].GetRevisions()
		if len(history) != 2 || history[0].GetMinutes() != 200 || history[1].GetReason() != "uscita anticipata" || history[1].GetRecordedBy() == "" {
			t.Fatalf("%v", history)
		}
		register := must[*trainingv1.EditionRegister](t)(w.attendance.GetEditionRegister(w.teacher, &trainingv1.GetEditionRegisterRequest{Name: e.GetName()}))
		if l := register.GetLines()[1]; l.GetAttendedMinutes() != 60 || l.GetThresholdReachable() || l.GetAbsentSessions() != 1 || register.GetRequiredMinutes() != 400 {
			t.Fatalf("%v", register)
		}

		n := must[*trainingv1.Enrolment](t)(w.enrolments.CompleteEnrolment(w.teacher, &trainingv1.CompleteEnrolmentRequest{Name: a.GetName()}))
		if n.GetState() != trainingv1.EnrolmentState_ENROLMENT_STATE_COMPLETED {
			t.Fatalf("%v", n)
		}
		_, err = w.attendance.CorrectAttendance(w.teacher, &trainingv1.CorrectAttendanceRequest{Name: s2.GetName(), Enrolment: a.GetName(), Reason: "no"})
		w.refused(err, "ENROLMENT_COMPLETED")
		c := must[*trainingv1.Certificate](t)(w.certificates.IssueCertificate(w.teacher, &trainingv1.IssueCertificateRequest{Name: a.GetName()}))
		again := must[*trainingv1.Certificate](t)(w.certificates.IssueCertificate(w.teacher, &trainingv1.IssueCertificateRequest{Name: a.GetName()}))
		if c.GetName() != again.GetName() || c.GetNumber() != "2026/000001" || c.GetResultPercent() != 80 || len(c.GetCompetences()) != 3 {
			t.Fatalf("%v, again %v", c, again)
		}
		code := c.GetVerificationCode()
		v := must[*trainingv1.CertificateVerification](t)(w.certificates.VerifyCertificate(w.Anonymous(), &trainingv1.VerifyCertificateRequest{
			Code: strings.ToLower(code[:6] + "-" + code[6:])}))
		if v.GetHolderInitials() != "A. R." || v.GetAttendedMinutes() != 400 || strings.Contains(v.String(), "Rossi") {
			t.Fatalf("%v", v)
		}
		_, err = w.certificates.VerifyCertificate(w.Anonymous(), &trainingv1.VerifyCertificateRequest{Code: "NESSUNO"})
		w.absent(err)

		recorded := testkit.EventsOf[*trainingv1.AttendanceRecorded](w.Env)
		last := map[string]int32{}
		for _, m := range recorded {
			last[m.GetEnrolment()] = m.GetAttendedMinutes()
		}
		if last[a.GetName()] != 400 || last[b.GetName()] != 60 || recorded[0].GetProject() == "" || recorded[0].GetDate() != "2026-01-12" {
			t.Fatalf("%v", recorded)
		}
		if done := testkit.EventsOf[*trainingv1.EnrolmentCompleted](w.Env); len(done) != 1 || done[0].GetMinutes() != 400 {
			t.Fatalf("%v", done)
		}
		stats := must[*trainingv1.ListCourseStatisticsResponse](t)(w.statistics.ListCourseStatistics(w.As(operator, ""), &trainingv1.ListCourseStatisticsRequest{}))
		f := stats.GetCourses()[0].GetFigures()
		if f.GetAttendedMinutes() != 460 || f.GetCompletedCount() != 1 || f.GetCertificateCount() != 1 || f.GetEnrolledCount() != 2 || f.GetSeatCount() != 4 ||
			stats.GetTotals().GetAttendedMinutes() != 460 {
			t.Fatalf("%v", stats)
		}
	})
}

func TestNobodyIsInTwoPlacesAtOnce(t *testing.T) {
	each(t, func(w *world) {
		course, day := w.course(), time.Date(2026, 1, 12, 9, 0, 0, 0, time.UTC)
		e1, e2 := w.scheduled(course, 1, 4, 0), w.scheduled(course, 2, 4, 0)
		s1, s2 := w.session(e1, "people", day, 120), w.session(e2, "people", day.Add(time.Hour), 120)
		anna := w.person("Anna")
		a1 := must[*trainingv1.Enrolment](t)(w.enrol(w.open(e1), anna))
		a2 := must[*trainingv1.Enrolment](t)(w.enrol(w.open(e2), anna))
		w.start(e1)
		w.start(e2)
		w.Clock.Set(day.Add(5 * time.Hour))
		must[*trainingv1.SessionRegister](t)(w.record(s1, entry(a1, interval(day, 0, 90))))
		_, err := w.record(s2, entry(a2, interval(day, 60, 180)))
		w.refused(err, "ATTENDANCE_OVERLAP")
		must[*trainingv1.SessionRegister](t)(w.record(s2, entry(a2, interval(day, 90, 180))))
	})
}

func TestJoiningMidCourse(t *testing.T) {
	each(t, func(w *world) {
		e := w.scheduled(w.course(), 1, 10, 5)
		day := time.Date(2026, 1, 12, 9, 0, 0, 0, time.UTC)
		for i, module := range []string{"digital-mindset", "projects", "people", "security", "security"} {
			w.session(e, module, day.AddDate(0, 0, 7*i), 100)
		}
		w.start(w.open(e))
		w.Clock.Set(day.Add(3 * time.Hour)) // one of five is over: 400 of 500 remain, 80 % are needed
		late := must[*trainingv1.Enrolment](t)(w.enrol(e, w.person("Anna")))
		register := must[*trainingv1.EditionRegister](t)(w.attendance.GetEditionRegister(w.teacher, &trainingv1.GetEditionRegisterRequest{Name: e.GetName()}))
		if l := register.GetLines()[0]; l.GetEnrolment() != late.GetName() || l.GetAbsentSessions() != 0 || !l.GetThresholdReachable() {
			t.Fatalf("a session before joining is not due: %v", l)
		}
		w.Clock.Set(day.AddDate(0, 0, 7).Add(time.Minute)) // the second has begun
		_, err := w.enrol(e, w.person("Bruno"))
		w.refused(err, "THRESHOLD_UNREACHABLE")
		if got := fact(err, "remaining_minutes"); got != "399" {
			t.Fatalf("%s minutes remain", got)
		}
		must[*trainingv1.Edition](t)(w.editions.UpdateEdition(w.teacher, &trainingv1.UpdateEditionRequest{
			Edition: &trainingv1.Edition{Name: e.GetName(), JoinDeadline: timestamppb.New(day)}, UpdateMask: mask("join_deadline")}))
		_, err = w.enrol(e, w.person("Carla"))
		w.refused(err, "LATE_JOIN_CUTOFF")
	})
}

func TestCalendar(t *testing.T) {
	each(t, func(w *world) {
		e := w.scheduled(w.course(), 1, 10, 5)
		day := time.Date(2026, 1, 12, 9, 0, 0, 0, time.UTC)
		s1, s2 := w.session(e, "security", day, 100), w.session(e, "people", day.AddDate(0, 0, 1), 100)
		get := func() string {
			t.Helper()
			body, err := w.editions.GetEditionCalendar(w.Anonymous(), &trainingv1.GetEditionCalendarRequest{Name: e.GetName()})
			if err != nil || !strings.HasPrefix(body.GetContentType(), "text/calendar") {
				t.Fatalf("%v, %v", body.GetContentType(), err)
			}
			return string(body.GetData())
		}
		before := get()
		if get() != before {
			t.Fatal("an unchanged calendar reads differently")
		}
		for _, line := range strings.SplitAfter(before, "\r\n") {
			if line != "" && (!strings.HasSuffix(line, "\r\n") || len(line) > 77 || strings.Contains(strings.TrimSuffix(line, "\r\n"), "\n")) {
				t.Fatalf("not folded, or not ended by CRLF: %q", line)
			}
		}
		if strings.Contains(before, "meet.example") || strings.Contains(before, "Neri") || !strings.Contains(before, "DTSTART:20260112T090000Z") {
			t.Fatal(before)
		}
		w.Clock.Advance(time.Hour)
		must[*trainingv1.Session](t)(w.sessions.UpdateSession(w.teacher, &trainingv1.UpdateSessionRequest{
			Session:    &trainingv1.Session{Name: s1.GetName(), StartTime: timestamppb.New(day.Add(time.Hour)), EndTime: timestamppb.New(day.Add(3 * time.Hour))},
			UpdateMask: mask("start_time", "end_time")}))
		must[*trainingv1.Session](t)(w.sessions.CancelSession(w.teacher, &trainingv1.CancelSessionRequest{Name: s2.GetName()}))
		after := get()
		uids := regexp.MustCompile(`UID:\S+`)
		if !slices.Equal(uids.FindAllString(before, -1), uids.FindAllString(after, -1)) || strings.Count(after, "SEQUENCE:1") != 2 ||
			strings.Count(after, "STATUS:CANCELLED") != 1 || !strings.Contains(after, "DTSTART:20260112T100000Z") {
			t.Fatal(after)
		}
		if strings.Count(after, "VALUE=DURATION:PT6H") != 1 || strings.Contains(after, "VALUE=DURATION;") {
			t.Fatalf("how often to look again: %s", after)
		}
		// What people write stays within its line.
		must[*trainingv1.Session](t)(w.sessions.CreateSession(w.teacher, &trainingv1.CreateSessionRequest{Parent: e.GetName(), Session: &trainingv1.Session{
			Title: "Uno\rATTENDEE:mailto:x@example.org\r\nURL:https://example.org", Place: "Aula; 1",
			StartTime: timestamppb.New(day.AddDate(0, 0, 3)), EndTime: timestamppb.New(day.AddDate(0, 0, 3).Add(time.Hour))}}))
		if odd := get(); strings.Count(odd, "\r") != strings.Count(odd, "\r\n") || !strings.Contains(odd, `SUMMARY:UnoATTENDEE:mailto:x@example.org\nURL:https://example.org`) {
			t.Fatalf("%q", odd)
		}
		// Sessions without a place of their own are where the edition is.
		w.Clock.Advance(time.Hour)
		must[*trainingv1.Edition](t)(w.editions.UpdateEdition(w.teacher, &trainingv1.UpdateEditionRequest{
			Edition: &trainingv1.Edition{Name: e.GetName(), Place: "Monza"}, UpdateMask: mask("place")}))
		moved := get()
		if strings.Count(moved, "LOCATION:Monza") != 2 || strings.Count(moved, "SEQUENCE:2") != 2 ||
			strings.Count(moved, "DTSTAMP:"+w.Clock.Now().UTC().Format("20060102T150405Z")) != 3 {
			t.Fatal(moved)
		}
		w.open(e)
		if get() != moved {
			t.Fatal("opening the edition has changed its calendar, which does not tell of it")
		}
		must[*trainingv1.Edition](t)(w.editions.CancelEdition(w.teacher, &trainingv1.CancelEditionRequest{Name: e.GetName(), Reason: "pochi iscritti"}))
		if gone := get(); strings.Count(gone, "STATUS:CANCELLED") != 3 || strings.Count(gone, "SEQUENCE:3") != 2 {
			t.Fatal(gone)
		}
	})
}
