// Package schedule computes a plan's dates by the critical path method (Kelley
// and Walker, "Critical-path planning and scheduling", 1959) with the four link
// types of the precedence diagram (Fondahl, "A non-computer approach to the
// critical path method", 1961), calendars, constraints, progress and summary
// tasks. It does no I/O and reads no clock.
//
// # Time
//
// A [Time] is a minute of the local clock without a zone. Each task counts in
// working minutes of its own calendar. The end of a working interval and the
// beginning of the next are the same instant of work: a start shows as the
// beginning (08:00), a finish as the end (17:00). Days have 1,440 minutes: the
// changes to and from daylight saving time do not exist on this axis, as in
// other planning tools.
//
// # Links
//
// The lag of a link runs in the calendar of the predecessor, or on the clock
// where it is elapsed. Where predecessor and successor have different calendars
// the point moves over the clock: the successor begins (or ends) no earlier than
// the first working instant of its own calendar at or after that point. A lead
// never moves a task before the project's start.
//
// Links of a summary task bind its leaves: one that enters it (finish-to-start
// and start-to-start only) holds each of them back, one that leaves it counts
// from the first start or the last finish among them.
//
// # Progress
//
// A finished task stays where it was, whatever its links say, and its late dates
// are its own. A started task starts where it did; the links to its start have
// had their day, those to its finish still hold. What remains of a started task
// begins no earlier than the status date, and a task that has not started leaves
// at most its reported progress before it. Progress is a percentage of the
// duration.
//
// # Constraints
//
// Dates never overrule links, unless the task is pinned: a date that cannot be
// met shows as negative float, with the constraint that causes it named. As late
// as possible means as late as delays no other task and not the project.
package schedule
