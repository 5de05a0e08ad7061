package demo

import (
	"fmt"
	"strings"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
)

// What is wrong in the scenario's projects, on purpose.
const (
	lateTasks      = 1
	overspentLines = 1
)

// sections puts the state of the network into words.
func (a *answers) sections() []Section {
	out := append([]Section{a.networkSection(), a.matchingSection(), a.projectSection()}, a.fundedSection()...)
	return append(out, a.trainingSection(), a.impactSection())
}

func (a *answers) networkSection() Section {
	countries := map[string]bool{}
	for _, o := range a.organisations {
		countries[o.GetTerritory().GetCountryCode()] = true
	}
	samples := having(a.organisations, "sample", "true")
	return Section{"The network", [][2]string{
		{"organisations", fmt.Sprintf("%d in %d countries: %d named by the sources, %d samples", len(a.organisations), len(countries), len(a.organisations)-samples, samples)},
		{"catalogue", fmt.Sprintf("%d needs, %d solutions, %d services, %d ideas, %d job profiles, %d events",
			len(a.needs), len(a.solutions), len(a.offerings), len(a.ideas), len(a.profiles), len(a.events))},
		{"found by search, label i3s", fmt.Sprintf("%d needs, %d solutions, %d services, %d ideas, %d job profiles, %d events",
			a.found["NEED"], a.found["SOLUTION"], a.found["SERVICE_OFFERING"], a.found["IDEA"], a.found["JOB_PROFILE"], a.found["EVENT"])},
	}}
}

func (a *answers) matchingSection() Section {
	m := a.matching
	return Section{"Needs and answers", [][2]string{
		{"needs matched", fmt.Sprintf("%d of %d", m.GetDemandsMatched(), m.GetDemands())},
		{"candidates", fmt.Sprintf("%d, for %d needs; %d solutions and services can be matched", a.candidates, m.GetDemandsWithCandidates(), m.GetSupplies())},
		{"matches", fmt.Sprintf("%d active, %d waiting for an answer, %d declined, %d expired", m.GetMatchesActive(), m.GetMatchesProposed(), m.GetMatchesDeclined(), m.GetMatchesExpired())},
	}}
}

func (a *answers) projectSection() Section {
	var phases []string
	for _, phase := range phaseOrder {
		for _, g := range a.portfolio.GetGroups() {
			if g.GetKey() == phase.String() {
				phases = append(phases, fmt.Sprintf("%d %s", g.GetSum().GetProjectCount(), phaseWord(phase)))
			}
		}
	}
	lines := [][2]string{{"projects", fmt.Sprintf("%d: %s", a.portfolio.GetTotal().GetProjectCount(), strings.Join(phases, ", "))}}
	for _, t := range a.portfolio.GetTotal().GetTotals() {
		lines = append(lines, [2]string{"budget", fmt.Sprintf("granted %s, planned %s, spent %s", amount(t.GetGranted()), amount(t.GetPlanned()), amount(t.GetSpent()))})
	}
	d := a.dashboard
	var over []string
	for _, b := range d.GetBudgetLines() {
		if b.GetOverspent() {
			over = append(over, fmt.Sprintf("%s of %s", amount(b.GetSpent()), amount(b.GetAmount())))
		}
	}
	lines = append(lines, [2]string{"DigiCompSoc", fmt.Sprintf("%d%% done, %d of %d tasks complete, planned %s, spent %s",
		d.GetProgressPercent(), d.GetCompleteTaskCount(), d.GetTaskCount(), amount(d.GetPlanned()), amount(d.GetSpent()))})
	for _, t := range d.GetLateTasks() {
		lines = append(lines, [2]string{"late task", t.GetTitle().GetText()})
	}
	lines = append(lines,
		[2]string{"overspent lines", strings.Join(over, "; ")},
		[2]string{"open alerts", fmt.Sprintf("%d: %s", a.portfolio.GetTotal().GetOpenAlertCount(), strings.Join(a.alertKinds(), ", "))},
	)
	return Section{"Projects", lines}
}

// alertKinds says how many alerts of each kind are open.
func (a *answers) alertKinds() []string {
	var out []string
	for _, kind := range []projectsv1.AlertKind{
		projectsv1.AlertKind_ALERT_KIND_TASK_LATE, projectsv1.AlertKind_ALERT_KIND_LINE_OVERSPENT, projectsv1.AlertKind_ALERT_KIND_DELIVERABLE_OVERDUE,
	} {
		n := 0
		for _, x := range a.alerts {
			if x.GetKind() == kind {
				n++
			}
		}
		if n > 0 {
			out = append(out, fmt.Sprintf("%d %s", n, strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(kind.String(), "ALERT_KIND_"), "_", " "))))
		}
	}
	return out
}

