package demo

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
)

// school is what loading the training needs to find again.
type school struct {
	courses  map[string]string // by title
	learners []string          // by number
	editions map[string]*trainingv1.Edition
}

func (l *loader) training(ctx context.Context, w *world) error {
	s := &school{}
	var err error
	if s.courses, err = l.courses(ctx, w); err != nil {
		return err
	}
	if s.learners, err = l.learners(ctx, w); err != nil {
		return err
	}
	if s.editions, err = l.listEditions(ctx, s.courses); err != nil {
		return err
	}
	if err := l.interests(ctx, s); err != nil {
		return err
	}
	// What happens in an edition has its order; editions do not wait for each
	// other, except that the waiting list is of people of the last one.
	return each(ctx, runs(), func(ctx context.Context, _ int, r run) error {
		if err := l.run(ctx, w, s, r); err != nil {
			return fmt.Errorf("edition %s: %w", r.key, err)
		}
		return nil
	})
}

func (l *loader) courses(ctx context.Context, w *world) (map[string]string, error) {
	page := &trainingv1.ListCoursesResponse{}
	all, err := list(ctx, l, "/v1/courses", "", page, page.GetCourses)
	if err != nil {
		return nil, err
	}
	have := map[string]*trainingv1.Course{}
	for _, c := range all {
		have[c.GetTitle().GetText()] = c
	}
	names := map[string]string{}
	for _, c := range courses(w) {
		title := c.GetTitle().GetText()
		made := have[title]
		if made == nil {
			made = &trainingv1.Course{}
			if err := l.post(ctx, "/v1/courses", "course/"+slug(title), c, made); err != nil {
				return nil, err
			}
		}
		names[title] = made.GetName()
		if made.GetState() == trainingv1.CourseState_COURSE_STATE_DRAFT {
			if err := l.post(ctx, "/v1/"+made.GetName()+":publish", "course/"+slug(title)+"/publish", nil, nil); err != nil {
				return nil, err
			}
		}
	}
	return names, nil
}

func mailOf(n int) string { return fmt.Sprintf("operatore%03d@example.org", n+1) }

// roleOf spreads the roles that the sources name over the learners.
func roleOf(n int) trainingv1.LearnerRole {
	ground := []trainingv1.LearnerRole{trainingv1.LearnerRole_LEARNER_ROLE_OSS, trainingv1.LearnerRole_LEARNER_ROLE_EDUCATOR, trainingv1.LearnerRole_LEARNER_ROLE_OPERATOR}
	staff := []trainingv1.LearnerRole{trainingv1.LearnerRole_LEARNER_ROLE_COORDINATOR, trainingv1.LearnerRole_LEARNER_ROLE_COORDINATOR, trainingv1.LearnerRole_LEARNER_ROLE_MANAGER, trainingv1.LearnerRole_LEARNER_ROLE_DIRECTOR}
	if n < firstInterested+interested {
		return ground[n%len(ground)]
	}
	return staff[n%len(staff)]
}

func (l *loader) learners(ctx context.Context, w *world) ([]string, error) {
	page := &trainingv1.ListLearnersResponse{}
	all, err := list(ctx, l, "/v1/learners", "", page, page.GetLearners)
	if err != nil {
		return nil, err
	}
	have := map[string]string{}
	for _, x := range all {
		have[x.GetMail()] = x.GetName()
	}
	names := make([]string, learnerCount())
	return names, each(ctx, names, func(ctx context.Context, n int, _ string) error {
		if names[n] = have[mailOf(n)]; names[n] != "" {
			return nil
		}
		made := &trainingv1.Learner{}
		in := &trainingv1.Learner{
			Organisation: w.organisations[coopKey(n%surveyed+1)], GivenName: "Operatore", FamilyName: fmt.Sprintf("Campione %03d", n+1), Mail: mailOf(n), Role: roleOf(n),
		}
		if err := l.post(ctx, "/v1/learners", fmt.Sprintf("learner/%03d", n+1), in, made); err != nil {
			return err
		}
		names[n] = made.GetName()
		return nil
	})
}

