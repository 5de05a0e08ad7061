package rpc

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/training/internal/domain"
)

const (
	roleNetworkOperator  = authzv1.Role_ROLE_NETWORK_OPERATOR
	roleRegionalOperator = authzv1.Role_ROLE_REGIONAL_OPERATOR
	roleAuditor          = authzv1.Role_ROLE_AUDITOR
	roleService          = authzv1.Role_ROLE_SERVICE
	roleAdmin            = authzv1.Role_ROLE_ORGANISATION_ADMIN
	roleTrainer          = authzv1.Role_ROLE_TRAINER
)

const learnerRole = "LEARNER_ROLE_"

// roleOf returns a learner role as the domain knows it; empty where it is not said.
func roleOf(r trainingv1.LearnerRole) string {
	if r == trainingv1.LearnerRole_LEARNER_ROLE_UNSPECIFIED {
		return ""
	}
	return strings.TrimPrefix(r.String(), learnerRole)
}

func roleTo(r string) trainingv1.LearnerRole {
	return trainingv1.LearnerRole(trainingv1.LearnerRole_value[learnerRole+r])
}

func textOf(t *typev1.LocalizedText) domain.Text {
	return domain.Text{Text: t.GetText(), Language: t.GetLanguageCode(), Translations: t.GetTranslations()}
}

func textTo(t domain.Text) *typev1.LocalizedText {
	if t.Text == "" {
		return nil
	}
	return &typev1.LocalizedText{Text: t.Text, LanguageCode: t.Language, Translations: t.Translations}
}