func (a *answers) trainingSection() Section {
	var lines [][2]string
	sum := &trainingv1.TrainingFigures{}
	for _, title := range []string{ossTitle, coordinatorTitle} {
		f := a.courses[title].GetFigures()
		lines = append(lines, [2]string{"seats, " + shortTitle[title], fmt.Sprintf("%d, of which %d taken; waiting %d, interested %d", f.GetSeatCount(), f.GetEnrolledCount(), f.GetWaitingCount(), f.GetOpenInterestCount())})
		sum.AttendedMinutes += f.GetAttendedMinutes()
		sum.CompletedCount += f.GetCompletedCount()
		sum.CertificateCount += f.GetCertificateCount()
	}
	event := a.editions["evento-22-ottobre"]
	return Section{"Training", append(lines,
		[2]string{"seats, event of 22 October", fmt.Sprintf("%d, of which %d taken", event.GetCapacity(), event.GetEnrolledCount())},
		[2]string{"attended", hours(sum.GetAttendedMinutes())},
		[2]string{"people trained", fmt.Sprintf("%d completed, %d certificates", sum.GetCompletedCount(), sum.GetCertificateCount())},
		[2]string{"seat audit", fmt.Sprintf("%d editions, %d broken rules", a.audit.GetEditionCount(), len(a.audit.GetBreaches()))},
	)}
}

var shortTitle = map[string]string{ossTitle: "OSS and educators", coordinatorTitle: "coordinators"}

// headlines are the indicators of the report, in its order.
var headlines = []string{
	"Persone iscritte", "Persone formate", "Ore di formazione frequentate", "Abbinamenti attivati", "Progetti chiusi", "Importo speso",
	"Ore di mentoring individuale erogate", "Enti seguiti con mentoring individuale", "Incontri B2B organizzati",
	trainedShare,
}

func (a *answers) impactSection() Section {
	var lines [][2]string
	for _, title := range headlines {
		r := a.rollUps[title]
		if title == trainedShare {
			lines = append(lines, [2]string{title, fmt.Sprintf("%s, target %s", a.rolledUp(title), r.GetIndicator().GetTarget().GetValue())})
			continue
		}
		lines = append(lines, [2]string{title, fmt.Sprintf("%s %s, from %s", a.rolledUp(title), r.GetIndicator().GetUnit(), plural(int(r.GetTotal().GetContributors().GetOrganisations()), "organisation"))})
	}
	return Section{"Impact of all together", lines}
}

// rolledUp is the figure of an indicator, with what it is worth.
func (a *answers) rolledUp(title string) string {
	total := a.rollUps[title].GetTotal()
	value := total.GetValue().GetDecimal()
	if value == "" {
		return "none"
	}
	if total.GetQualifier() == impactv1.Qualifier_QUALIFIER_AT_LEAST {
		return "≥ " + value
	}
	return value
}