// listEditions returns the editions of the scenario's courses, and its event, by
// their keys.
func (l *loader) listEditions(ctx context.Context, courses map[string]string) (map[string]*trainingv1.Edition, error) {
	page := &trainingv1.ListEditionsResponse{}
	all, err := list(ctx, l, "/v1/editions", "", page, page.GetEditions)
	if err != nil {
		return nil, err
	}
	out := map[string]*trainingv1.Edition{}
	for _, r := range runs() {
		for _, e := range all {
			if e.GetCourse() == courses[r.course] && int(e.GetNumber()) == r.number && (r.course != "" || e.GetTitle().GetText() == r.title) {
				out[r.key] = e
			}
		}
	}
	return out, nil
}

// interests are what people say by the form, in their order: the first get the
// seats of edition 9.
func (l *loader) interests(ctx context.Context, s *school) error {
	course := s.courses[ossTitle]
	page := &trainingv1.ListInterestsResponse{}
	all, err := list(ctx, l, "/v1/interests", fmt.Sprintf("course = %q", course), page, page.GetInterests)
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, i := range all {
		have[i.GetLearner()] = true
	}
	for n := firstInterested; n < firstInterested+interested; n++ {
		if have[s.learners[n]] {
			continue
		}
		in := &trainingv1.Interest{Course: course, Learner: s.learners[n]}
		if err := l.post(ctx, "/v1/interests", fmt.Sprintf("interest/%03d", n+1), in, nil); err != nil {
			return err
		}
	}
	return nil
}

// run brings an edition to where the scenario has it.
func (l *loader) run(ctx context.Context, w *world, s *school, r run) error {
	key := "edition/" + r.key
	e := s.editions[r.key]
	if e == nil {
		e = &trainingv1.Edition{}
		in := &trainingv1.Edition{
			Organisation: w.organisations["cedel"], Course: s.courses[r.course], Kind: trainingv1.EditionKind_EDITION_KIND_COURSE, Number: int32(r.number),
			Capacity: int32(r.capacity), WaitingCap: int32(r.waitingCap), StartDate: r.start, EndDate: r.end, Place: r.place,
		}
		if r.course == "" {
			in.Kind, in.Title = trainingv1.EditionKind_EDITION_KIND_EVENT, it(r.title)
		}
		if err := l.post(ctx, "/v1/editions", key, in, e); err != nil {
			return err
		}
	}
	move := func(to trainingv1.EditionState, verb string) error {
		if e.GetState() >= to || r.state < to {
			return nil
		}
		return l.post(ctx, "/v1/"+e.GetName()+":"+verb, key+"/"+verb, nil, e)
	}
	if err := move(scheduled, "schedule"); err != nil {
		return err
	}
	if r.state == scheduled && e.GetEnrolledCount() == 0 {
		req := &trainingv1.ConvertInterestRequest{MaxCount: int32(r.capacity)}
		if err := l.post(ctx, "/v1/"+e.GetName()+":convertInterest", key+"/convert", req, nil); err != nil {
			return err
		}
	}
	if err := move(opened, "open"); err != nil {
		return err
	}
	claims, err := l.claims(ctx, e.GetName())
	if err != nil {
		return err
	}
	if err := l.enrol(ctx, s, r, e, claims, r.enrolled, r.waiting); err != nil {
		return err
	}
	if err := move(running, "start"); err != nil {
		return err
	}
	if err := l.enrol(ctx, s, r, e, claims, r.joined); err != nil {
		return err
	}
	return l.teach(ctx, s, r, e, claims)
}

// claims returns the enrolments in an edition, by learner.
func (l *loader) claims(ctx context.Context, edition string) (map[string]*trainingv1.Enrolment, error) {
	page := &trainingv1.ListEnrolmentsResponse{}
	all, err := list(ctx, l, "/v1/enrolments", fmt.Sprintf("edition = %q", edition), page, page.GetEnrolments)
	out := map[string]*trainingv1.Enrolment{}
	for _, n := range all {
		out[n.GetLearner()] = n
	}
	return out, err
}

func (l *loader) enrol(ctx context.Context, s *school, r run, e *trainingv1.Edition, claims map[string]*trainingv1.Enrolment, groups ...[]int) error {
	for _, people := range groups {
		for _, n := range people {
			learner := s.learners[n]
			if claims[learner] != nil {
				continue
			}
			made := &trainingv1.Enrolment{}
			in := &trainingv1.Enrolment{Edition: e.GetName(), Learner: learner, Role: roleOf(n)}
			if err := l.post(ctx, "/v1/enrolments", fmt.Sprintf("edition/%s/enrol/%03d", r.key, n+1), in, made); err != nil {
				return err
			}
			claims[learner] = made
		}
	}
	return nil
}

