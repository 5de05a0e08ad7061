package schedule

// LinkType says which ends of two tasks a link ties (tipo di dipendenza). The
// zero value is finish-to-start.
type LinkType uint8

// The link types: the successor's start or finish after the predecessor's.
const (
	FS LinkType = iota // starts after the finish (fine-inizio)
	SS                 // starts after the start (inizio-inizio)
	FF                 // finishes after the finish (fine-fine)
	SF                 // finishes after the start (inizio-fine)
)

func (t LinkType) String() string {
	if t > SF {
		return "?"
	}
	return [...]string{"FS", "SS", "FF", "SF"}[t]
}

// fromStart reports whether the link counts from the predecessor's start.
func (t LinkType) fromStart() bool { return t == SS || t == SF }

// toFinish reports whether the link holds the successor's finish.
func (t LinkType) toFinish() bool { return t == FF || t == SF }

// Link is a link from a predecessor (dipendenza). Between two tasks there is at
// most one of each type.
type Link struct {
	Predecessor string // ID
	Type        LinkType
	// Lag in minutes; negative is a lead. It runs in the predecessor's calendar,
	// or on the clock where Elapsed.
	Lag     int
	Elapsed bool
}

// ConstraintType says what a constraint demands (tipo di vincolo). The zero value
// is as soon as possible.
type ConstraintType uint8

// The constraint types of planning tools.
const (
	ASAP                ConstraintType = iota // as soon as possible: none
	ALAP                                      // as late as possible without delaying another task or the project
	StartNoEarlierThan                        // not before (non prima del)
	StartNoLaterThan                          // a later start is negative float
	FinishNoEarlierThan                       // an earlier finish waits
	FinishNoLaterThan                         // a later finish is negative float
	MustStartOn                               // both no earlier and no later
	MustFinishOn                              // both no earlier and no later
)

func (t ConstraintType) String() string {
	if t > MustFinishOn {
		return "?"
	}
	return [...]string{"as soon as possible", "as late as possible", "start no earlier than", "start no later than",
		"finish no earlier than", "finish no later than", "must start on", "must finish on"}[t]
}

// Constraint is a demand on a task's dates (vincolo). At is needed by all types
// but ASAP and ALAP, which have none.
type Constraint struct {
	Type ConstraintType
	At   Time
}

// Task is one element of the work breakdown. One that is the Parent of another
// is a summary (attività di riepilogo): its Duration, progress and actual dates
// do not matter, links enter it as FS or SS only, and of the constraints it may
// have StartNoEarlierThan and FinishNoLaterThan.
type Task struct {
	ID       string
	Parent   string // ID of the summary above; empty at the top
	Calendar string // ID; empty for the project's
	// Duration in working minutes of the calendar; 0 is a milestone (pietra
	// miliare).
	Duration int
	// Work in person-minutes (lavoro); a summary gets the sum of its leaves'.
	Work       int64
	Constraint Constraint
	// Pinned makes the date of the constraint (no later than, must) hold against
	// the links, as a manually scheduled task of MS Project or its option to
	// honour constraint dates does.
	Pinned bool
	// Deadline bounds the late finish and moves nothing (scadenza); zero for none.
	Deadline Time
	// LevelStart is the start that levelling chose: the task starts no earlier, and
	// is no longer put as late as possible. Zero for none.
	LevelStart                Time
	ActualStart, ActualFinish Time // zero for not yet
	Progress                  int  // 0 to 100 per cent of the duration
	Links                     []Link
}

// Settings is what holds for a whole plan.
type Settings struct {
	Start     Time   // the project's start: no task that has not started begins earlier
	Status    Time   // the status date (data di stato): no remaining work before it; zero for none
	Calendar  string // ID of the project's calendar
	Calendars []Calendar
}

// Limits of a plan.
const (
	MaxYears    = 100                // how far after the project's start a plan may reach
	MaxDuration = MaxYears * 527_040 // minutes of a duration or a lag
	beforeYears = 10                 // how far before the start calendars are known
)
