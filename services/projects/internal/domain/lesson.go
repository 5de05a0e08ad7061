package domain

import (
	"time"

	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/projects/internal/domain/words"
)

// Sharing is how far a lesson goes.
type Sharing string

// The levels of sharing.
const (
	ShareOwn     Sharing = "OWN"
	ShareNetwork Sharing = "NETWORK"
	SharePublic  Sharing = "PUBLIC"
)

// Lesson is one lesson learned: an aggregate of its own.
type Lesson struct {
	ID           string  `json:"-"`
	Project      string  `json:"-"`
	Organisation string  `json:"-"` // the project's lead
	Sharing      Sharing `json:"-"`
	Stamp
	Learned
}

// Learned is what people write in a lesson.
type Learned struct {
	Title          Text     `json:"title"`
	Context        Text     `json:"context"`
	WhatHappened   Text     `json:"whatHappened"`
	Recommendation Text     `json:"recommendation"`
	Tags           []string `json:"-"`
	Phase          Phase    `json:"-"` // empty: of none
	Category       string   `json:"-"`
	Outcome        string   `json:"-"` // a LessonOutcome of the proto, without its prefix
}

// Weights of the places where a lesson's words stand.
const (
	titleWeight = 3
	tagWeight   = 2
	textWeight  = 1
)

// Index is what a lesson is found by.
func (x *Learned) Index() words.Index {
	out := words.Index{}
	add := func(t Text, weight int64) {
		out.Add(t.Text, weight)
		for _, translation := range t.Translations {
			out.Add(translation, weight)
		}
	}
	add(x.Title, titleWeight)
	for _, tag := range append([]string{x.Category}, x.Tags...) {
		out.Add(tag, tagWeight)
	}
	add(x.Context, textWeight)
	add(x.WhatHappened, textWeight)
	add(x.Recommendation, textWeight)
	return out
}

// Name returns the resource name.
func (l *Lesson) Name() string { return ids.Name("projects", l.Project, "lessons", l.ID) }

// NewLesson writes a lesson; without a level it stays with the project's own
// organisations.
func NewLesson(id string, p *Project, x Learned, sharing Sharing, now time.Time) (*Lesson, error) {
	if err := x.check(); err != nil {
		return nil, err
	}
	if sharing == "" {
		sharing = ShareOwn
	}
	return &Lesson{ID: id, Project: p.ID, Organisation: p.Lead, Sharing: sharing, Stamp: NewStamp(now), Learned: x}, nil
}

// Revise replaces what is written.
func (l *Lesson) Revise(x Learned, sharing Sharing, now time.Time) error {
	if err := x.check(); err != nil {
		return err
	}
	if sharing != "" {
		l.Sharing = sharing
	}
	l.Learned = x
	l.Touch(now)
	return nil
}

func (x *Learned) check() error {
	return first(x.Title.require("lesson.title"), x.WhatHappened.require("lesson.what_happened"),
		x.Recommendation.require("lesson.recommendation"))
}
