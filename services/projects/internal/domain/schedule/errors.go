package schedule

import (
	"fmt"
	"strings"
)

// CycleError says that links or parents go round in a circle, through the tasks
// in the order given and back to the first. Where the circle goes through a
// link of a summary, the summary stands between its leaf and the other task.
type CycleError struct{ Tasks []string }

func (e *CycleError) Error() string {
	return "cycle: " + strings.Join(e.Tasks, " → ") + " → " + e.Tasks[0]
}

// UnknownError says that a task refers to a task or a calendar that is not in
// the plan.
type UnknownError struct{ Task, Reference string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("task %s refers to %s, which is not in the plan", e.Task, e.Reference)
}

// DuplicateError says that an ID stands twice.
type DuplicateError struct{ ID string }

func (e *DuplicateError) Error() string { return e.ID + " stands twice" }

// TaskError says what is wrong with a field of a task.
type TaskError struct{ Task, Field, Reason string }

func (e *TaskError) Error() string { return fmt.Sprintf("task %s: %s: %s", e.Task, e.Field, e.Reason) }

// SummaryError says that a summary task has what only a leaf may have.
type SummaryError struct{ Task, Field, Reason string }

func (e *SummaryError) Error() string {
	return fmt.Sprintf("summary task %s: %s: %s", e.Task, e.Field, e.Reason)
}

// LinkError says that a link cannot be: to a task above or below, to itself, or
// a second one of its type.
type LinkError struct{ Task, Predecessor, Reason string }

func (e *LinkError) Error() string {
	return fmt.Sprintf("link from %s to %s: %s", e.Predecessor, e.Task, e.Reason)
}

// RangeError says that a task would reach outside the time a plan may cover.
type RangeError struct{ Task string }

func (e *RangeError) Error() string {
	return fmt.Sprintf("task %s reaches further than %d years after the project's start, or %d before", e.Task, MaxYears, beforeYears)
}