func timeTo(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func timeOf(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return domain.Clock(t.AsTime())
}

func courseOf(c *trainingv1.Course) domain.Course {
	out := domain.Course{
		Name: c.GetName(), Organisation: c.GetOrganisation(), Title: textOf(c.GetTitle()), Description: textOf(c.GetDescription()),
		ThresholdPercent: int(c.GetThresholdPercent()), Project: c.GetProject(),
	}
	for _, r := range c.GetAudience() {
		out.Audience = append(out.Audience, roleOf(r))
	}
	for _, m := range c.GetModules() {
		module := domain.Module{Key: m.GetModuleId(), Title: textOf(m.GetTitle()), Minutes: int(m.GetMinutes()), Version: int(m.GetVersion())}
		for _, o := range m.GetOutcomes() {
			module.Outcomes = append(module.Outcomes, textOf(o))
		}
		for _, k := range m.GetCompetences() {
			module.Competences = append(module.Competences, domain.Competence{Framework: k.GetFramework(), Code: k.GetCode()})
		}
		out.Modules = append(out.Modules, module)
	}
	return out
}

func courseTo(c *domain.Course) *trainingv1.Course {
	out := &trainingv1.Course{
		Name: c.Name, Organisation: c.Organisation, Title: textTo(c.Title), Description: textTo(c.Description),
		ThresholdPercent: int32(c.ThresholdPercent), Modules: modulesTo(c.Modules), Project: c.Project,
		State:        trainingv1.CourseState(trainingv1.CourseState_value["COURSE_STATE_"+string(c.State)]),
		TotalMinutes: int32(c.Minutes()), CreateTime: timeTo(c.Created), UpdateTime: timeTo(c.Updated), Etag: rpc.Etag(c.Version),
	}
	for _, r := range c.Audience {
		out.Audience = append(out.Audience, roleTo(r))
	}
	return out
}

func modulesTo(modules []domain.Module) []*trainingv1.Module {
	var out []*trainingv1.Module
	for _, m := range modules {
		module := &trainingv1.Module{
			ModuleId: m.Key, Version: int32(m.Version), Title: textTo(m.Title), Minutes: int32(m.Minutes), Competences: competencesTo(m.Competences),
		}
		for _, o := range m.Outcomes {
			module.Outcomes = append(module.Outcomes, textTo(o))
		}
		out = append(out, module)
	}
	return out
}

func competencesTo(competences []domain.Competence) []*trainingv1.Competence {
	var out []*trainingv1.Competence
	for _, k := range competences {
		out = append(out, &trainingv1.Competence{Framework: k.Framework, Code: k.Code})
	}
	return out
}

func editionOf(e *trainingv1.Edition) domain.Edition {
	return domain.Edition{
		Name: e.GetName(), Organisation: e.GetOrganisation(), Course: e.GetCourse(),
		Kind:   domain.EditionKind(strings.TrimPrefix(e.GetKind().String(), "EDITION_KIND_")),
		Number: int(e.GetNumber()), Title: textOf(e.GetTitle()), Description: textOf(e.GetDescription()),
		Capacity: int(e.GetCapacity()), WaitingCap: int(e.GetWaitingCap()), StartDate: e.GetStartDate(), EndDate: e.GetEndDate(),
		Place: e.GetPlace(), Link: e.GetLink(), JoinDeadline: timeOf(e.GetJoinDeadline()), Project: e.GetProject(),
	}
}

func editionTo(e *domain.Edition) *trainingv1.Edition {
	return &trainingv1.Edition{
		Name: e.Name, Organisation: e.Organisation, Course: e.Course,
		Kind:   trainingv1.EditionKind(trainingv1.EditionKind_value["EDITION_KIND_"+string(e.Kind)]),
		Number: int32(e.Number), Title: textTo(e.Title), Description: textTo(e.Description),
		Capacity: int32(e.Capacity), WaitingCap: int32(e.WaitingCap), StartDate: e.StartDate, EndDate: e.EndDate,
		Place: e.Place, Link: e.Link, JoinDeadline: timeTo(e.JoinDeadline), Project: e.Project,
		ThresholdPercent: int32(e.Threshold), Modules: modulesTo(e.Modules),
		State:         trainingv1.EditionState(trainingv1.EditionState_value["EDITION_STATE_"+string(e.State)]),
		EnrolledCount: int32(e.Use.Enrolled), OfferedCount: int32(e.Use.Offered), WaitingCount: int32(e.Use.Waiting),
		ScheduledMinutes: int32(e.Use.Minutes), CancelReason: e.CancelReason, CreateTime: timeTo(e.Created), UpdateTime: timeTo(e.Updated), Etag: rpc.Etag(e.Version),
	}
}

func sessionOf(x *trainingv1.Session) domain.Session {
	return domain.Session{
		Name: x.GetName(), Title: x.GetTitle(), Module: x.GetModuleId(), Start: timeOf(x.GetStartTime()).Truncate(time.Second),
		End: timeOf(x.GetEndTime()).Truncate(time.Second), Place: x.GetPlace(), Link: x.GetLink(), Teacher: x.GetTeacher(),
	}
}

func sessionTo(x *domain.Session) *trainingv1.Session {
	return &trainingv1.Session{
		Name: x.Name, Title: x.Title, ModuleId: x.Module, StartTime: timeTo(x.Start), EndTime: timeTo(x.End),
		Place: x.Place, Link: x.Link, Teacher: x.Teacher,
		State:   trainingv1.SessionState(trainingv1.SessionState_value["SESSION_STATE_"+string(x.State)]),
		Minutes: int32(x.Minutes()), Sequence: int32(x.Sequence),
		CreateTime: timeTo(x.Created), UpdateTime: timeTo(x.Updated), Etag: rpc.Etag(x.Version),
	}
}

func learnerOf(l *trainingv1.Learner) domain.Learner {
	return domain.Learner{
		Name: l.GetName(), Organisation: l.GetOrganisation(), GivenName: l.GetGivenName(), FamilyName: l.GetFamilyName(),
		Mail: l.GetMail(), Role: roleOf(l.GetRole()), Subject: l.GetSubject(),
	}
}

func learnerTo(l *domain.Learner) *trainingv1.Learner {
	return &trainingv1.Learner{
		Name: l.Name, Organisation: l.Organisation, GivenName: l.GivenName, FamilyName: l.FamilyName, Mail: l.Mail,
		Role: roleTo(l.Role), Subject: l.Subject, CreateTime: timeTo(l.Created), UpdateTime: timeTo(l.Updated), Etag: rpc.Etag(l.Version),
	}
}

func interestTo(i *domain.Interest) *trainingv1.Interest {
	return &trainingv1.Interest{
		Name: i.Name, Course: i.Course, Learner: i.Learner, Role: roleTo(i.Role), Territory: i.Territory,
		LearnerOrganisation: i.LearnerOrganisation, Organisation: i.Organisation, Sequence: i.Sequence,
		State:     trainingv1.InterestState(trainingv1.InterestState_value["INTEREST_STATE_"+string(i.State)]),
		Enrolment: i.Enrolment, CreateTime: timeTo(i.Created), UpdateTime: timeTo(i.Updated), Etag: rpc.Etag(i.Version),
	}
}

func enrolmentTo(n *domain.Enrolment) *trainingv1.Enrolment {
	return &trainingv1.Enrolment{
		Name: n.Name, Edition: n.Edition, Learner: n.Learner, Role: roleTo(n.Role), Organisation: n.Organisation,
		LearnerOrganisation: n.LearnerOrganisation, Course: n.Course, Project: n.Project, State: enrolmentState(n.State), Sequence: n.Sequence,
		OfferExpireTime: timeTo(n.OfferExpires), EnrolTime: timeTo(n.EnrolledAt), AttendedMinutes: int32(n.Minutes),
		CancelReason: n.CancelReason, CompleteTime: timeTo(n.CompletedAt),
		CreateTime: timeTo(n.Created), UpdateTime: timeTo(n.Updated), Etag: rpc.Etag(n.Version),
	}
}

func enrolmentState(s domain.EnrolmentState) trainingv1.EnrolmentState {
	return trainingv1.EnrolmentState(trainingv1.EnrolmentState_value["ENROLMENT_STATE_"+string(s)])
}

func certificateTo(c *domain.Certificate) *trainingv1.Certificate {
	return &trainingv1.Certificate{
		Name: c.Name, Number: c.Number, Organisation: c.Organisation, Enrolment: c.Enrolment, Learner: c.Learner, Edition: c.Edition,
		Course: c.Course, Title: textTo(c.Title), AttendedMinutes: int32(c.Attended), ScheduledMinutes: int32(c.Scheduled),
		ResultPercent: int32(c.Percent), Competences: competencesTo(c.Competences), VerificationCode: c.Code, IssueTime: timeTo(c.Issued),
	}
}

// convert applies a conversion to each item of a list.
func convert[A, B any](items []A, to func(A) B) []B {
	out := make([]B, 0, len(items))
	for _, i := range items {
		out = append(out, to(i))
	}
	return out
}
