package demo

import (
	"fmt"
	"time"
	_ "time/tzdata" // Italian time on any machine

	"google.golang.org/protobuf/types/known/timestamppb"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
)

// The figures of I3S about its events. Eight events on digital innovation, of
// which one corporate and two research meetings; and five working tables.
const (
	i3sEvents      = 8
	corporateB2B   = 150 // at least
	researchB2B    = 60  // at both meetings
	candidates     = 12  // projects, from both research meetings
	workingTables  = 5
	challengeTeams = 5  // of POSITIVE's UX challenge
	censusAnswers  = 89 // to PoliTO per il Sociale
	reservedSeats  = 30 // at the DigiCompSoc event of 22 October 2025
	italianDay     = "2006-01-02"
	italianMinutes = "2006-01-02 15:04"
)

const (
	thematic        = cataloguev1.EventKind_EVENT_KIND_THEMATIC
	corporate       = cataloguev1.EventKind_EVENT_KIND_CORPORATE_MEETING
	researchMeeting = cataloguev1.EventKind_EVENT_KIND_RESEARCH_MEETING
	workingTable    = cataloguev1.EventKind_EVENT_KIND_WORKING_TABLE
	otherEvent      = cataloguev1.EventKind_EVENT_KIND_OTHER
	workshop        = cataloguev1.EventKind_EVENT_KIND_WORKSHOP
)

// happening is an event of the scenario.
type happening struct {
	key, title string
	kind       cataloguev1.EventKind
	start, end string // in Italian time
	place      string
	organisers []string // the first owns it
	initiative string
	sample     bool // title and date are samples
	more       []string
}

// happenings returns all events. The sources date the second research meeting,
// the DO Impact kick-off and the workshops; the other dates are samples.
func happenings() []happening {
	out := []happening{
		{"corporate-meeting", "Corporate Meeting: incontro tra domanda e offerta di soluzioni", corporate, "2022-11-16 09:00", "2022-11-16 18:00", "Torino", []string{"piemonte-innova", "torino-social-impact"}, i3s, true, []string{"b2b_meetings_at_least", fmt.Sprint(corporateB2B)}},
		{"research-meeting-1", "Research Meeting: ETS, imprese ICT e Università di Torino", researchMeeting, "2022-07-14 09:00", "2022-07-14 13:00", "Torino", []string{"piemonte-innova", "unito"}, i3s, true, nil},
		{"research-meeting-2", "Research Meeting del Polo ICT: “Tecnologie a impatto sociale”", researchMeeting, "2022-09-14 09:00", "2022-09-14 18:00", "Torino", []string{"piemonte-innova"}, i3s, false, []string{"b2b_meetings_both", fmt.Sprint(researchB2B), "candidate_projects_both", fmt.Sprint(candidates)}},
		{"do-impact-kick-off", "Kick-off di DO Impact, con workshop “World Café” su stakeholder, settori ed ecosistemi locali", workshop, "2024-09-30 09:00", "2024-10-01 17:00", "ZIP News, Torino", []string{"piemonte-innova", "torino-social-impact", "diesis"}, doImpact, false, nil},
		{"positive-workshop", "Tech for Social Impact: una roadmap per connettere innovazione sociale e tecnologica", workshop, "2024-05-21 09:00", "2024-05-21 13:00", "SOI – School of Innovation, Università di Trento", []string{"hit", "trentino-social-tank"}, positive, false, []string{"dimensions", "policy, mercati, finanza, cultura, capitale umano, supporto"}},
		{"positive-challenge", "POSITIVE Impact UX Challenge: giovani talenti per cooperative e imprese sociali", otherEvent, "2024-02-15 09:00", "2024-02-15 18:00", "Trento", []string{"hit"}, positive, true, []string{"teams", fmt.Sprint(challengeTeams)}},
		{"pops-workshop", "Restituzione degli esiti del workshop “PoliTO per il Sociale”", workshop, "2022-06-22 15:00", "2022-06-22 18:00", "Sala Agorà, I3P, Torino", []string{"politecnico-torino"}, pops, false, []string{"respondents", fmt.Sprint(censusAnswers)}},
		{"dcs-co-design", "Primo workshop di co-progettazione della piattaforma DCS", workshop, "2025-07-11 09:00", "2025-07-11 17:00", "In presenza (luogo non indicato dalle fonti)", []string{"cgm", "cedel", "elis-innovation-hub"}, digiCompSoc, false, nil},
		{"dcs-mock-up", "Presentazione del MockUp della piattaforma DCS e Celebration Social Innovation Trail", workshop, "2025-10-22 10:30", "2025-10-22 16:30", "ELIS Innovation Hub, Roma", []string{"cgm", "elis-innovation-hub"}, digiCompSoc, false, []string{"reserved_seats", fmt.Sprint(reservedSeats)}},
	}
	for i := range i3sEvents - 3 {
		day := time.Date(2021, time.Month(4+3*i), 21, 0, 0, 0, 0, time.UTC).Format(italianDay)
		out = append(out, happening{fmt.Sprintf("evento-tematico-%d", i+1), fmt.Sprintf("Evento tematico campione %d sull'innovazione digitale", i+1), thematic,
			day + " 15:00", day + " 18:00", "Torino", []string{"piemonte-innova", "torino-social-impact"}, i3s, true, nil})
	}
	for i := range workingTables {
		day := time.Date(2022, time.Month(2+2*i), 9, 0, 0, 0, 0, time.UTC).Format(italianDay)
		h := happening{fmt.Sprintf("tavolo-%d", i+1), fmt.Sprintf("Tavolo di lavoro campione %d", i+1), workingTable,
			day + " 10:00", day + " 13:00", "Torino", []string{"piemonte-innova"}, i3s, true, nil}
		if i == workingTables-1 {
			h.title, h.organisers = "Tavolo di lavoro con la PA: Città di Torino e ASL", []string{"piemonte-innova", "citta-torino"}
		}
		out = append(out, h)
	}
	return out
}

func eventsOf(organisations map[string]string) []*cataloguev1.Event {
	all := happenings()
	out := make([]*cataloguev1.Event, 0, len(all))
	for _, h := range all {
		description := "Evento del programma “" + h.initiative + "”."
		if h.sample {
			description += " Data, e titolo dove le fonti danno solo il numero, sono campione."
		}
		e := &cataloguev1.Event{
			Organisation: organisations[h.organisers[0]], Title: it(h.title), Description: it(description), Visibility: everybody, Kind: h.kind, Tags: []string{h.initiative},
			StartTime: instant(h.start), EndTime: instant(h.end), TimeZone: "Europe/Rome", Place: h.place,
			Attributes: attributes(h.key, append([]string{"initiative", h.initiative}, h.more...)...),
		}
		for _, o := range h.organisers {
			e.Organisers = append(e.Organisers, organisations[o])
		}
		if h.sample {
			e.Attributes = sample(e.Attributes)
		}
		out = append(out, e)
	}
	return out
}

// instant reads a time of the wall clock in Italy.
func instant(s string) *timestamppb.Timestamp { return timestamppb.New(italian(s)) }

// italian reads a time of the wall clock in Italy; the scenario's are right.
func italian(s string) time.Time {
	t, err := time.ParseInLocation(italianMinutes, s, rome)
	if err != nil {
		panic("demo: " + err.Error())
	}
	return t
}

// rome is where the scenario takes place.
var rome = func() *time.Location {
	l, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		panic("demo: " + err.Error()) // not with the embedded database
	}
	return l
}()