// teach holds the meetings: sessions, registers, completions and certificates.
func (l *loader) teach(ctx context.Context, s *school, r run, e *trainingv1.Edition, claims map[string]*trainingv1.Enrolment) error {
	if len(r.meetings) == 0 {
		return nil
	}
	page := &trainingv1.ListSessionsResponse{}
	all, err := list(ctx, l, "/v1/"+e.GetName()+"/sessions", "", page, page.GetSessions)
	if err != nil {
		return err
	}
	have := map[int64]string{}
	for _, x := range all {
		have[x.GetStartTime().GetSeconds()] = x.GetName()
	}
	for m, x := range r.meetings {
		start := italian(x.start)
		name := have[start.Unix()]
		if name == "" {
			made := &trainingv1.Session{}
			in := &trainingv1.Session{Title: x.title, ModuleId: x.module, StartTime: timestamppb.New(start), EndTime: timestamppb.New(start.Add(time.Duration(x.minutes) * time.Minute)), Teacher: "Docente campione"}
			if err := l.post(ctx, "/v1/"+e.GetName()+"/sessions", fmt.Sprintf("edition/%s/session/%d", r.key, m+1), in, made); err != nil {
				return err
			}
			name = made.GetName()
		}
		if err := l.register(ctx, s, r, claims, name, m, start); err != nil {
			return err
		}
	}
	return l.certify(ctx, s, r, e.GetName(), claims)
}

// register records who was in a meeting, all at once, unless that was done.
func (l *loader) register(ctx context.Context, s *school, r run, claims map[string]*trainingv1.Enrolment, session string, m int, start time.Time) error {
	book := &trainingv1.SessionRegister{}
	if err := l.get(ctx, "/v1/"+session+"/register", book); err != nil {
		return err
	}
	for _, line := range book.GetLines() {
		if len(line.GetRevisions()) > 0 || len(line.GetIntervals()) > 0 {
			return nil
		}
	}
	req := &trainingv1.RecordAttendanceRequest{}
	r.people(func(place, n int, late bool) {
		minutes := minutesOf(place, late, m, len(r.meetings), r.meetings[m].minutes)
		if minutes == 0 {
			return
		}
		req.Entries = append(req.Entries, &trainingv1.AttendanceEntry{
			Enrolment: claims[s.learners[n]].GetName(),
			Intervals: []*trainingv1.Interval{{InTime: timestamppb.New(start), OutTime: timestamppb.New(start.Add(time.Duration(minutes) * time.Minute))}},
		})
	})
	return l.post(ctx, "/v1/"+session+":recordAttendance", fmt.Sprintf("edition/%s/session/%d/register", r.key, m+1), req, nil)
}

// people calls fn for everybody with a seat in the edition.
func (r run) people(fn func(place, learner int, late bool)) {
	for i, n := range r.enrolled {
		fn(i, n, false)
	}
	for i, n := range r.joined {
		fn(len(r.enrolled)+i, n, true)
	}
}

// certify completes the edition for those who have attended enough, and issues
// their certificates.
func (l *loader) certify(ctx context.Context, s *school, r run, edition string, claims map[string]*trainingv1.Enrolment) error {
	page := &trainingv1.ListCertificatesResponse{}
	all, err := list(ctx, l, "/v1/certificates", fmt.Sprintf("edition = %q", edition), page, page.GetCertificates)
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, c := range all {
		have[c.GetEnrolment()] = true
	}
	r.people(func(place, n int, late bool) {
		if err != nil || !r.completes(place, late) {
			return
		}
		claim, key := claims[s.learners[n]], fmt.Sprintf("edition/%s/%03d", r.key, n+1)
		if claim.GetState() == trainingv1.EnrolmentState_ENROLMENT_STATE_ENROLLED {
			err = l.post(ctx, "/v1/"+claim.GetName()+":complete", key+"/complete", nil, nil)
		}
		if err == nil && r.certify && !have[claim.GetName()] {
			err = l.post(ctx, "/v1/"+claim.GetName()+":issueCertificate", key+"/certificate", nil, nil)
		}
	})
	return err
}
