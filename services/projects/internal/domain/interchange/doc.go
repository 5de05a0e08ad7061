// Package interchange turns a plan into a Microsoft Project document and back.
// What a plan holds and the format does not (the partner in charge, who does it,
// translations) travels in custom text fields whose alias begins with "Trama";
// Italian holidays travel as exceptions, so that other programs work by them too.
package interchange

import (
	"time"

	"github.com/trama-suite/trama/services/projects/internal/domain/mspdi"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// Aliases of the custom fields, and names of the exceptions that stand for a
// calendar's holidays.
const (
	fieldOrganisation = "Trama partner"
	fieldAssignee     = "Trama assignee"
	fieldLanguage     = "Trama language"
	fieldTranslations = "Trama translations" // JSON
	fieldPinned       = "Trama pinned"
	fieldLevelled     = "Trama levelled start"
	fieldKind         = "Trama kind"
	holidayName       = "Festività nazionale"
	patronName        = "Santo patrono " // and --MM-DD
)

var epoch = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)

func toTime(t schedule.Time) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return epoch.AddDate(0, 0, t.Date().Days()).Add(time.Duration(t.Minute()) * time.Minute)
}

var linkTypes = map[mspdi.LinkType]schedule.LinkType{
	mspdi.FinishStart: schedule.FS, mspdi.StartStart: schedule.SS, mspdi.FinishFinish: schedule.FF, mspdi.StartFinish: schedule.SF,
}

var constraints = map[mspdi.Constraint]schedule.ConstraintType{
	mspdi.AsSoonAsPossible: schedule.ASAP, mspdi.AsLateAsPossible: schedule.ALAP, mspdi.MustStartOn: schedule.MustStartOn,
	mspdi.MustFinishOn: schedule.MustFinishOn, mspdi.StartNoEarlierThan: schedule.StartNoEarlierThan, mspdi.StartNoLaterThan: schedule.StartNoLaterThan,
	mspdi.FinishNoEarlierThan: schedule.FinishNoEarlierThan, mspdi.FinishNoLaterThan: schedule.FinishNoLaterThan,
}

func inverse[A, B comparable](m map[A]B) map[B]A {
	out := make(map[B]A, len(m))
	for a, b := range m {
		out[b] = a
	}
	return out
}

var (
	linkNumbers       = inverse(linkTypes)
	constraintNumbers = inverse(constraints)
)
