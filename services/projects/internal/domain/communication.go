package domain

import (
	"time"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// States of an item of the communication plan.
const (
	CommunicationActive = "ACTIVE"
	CommunicationEnded  = "ENDED"
)

// Communications is the communication plan.
var Communications = &Register{
	Collection: "communications", Field: "communication", Initial: CommunicationActive,
	Steps:   map[string][]string{CommunicationActive: {CommunicationEnded}},
	Settled: []string{CommunicationEnded}, Frozen: []string{CommunicationEnded}, Shared: true,
}

// How often something is told.
const (
	Once      = "ONCE"
	Weekly    = "WEEKLY"
	Monthly   = "MONTHLY"
	Quarterly = "QUARTERLY"
	Yearly    = "YEARLY"
	AsNeeded  = "AS_NEEDED"
)

// Communication is an item of the communication plan; Due is when next.
type Communication struct {
	Entry
	Title       Text       `json:"title"`
	Audience    string     `json:"audience"`
	Channel     string     `json:"channel"`
	Frequency   string     `json:"frequency"`
	Responsible string     `json:"responsible,omitempty"`
	LastDone    civil.Date `json:"lastDone,omitempty"`
	Done        int32      `json:"done,omitempty"`
}

// Register returns the communication plan.
func (*Communication) Register() *Register { return Communications }

// Mentions returns nothing.
func (x *Communication) Mentions() []Mention { return nil }

func (x *Communication) check(*Project) error {
	if x.Frequency == "" {
		x.Frequency = Once
	}
	return first(x.Title.require("communication.title"), requireText("communication.audience", x.Audience),
		requireText("communication.channel", x.Channel), optionalDate("communication.next_date", x.Due))
}

// Log notes that it was done on a day, and when it is next: given, or worked out
// by the frequency.
func (x *Communication) Log(p *Project, day, next civil.Date, by Act, today civil.Date) (TrailEntry, error) {
	if day == "" {
		day = today
	}
	if err := first(p.Writable(), Editable(x), optionalDate("done_date", day), optionalDate("next_date", next), notLater("done_date", day, today)); err != nil {
		return TrailEntry{}, err
	}
	if next == "" {
		next = nextDate(day, x.Frequency)
	}
	from := x.State
	x.LastDone, x.Due = max(x.LastDone, day), next
	x.Done++
	if x.Frequency == Once {
		x.State = CommunicationEnded
	}
	x.Touch(by.Time)
	return trailOf(x, EntryDone, from, by), nil
}

// nextDate is the day after one week, or after so many months: the same day of
// the month, or the month's last.
func nextDate(day civil.Date, frequency string) civil.Date {
	months := map[string]int{Monthly: 1, Quarterly: 3, Yearly: 12}[frequency]
	switch {
	case frequency == Weekly:
		return day.AddDays(7)
	case months == 0:
		return ""
	}
	t := time.Unix(int64(day.Days())*86400, 0).UTC()
	last := time.Date(t.Year(), t.Month()+time.Month(months)+1, 0, 0, 0, 0, 0, time.UTC)
	return civil.Of(time.Date(last.Year(), last.Month(), min(t.Day(), last.Day()), 0, 0, 0, 0, time.UTC))
}