// figures are those of the sources, each next to what the platform answers.
func (a *answers) figures() []Figure {
	countries := map[string]bool{}
	for _, o := range a.partnersOf(doImpact) {
		countries[o.GetTerritory().GetCountryCode()] = true
	}
	askedBodies := map[string]bool{}
	for _, n := range a.needs {
		for _, e := range n.GetEvidence() {
			if e.GetKind() == cataloguev1.EvidenceKind_EVIDENCE_KIND_INTERVIEW {
				askedBodies[n.GetOrganisation()] = true
			}
		}
	}
	firms := map[string]bool{}
	for _, s := range a.solutions {
		if s.GetAttributes()["chain"] != "" {
			firms[s.GetOrganisation()] = true
		}
	}
	areas := map[cataloguev1.JobArea]bool{}
	for _, p := range a.profiles {
		areas[p.GetArea()] = true
	}
	i3sEvent := func(kinds ...cataloguev1.EventKind) int {
		return count(a.events, func(e *cataloguev1.Event) bool {
			for _, k := range kinds {
				if e.GetAttributes()["initiative"] == i3s && e.GetKind() == k {
					return true
				}
			}
			return false
		})
	}
	var coordinators [2]int // editions, and those of them with the right seats
	for key, e := range a.editions {
		if strings.HasPrefix(key, "coordinatori-") {
			coordinators[0]++
			if e.GetCapacity() == coordinatorSeats {
				coordinators[1]++
			}
		}
	}
	editions := func(states ...trainingv1.EditionState) int {
		n := 0
		for _, s := range a.courses[ossTitle].GetFigures().GetEditions() {
			for _, state := range states {
				if s.GetState() == state {
					n += int(s.GetCount())
				}
			}
		}
		return n
	}
	number := func(what string, source, platform int) Figure {
		return Figure{what, fmt.Sprint(source), fmt.Sprint(platform)}
	}
	measured := func(what string, source int, title string) Figure {
		return Figure{what, fmt.Sprint(source), a.rolledUp(title)}
	}
	least := func(what string, source int, title string) Figure {
		return Figure{what, fmt.Sprintf("≥ %d", source), a.rolledUp(title)}
	}
	return append([]Figure{
		number("I3S: third-sector bodies engaged", i3sBodies, having(a.organisations, "i3s_role", "ets")),
		number("I3S: ICT firms engaged", i3sFirms, having(a.organisations, "i3s_role", "ict")),
		number("I3S: bodies interviewed on their needs", interviewed, len(askedBodies)),
		number("Filiera Digital 4 Social: firms enrolled", filieraFirms, having(a.organisations, "chain", "filiera-digital-4-social")),
		number("Filiera Digital 4 Social: firms with a solution", filieraFirms, len(firms)),
		number("Filiera Digital 4 Social: solutions", chainSolutions, having(a.solutions, "chain", "filiera-digital-4-social")),
		number("I3S: ideas in the bank", collectedIdeas, having(a.ideas, "initiative", i3s)),
		number("I3S: ideas singled out", singledOut, having(a.ideas, "singled_out", "true")),
		number("I3S: paths of digital transformation", transformPaths, count(a.ideas, func(i *cataloguev1.Idea) bool { return i.GetStage() >= cataloguev1.IdeaStage_IDEA_STAGE_PATH })),
		number("I3S: projects being carried out from living labs", projectsFromLabs, count(a.ideas, func(i *cataloguev1.Idea) bool { return i.GetStage() == cataloguev1.IdeaStage_IDEA_STAGE_PROJECT })),
		number("I3S: social job profiles", jobProfiles, having(a.profiles, "initiative", i3s)),
		number("I3S: areas of the job profiles", 4, len(areas)),
		number("I3S: events on digital innovation", i3sEvents, i3sEvent(thematic, corporate, researchMeeting)),
		number("I3S: of these, corporate meetings", 1, i3sEvent(corporate)),
		number("I3S: of these, research meetings", 2, i3sEvent(researchMeeting)),
		number("I3S: working tables", workingTables, i3sEvent(workingTable)),
		least("I3S: B2B meetings (+150 corporate and 60 research)", corporateB2B+researchB2B, "Incontri B2B organizzati"),
		measured("I3S: candidate projects of the research meetings", candidates, "Progetti candidati nei Research Meeting"),
		least("I3S: hours of individual mentoring", mentoringHours, "Ore di mentoring individuale erogate"),
		measured("I3S: bodies mentored", mentoredBodies, "Enti seguiti con mentoring individuale"),
		measured("I3S: bodies served by the pilot", pilotBodies, "Enti serviti dal progetto pilota"),
		least("I3S: young people surveyed", surveyedYoung, "Giovani che hanno risposto alla ricerca Giovani e Terzo Settore"),
		number("I3S: recommendations, as lessons learned", len(i3sLessons), a.lessons),
		measuredFrom("POSITIVE: teams of the UX challenge", challengeTeams, a.events["positive-challenge"], "teams"),
		measuredFrom("PoliTO per il Sociale: respondents", censusAnswers, a.events["pops-workshop"], "respondents"),
		number("DO Impact: partners", doImpactNames, len(a.partnersOf(doImpact))),
		number("DO Impact: countries", 6, len(countries)),
		measuredFrom("CGM: cooperatives and social enterprises", networkSize, a.organisations["cgm"], "network_size"),
		number("DigiCompSoc: partners", 3, len(a.projects[projectDCS].GetPartners())),
		measured("DigiCompSoc: bodies surveyed", surveyed, surveyTitle),
		number("DigiCompSoc: bodies surveyed, in the catalogue", surveyed, having(a.organisations, "dcs_survey", "true")),
		measured("DigiCompSoc: operators in training", operatorsToTrain, "Persone iscritte"),
		number("DigiCompSoc: OSS and educator editions running", runningEditions, editions(running)),
		number("DigiCompSoc: further editions, from interest", plannedEditions, editions(onlyInterest, scheduled)),
		number("DigiCompSoc: coordinators' editions", coordinatorEditions, coordinators[0]),
		number("DigiCompSoc: of these, with at most 16 seats", coordinatorEditions, coordinators[1]),
		number("DigiCompSoc: hours of the coordinators' path", 22, int(a.minutes[coordinatorTitle]/60)),
		number("DigiCompSoc: modules of the coordinators' path", 4, len(a.modules[coordinatorTitle])),
		number("DigiCompSoc: seats reserved at the event", reservedSeats, int(a.editions["evento-22-ottobre"].GetCapacity())),
	}, a.fundedFigures()...)
}

// measuredFrom is a figure that an entry has among its attributes.
func measuredFrom(what string, source int, e keyed, attribute string) Figure {
	return Figure{what, fmt.Sprint(source), e.GetAttributes()[attribute]}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func phaseWord(p projectsv1.Phase) string {
	return strings.ToLower(strings.TrimPrefix(p.String(), "PHASE_"))
}
