package demo

import (
	"context"
	"slices"
	"strings"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
)

// answers are what the platform says, before it is put into words.
type answers struct {
	organisations map[string]*cataloguev1.Organisation
	needs         map[string]*cataloguev1.Need
	solutions     map[string]*cataloguev1.Solution
	offerings     map[string]*cataloguev1.ServiceOffering
	ideas         map[string]*cataloguev1.Idea
	profiles      map[string]*cataloguev1.JobProfile
	events        map[string]*cataloguev1.Event
	found         map[string]int

	matching   *matchingv1.MatchingStatistics
	candidates int // pairs of a need and what may answer it

	projects  map[string]*projectsv1.Project
	lessons   int // of I3S
	dashboard *projectsv1.Dashboard
	portfolio *projectsv1.Portfolio
	alerts    []*projectsv1.Alert // open
	funded    *fundedAnswers      // nil where it was left out

	courses  map[string]*trainingv1.CourseStatistics
	modules  map[string][]*trainingv1.Module
	minutes  map[string]int32
	editions map[string]*trainingv1.Edition
	audit    *trainingv1.AuditSeatsResponse

	rollUps map[string]*impactv1.RollUpResponse
}

func (l *loader) gatherCatalogue(ctx context.Context, a *answers) (err error) {
	if a.organisations, err = l.listOrganisations(ctx); err != nil {
		return err
	}
	if a.needs, err = read(ctx, l, needShelf()); err != nil {
		return err
	}
	if a.solutions, err = read(ctx, l, solutionShelf()); err != nil {
		return err
	}
	if a.offerings, err = read(ctx, l, offeringShelf()); err != nil {
		return err
	}
	if a.ideas, err = read(ctx, l, ideaShelf()); err != nil {
		return err
	}
	if a.profiles, err = read(ctx, l, profileShelf()); err != nil {
		return err
	}
	if a.events, err = read(ctx, l, eventShelf()); err != nil {
		return err
	}
	a.found, err = l.search(ctx)
	return err
}

func (l *loader) gatherMatching(ctx context.Context, a *answers) error {
	name, err := l.findProgramme(ctx)
	if err != nil {
		return err
	}
	if a.matching, err = l.statistics(ctx, name); err != nil {
		return err
	}
	page := &matchingv1.ListCandidatesResponse{}
	all, err := list(ctx, l, "/v1/"+name+"/candidates", "", page, page.GetCandidates)
	a.candidates = len(all)
	return err
}

func (l *loader) gatherProjects(ctx context.Context, a *answers) error {
	page := &projectsv1.ListProjectsResponse{}
	all, err := list(ctx, l, "/v1/projects", "", page, page.GetProjects)
	if err != nil {
		return err
	}
	a.projects = byKey(all)
	lessons, err := l.listLessons(ctx, a.projects[projectI3S].GetName())
	if err != nil {
		return err
	}
	a.lessons = len(lessons)
	a.dashboard = &projectsv1.Dashboard{}
	if err := l.get(ctx, "/v1/"+a.projects[projectDCS].GetName()+"/dashboard", a.dashboard); err != nil {
		return err
	}
	if a.portfolio, err = l.portfolio(ctx); err != nil {
		return err
	}
	open := &projectsv1.ListAlertsResponse{}
	a.alerts, err = list(ctx, l, "/v1/projects/-/alerts", `state = "ALERT_STATE_OPEN"`, open, open.GetAlerts)
	return err
}

func (l *loader) gatherTraining(ctx context.Context, a *answers) error {
	page := &trainingv1.ListCourseStatisticsResponse{}
	all, err := list(ctx, l, "/v1/courseStatistics", "", page, page.GetCourses)
	if err != nil {
		return err
	}
	a.courses, a.modules, a.minutes = map[string]*trainingv1.CourseStatistics{}, map[string][]*trainingv1.Module{}, map[string]int32{}
	names := map[string]string{}
	for _, c := range all {
		title := c.GetTitle().GetText()
		course := &trainingv1.Course{}
		if err := l.get(ctx, "/v1/"+c.GetCourse(), course); err != nil {
			return err
		}
		a.courses[title], a.modules[title], a.minutes[title], names[title] = c, course.GetModules(), course.GetTotalMinutes(), c.GetCourse()
	}
	if a.editions, err = l.listEditions(ctx, names); err != nil {
		return err
	}
	a.audit = &trainingv1.AuditSeatsResponse{}
	return l.get(ctx, "/v1/editions:audit", a.audit)
}

func (l *loader) gatherImpact(ctx context.Context, a *answers) (err error) {
	if a.rollUps, err = l.rollUps(ctx); err != nil {
		return err
	}
	// An organisation's own indicator is not on the network's dashboard.
	names, err := l.listIndicators(ctx)
	if err != nil {
		return err
	}
	for _, g := range gauges {
		if g.owner == "" {
			continue
		}
		answer := &impactv1.RollUpResponse{}
		if err := l.get(ctx, "/v1/"+names[g.title]+":rollUp?startDate="+impactFrom+"&endDate="+impactTo, answer); err != nil {
			return err
		}
		a.rollUps[g.title] = answer
	}
	return nil
}

// count returns how many items of a map have what is asked.
func count[E any](items map[string]E, has func(E) bool) int {
	n := 0
	for _, e := range items {
		if has(e) {
			n++
		}
	}
	return n
}

// having counts the items with a value of an attribute.
func having[E keyed](items map[string]E, name, value string) int {
	return count(items, func(e E) bool { return e.GetAttributes()[name] == value })
}

// partnersOf are the organisations that take part in an initiative.
func (a *answers) partnersOf(initiative string) []*cataloguev1.Organisation {
	var out []*cataloguev1.Organisation
	for _, o := range a.organisations {
		if o.GetAttributes()["sample"] == "" && slices.Contains(strings.Fields(o.GetAttributes()["initiatives"]), initiative) {
			out = append(out, o)
		}
	}
	return out
}

// kindWord is the last part of a kind's name, however the search writes it.
func kindWord(kind string) string { return strings.TrimPrefix(strings.ToUpper(kind), "SEARCH_KIND_") }
