package demo

import (
	"fmt"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
)

// The figures of DigiCompSoc's training. How the 300 operators spread over the
// editions, and the seats of the OSS path, are samples.
const (
	operatorsToTrain = 300
	runningEditions  = 8  // OSS and educators: running, people may join mid-course
	plannedEditions  = 3  // the editions 9 to 11, scheduled from interest
	ossSeats         = 22 // of an edition; sample
	convertedSeats   = 24 // of edition 9; sample
	interested       = 60 // people who filled the form in; sample
	midCourse        = 3  // of those in an edition, came in once it ran; sample

	coordinatorEditions = 8
	coordinatorSeats    = 16
	coordinatorMinutes  = 22 * 60
	waitingForFirst     = 4 // people on the first edition's waiting list; sample
)

// coordinatorsEnrolled are the seats taken in each edition of the coordinators'
// path; sample. The first is full.
var coordinatorsEnrolled = [coordinatorEditions]int{16, 16, 16, 16, 16, 10, 6, 4}

const (
	ossTitle         = "Percorso OSS, educatori e operatori"
	coordinatorTitle = "Percorso coordinatori e responsabili di area"
	eventTitle       = "Celebration Social Innovation Trail e MockUp della piattaforma DCS"
	eventGuests      = 26 // who took one of the reserved seats; sample
	threshold        = 75 // percent to attend; sample
)

// modules of the coordinators' path: titles and the total of 22 hours are the
// sources', how the hours spread is a sample.
func coordinatorModules() []*trainingv1.Module {
	return []*trainingv1.Module{
		{ModuleId: "digital-mindset", Title: it("Digital mindset"), Minutes: 4 * 60},
		{ModuleId: "progetti-complessi", Title: it("Gestione di progetti complessi attraverso tool digitali"), Minutes: 8 * 60},
		{ModuleId: "collaboratori", Title: it("Gestione dei collaboratori"), Minutes: 5 * 60},
		{ModuleId: "cybersecurity", Title: it("Cybersecurity, privacy e archiviazione"), Minutes: 5 * 60},
	}
}

func courses(w *world) []*trainingv1.Course {
	return []*trainingv1.Course{
		{
			Organisation: w.organisations["cedel"], Project: w.projects[projectDCS], Title: it(ossTitle), ThresholdPercent: threshold,
			Description: it("Si entra anche in itinere. Durata e soglia di frequenza sono campione."),
			Audience:    []trainingv1.LearnerRole{trainingv1.LearnerRole_LEARNER_ROLE_OSS, trainingv1.LearnerRole_LEARNER_ROLE_EDUCATOR, trainingv1.LearnerRole_LEARNER_ROLE_OPERATOR},
			Modules:     []*trainingv1.Module{{ModuleId: "competenze-digitali", Title: it("Competenze digitali per l'economia sociale"), Minutes: 12 * 60}},
		},
		{
			Organisation: w.organisations["cedel"], Project: w.projects[projectDCS], Title: it(coordinatorTitle), ThresholdPercent: threshold,
			Description: it("22 ore in 4 moduli; al massimo 16 partecipanti per edizione. La soglia di frequenza è campione."),
			Audience:    []trainingv1.LearnerRole{trainingv1.LearnerRole_LEARNER_ROLE_COORDINATOR, trainingv1.LearnerRole_LEARNER_ROLE_MANAGER, trainingv1.LearnerRole_LEARNER_ROLE_DIRECTOR},
			Modules:     coordinatorModules(),
		},
	}
}

// meeting is a session of an edition.
type meeting struct {
	title, module string
	start         string // in Italian time
	minutes       int
}

// run is an edition of the scenario: who is in it, and what has happened.
type run struct {
	key, course string // course by its title; empty for the event
	number      int
	title       string
	capacity    int
	waitingCap  int
	start, end  string
	place       string
	// enrolled before it started, joined once it ran, and waiting: learners by number.
	enrolled, joined, waiting []int
	// meetings with a register; the first of them may be before somebody joined.
	meetings []meeting
	state    trainingv1.EditionState
	certify  bool // those who have completed it get their certificate
}

const (
	onlyInterest = trainingv1.EditionState_EDITION_STATE_INTEREST
	scheduled    = trainingv1.EditionState_EDITION_STATE_SCHEDULED
	opened       = trainingv1.EditionState_EDITION_STATE_OPEN
	running      = trainingv1.EditionState_EDITION_STATE_RUNNING
)

