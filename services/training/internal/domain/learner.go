package domain

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Learner is a person who learns, as the learner's organisation keeps them. Only
// this type and its table know who somebody is.
type Learner struct {
	// Name holds the ledger id, by which everything else knows the person.
	Name, Organisation    string
	GivenName, FamilyName string
	Mail, Role, Subject   string
	Version               int64
	Created, Updated      time.Time
}

// NewLearner returns the record of a person.
func NewLearner(l Learner, now time.Time) *Learner {
	l.Version, l.Created, l.Updated = 1, now, now
	l.Mail = strings.ToLower(l.Mail)
	return &l
}

// Change corrects the personal data.
func (l *Learner) Change(next Learner, now time.Time) {
	l.GivenName, l.FamilyName = next.GivenName, next.FamilyName
	l.Mail, l.Role, l.Subject = strings.ToLower(next.Mail), next.Role, next.Subject
	l.Version++
	l.Updated = now
}

// Initials returns what a public page may show of a name: "M. R.".
func (l *Learner) Initials() string {
	var out []string
	for _, name := range []string{l.GivenName, l.FamilyName} {
		if r, size := utf8.DecodeRuneInString(strings.TrimSpace(name)); size > 0 && r != utf8.RuneError {
			out = append(out, strings.ToUpper(string(r))+".")
		}
	}
	return strings.Join(out, " ")
}

// InterestState says where interest stands.
type InterestState string

// The states of interest.
const (
	InterestOpen      InterestState = "OPEN"
	InterestConverted InterestState = "CONVERTED"
	InterestWithdrawn InterestState = "WITHDRAWN"
)

// Interest is a person's wish to take a course (manifestazione di interesse).
type Interest struct {
	Name, Course, Organisation   string
	Learner, LearnerOrganisation string
	Role, Territory              string
	Sequence                     int64
	State                        InterestState
	Enrolment                    string
	Version                      int64
	Created, Updated             time.Time
}

// Convert says which claim the interest became.
func (i *Interest) Convert(enrolment string, now time.Time) {
	i.State, i.Enrolment = InterestConverted, enrolment
	i.Version++
	i.Updated = now
}

// Withdraw takes the interest back.
func (i *Interest) Withdraw(now time.Time) error {
	if i.State != InterestOpen {
		return illegal("interest", "withdrawn", i.State)
	}
	i.State = InterestWithdrawn
	i.Version++
	i.Updated = now
	return nil
}
