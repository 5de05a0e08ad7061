package schedule

// Times is what is computed for a task.
type Times struct {
	// ES, EF, LS and LF are the early and late start and finish on the axis of the
	// task's calendar: working minutes from the project's start, negative before
	// it. A finish is exclusive: EF = ES + duration, unless progress has split the
	// task.
	ES, EF, LS, LF int
	// The same as local date-times, a start at the beginning of work and a finish
	// at its end.
	EarlyStart, EarlyFinish, LateStart, LateFinish Time
	// Start and Finish are the scheduled dates: the early ones, but those of a task
	// as late as possible.
	Start, Finish Time
	// TotalFloat is LF − EF in working minutes (margine totale): how far the task
	// may slip without delaying the project or breaking a constraint. Of a summary
	// the least of its leaves'.
	TotalFloat int
	// FreeFloat is how far the scheduled finish may slip without delaying another
	// task or the project (margine libero); of a summary the least of its leaves'.
	FreeFloat int
	// Critical says that the total float is not positive and the task not finished.
	Critical bool
	Summary  bool
	// DeadlineMissed says that the scheduled finish is after the deadline.
	DeadlineMissed bool
	// Cause is what makes the total float negative; zero otherwise.
	Cause Cause
	// Work in person-minutes, of a summary the sum.
	Work int64
}

// Cause names the constraint or deadline that a negative float comes from.
type Cause struct {
	Task     string // ID; empty where the float is not negative
	Deadline bool   // its deadline, otherwise its constraint
}

// LinkTimes is what is computed for a link.
type LinkTimes struct {
	Link
	// Slack is how far the predecessor's end of the link may slip before it moves
	// the successor's, in working minutes of the successor's calendar. Negative
	// where a started or pinned successor does not keep the link.
	Slack int
	// Driving says that the slack is zero: the link holds the successor where it
	// is (dipendenza determinante).
	Driving bool
}
