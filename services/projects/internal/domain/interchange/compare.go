package interchange

import (
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/mspdi"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// Difference is a task whose dates as computed are not those of the document.
type Difference struct {
	Task *domain.Task
	Row  *mspdi.Task
	// Then are the document's dates.
	ThenStart, ThenFinish schedule.Time
	// Reason may be empty.
	Reason string
}

// Compare holds the dates of a computed import against those of the document.
// The end of one working interval and the beginning of the next are the same
// instant of work. Tasks without dates in the document do not count.
func (r *Result) Compare() (agreeing int, differing []Difference, err error) {
	for _, t := range r.Plan.Tasks {
		row := r.Rows[t.ID]
		if row.Start.IsZero() || row.Finish.IsZero() {
			continue
		}
		d := Difference{Task: t, Row: row, ThenStart: fromTime(row.Start), ThenFinish: fromTime(row.Finish)}
		start, err := r.Plan.Same(t, d.ThenStart, t.Times.StartTime)
		if err != nil {
			return 0, nil, err
		}
		finish, err := r.Plan.Same(t, d.ThenFinish, t.Times.FinishTime)
		if err != nil {
			return 0, nil, err
		}
		if start && finish {
			agreeing++
			continue
		}
		d.Reason = reason(row)
		differing = append(differing, d)
	}
	return agreeing, differing, nil
}

func reason(x *mspdi.Task) string {
	switch {
	case x.LevelingDelay != 0:
		return "the document has it delayed by levelling"
	case !x.ActualStart.IsZero():
		return "of actual dates the day is kept, not the hour"
	case x.Manual:
		return "it is scheduled by hand"
	case x.Summary:
		return "a subtask differs"
	}
	return ""
}
