// Package mspdi reads and writes Microsoft Project XML (MSPDI), the format of
// the "Project XML Data Interchange Schema" of Microsoft Project 2003 to 2021
// (namespace http://schemas.microsoft.com/project). It has types of its own and
// does no I/O but through the io.Reader and io.Writer that it is given.
//
// Reading is tolerant of what a plan here does not hold (each such thing is
// listed in Plan.Dropped with the element's path and the reason) and strict
// about what is broken: an Error names the line and, of a task, its UID.
package mspdi

import (
	"fmt"
	"time"
)

// Namespace is that of every MSPDI document.
const Namespace = "http://schemas.microsoft.com/project"

// NoCalendar is the calendar UID of what has no calendar of its own.
const NoCalendar = -1

// Plan is what is held of a document. Date-times are wall-clock times of the
// plan's own zone, in time.UTC, to the minute; the zero one is none.
type Plan struct {
	Name, Title   string
	Start, Finish time.Time
	Status        time.Time
	// FromFinish says that the file schedules backwards from its finish.
	FromFinish bool
	// Honour says that constraint dates win over links.
	Honour        bool
	CalendarUID   int64 // NoCalendar for none
	MinutesPerDay int64
	Calendars     []Calendar
	Tasks         []Task // in outline order, summaries before their subtasks
	Resources     []Resource
	Assignments   []Assignment
	Dropped       []Dropped
}

// Calendar is working time by day of the week, and on given days.
type Calendar struct {
	UID  int64
	Name string
	// Base is the UID of the calendar that days are inherited from; NoCalendar
	// for none.
	Base       int64
	Week       [7]*Day // from Sunday; nil inherits
	Weeks      []WorkWeek
	Exceptions []Exception
	line       int
}

// WorkWeek is another week from From to To, inclusive; days that are nil stay as
// they are.
type WorkWeek struct {
	Name     string
	From, To time.Time // midnights
	Week     [7]*Day   // from Sunday
}

// Day is the working time of a day; one without intervals is off.
type Day struct{ Intervals []Interval }

// Interval is working time in minutes of the day, From inclusive and To
// exclusive; 1,440 is the midnight that ends the day.
type Interval struct{ From, To int }

// Exception is another working time on each day from From to To, inclusive.
type Exception struct {
	Name     string
	From, To time.Time // midnights
	Day      Day
}

// Constraint is a task's kind of constraint, with the numbers of the schema.
type Constraint int

// The constraints of the schema (ConstraintType).
const (
	AsSoonAsPossible Constraint = iota
	AsLateAsPossible
	MustStartOn
	MustFinishOn
	StartNoEarlierThan
	StartNoLaterThan
	FinishNoEarlierThan
	FinishNoLaterThan
)

// LinkType is the kind of a link, with the numbers of the schema.
type LinkType int

// The link types of the schema (PredecessorLink/Type).
const (
	FinishFinish LinkType = iota
	FinishStart
	StartFinish
	StartStart
)

// Task is one row of the plan. The dates from EarlyStart on are as the writing
// program has computed them: to compare with, not to plan by.
type Task struct {
	UID   int64
	GUID  string // UUID in lower case, or empty
	Name  string
	Notes string
	// Parent is the UID of the summary task above; 0 at the top.
	Parent  int64
	Summary bool
	// Minutes of duration: of working time, or of the clock where Elapsed.
	Minutes int64
	Elapsed bool
	// Manual says that the file schedules it by hand, from Start.
	Manual         bool
	Milestone      bool
	Priority       int
	Constraint     Constraint
	ConstraintDate time.Time
	Deadline       time.Time
	CalendarUID    int64 // NoCalendar for none
	Percent        int
	ActualStart    time.Time
	ActualFinish   time.Time
	Work           int64 // minutes
	LevelingDelay  int64 // minutes, elapsed
	Links          []Link
	Baselines      []Baseline
	// Attributes are the custom text fields, by alias, of those with one.
	Attributes map[string]string

	Start, Finish           time.Time
	EarlyStart, EarlyFinish time.Time
	LateStart, LateFinish   time.Time
	TotalSlack, FreeSlack   int64 // minutes
	Critical                bool
	// Line is where the task stands in the document.
	Line int

	level int
}

// Link is a link from a predecessor.
type Link struct {
	Predecessor int64
	Type        LinkType
	Lag         int64 // minutes; where Percent, of the predecessor's duration in per cent
	Elapsed     bool
	Percent     bool
	line        int
}

// Baseline is a task as it was once planned; Number is 0 to 10.
type Baseline struct {
	Number        int
	Start, Finish time.Time
	Minutes       int64
	Work          int64
}

// ResourceType is the kind of a resource, with the numbers of the schema.
type ResourceType int

// The kinds of resources (Resource/Type).
const (
	Material ResourceType = iota
	WorkResource
	CostResource
)

// Resource is who or what does the work. Units are ten-thousandths of one whole.
type Resource struct {
	UID         int64
	GUID        string
	Name        string
	Type        ResourceType
	MaxUnits    int64
	CalendarUID int64
	// Code is the custom code; here, the opaque subject.
	Code  string
	Group string
	// Attributes are the custom text fields, by alias, of those with one.
	Attributes map[string]string
	line       int
}

// Assignment is a resource at work on a task, with so many ten-thousandths of
// one whole.
type Assignment struct {
	Task, Resource int64
	Units          int64
	Work           int64 // minutes
	line           int
}

// Dropped is something of a document that a plan does not hold.
type Dropped struct {
	// Path of the element, for example "Project/Tasks/Task/Hyperlink".
	Path string
	// Reason in words.
	Reason string
	// Count is how often it occurs; Line where first, UID of which task, resource
	// or assignment first (0 for none).
	Count int
	Line  int
	UID   int64
}

// Kind says what is wrong with a document.
type Kind int

// The kinds of errors.
const (
	// Malformed is XML that is truncated, hostile or not MSPDI.
	Malformed Kind = iota
	// TooLarge is more than the bounds allow.
	TooLarge
	// Broken is MSPDI that contradicts itself.
	Broken
)

// Error is what is wrong, and where.
type Error struct {
	Kind Kind
	Line int
	// Path of the element; may be empty.
	Path string
	// Text says what is wrong.
	Text string
}

func (e *Error) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("line %d: %s", e.Line, e.Text)
	}
	return fmt.Sprintf("line %d, %s: %s", e.Line, e.Path, e.Text)
}