// runs returns all editions. Learners are numbered from 0: those of the OSS
// editions, then those who come from interest, then the coordinators.
func runs() []run {
	var out []run
	next := 0
	take := func(n int) []int {
		people := make([]int, n)
		for i := range people {
			people[i] = next + i
		}
		next += n
		return people
	}
	for n := 1; n <= runningEditions; n++ {
		r := run{
			key: fmt.Sprintf("oss-%02d", n), course: ossTitle, number: n, capacity: ossSeats, start: "2025-06-19", end: "2025-11-28",
			state: running, enrolled: take(ossSeats - midCourse), joined: take(midCourse), certify: n <= 4,
		}
		// The last two editions have half of their sessions behind them.
		held := 4
		if n > 6 {
			held = 2
		}
		days := []string{"2025-06-%02d", "2025-07-%02d", "2025-09-%02d", "2025-10-%02d"}
		for m, day := range days[:held] {
			r.meetings = append(r.meetings, meeting{fmt.Sprintf("Webinar %d", m+1), "competenze-digitali", fmt.Sprintf(day, 18+n) + " 14:30", 180})
		}
		out = append(out, r)
	}
	for n := runningEditions + 1; n <= runningEditions+plannedEditions; n++ {
		r := run{key: fmt.Sprintf("oss-%02d", n), course: ossTitle, number: n, capacity: convertedSeats, state: onlyInterest}
		if n == runningEditions+1 {
			r.state, r.start, r.end = scheduled, "2025-11-10", "2026-02-27"
		}
		out = append(out, r)
	}
	next += interested
	for n, seats := range coordinatorsEnrolled {
		r := run{
			key: fmt.Sprintf("coordinatori-%02d", n+1), course: coordinatorTitle, number: n + 1, capacity: coordinatorSeats, waitingCap: 8,
			start: "2025-12-01", end: "2026-05-29", state: opened, enrolled: take(seats),
		}
		if n == 0 {
			r.state, r.certify = running, true
			days := []string{"2025-12-03", "2025-12-17", "2026-01-14", "2026-01-28", "2026-02-11", "2026-02-25"}
			for m, x := range []struct {
				module string
				hours  int
			}{{"digital-mindset", 4}, {"progetti-complessi", 4}, {"progetti-complessi", 4}, {"collaboratori", 5}, {"cybersecurity", 3}, {"cybersecurity", 2}} {
				r.meetings = append(r.meetings, meeting{fmt.Sprintf("Incontro %d", m+1), x.module, days[m] + " 09:00", x.hours * 60})
			}
		}
		out = append(out, r)
	}
	// Four who hold a seat in the last edition would rather be in the first.
	first, last := &out[runningEditions+plannedEditions], out[len(out)-1]
	first.waiting = last.enrolled[:waitingForFirst]
	event := run{
		key: "evento-22-ottobre", title: eventTitle, capacity: reservedSeats, start: "2025-10-22", end: "2025-10-22", place: "ELIS Innovation Hub, Roma", state: opened,
	}
	for n := range eventGuests {
		event.enrolled = append(event.enrolled, n*7)
	}
	return append(out, event)
}

// firstInterested is the number of the first learner who comes from interest.
const firstInterested = runningEditions * ossSeats

// learnerCount is how many people the scenario knows.
func learnerCount() int {
	n := firstInterested + interested
	for _, seats := range coordinatorsEnrolled {
		n += seats
	}
	return n
}

// minutesOf is how long a person was in a meeting: it is a sample, the same in
// every run. place is the person's in the edition, from 0; late is true for
// those who joined once it ran, who missed the first half.
func minutesOf(place int, late bool, m, meetings, length int) int {
	switch {
	case late && m < (meetings+1)/2:
		return 0
	case place%11 == 10 && m%2 == 1:
		return 0 // comes to every other meeting
	case place%7 == 6 && m == meetings-1:
		return length - 45 // leaves early
	}
	return length
}

// attended is what a person has attended in an edition altogether, and of how
// much.
func (r run) attended(place int, late bool) (minutes, of int) {
	for m, x := range r.meetings {
		minutes += minutesOf(place, late, m, len(r.meetings), x.minutes)
		of += x.minutes
	}
	return minutes, of
}

// completes reports whether the person has completed the edition: all meetings
// are held and enough of them attended.
func (r run) completes(place int, late bool) bool {
	if r.number == 0 || r.course == ossTitle && r.number > 6 {
		return false
	}
	minutes, of := r.attended(place, late)
	return minutes > 0 && minutes*100 >= threshold*of
}
