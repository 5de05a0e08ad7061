package mspdi

import "strings"

type dropKey struct{ path, reason string }

// maxDropped bounds the list; what a hostile file could still add is not told.
const maxDropped = 1_000

type drops struct {
	list []Dropped
	seen map[dropKey]int
}

func (d *drops) add(path, reason string, line int, uid int64) {
	key := dropKey{path, reason}
	if i, known := d.seen[key]; known {
		d.list[i].Count++
		return
	}
	if len(d.list) < maxDropped {
		d.seen[key] = len(d.list)
		d.list = append(d.list, Dropped{Path: path, Reason: reason, Count: 1, Line: line, UID: uid})
	}
}

// drop notes that the element that was entered is not held.
func (w *walker) drop(reason string) {
	w.drops.add(strings.Join(w.path, "/"), reason, w.line(), w.uid)
}

// Reasons why an element is not held.
const (
	whyCost     = "cost and rates are kept in the budget, not in the plan"
	whyActual   = "work done is kept as progress and actual dates"
	whyTimed    = "work spread over time is computed from the assignment"
	whyPersonal = "people are known by an opaque subject alone"
	whyDisplay  = "how the program shows it is not part of the plan"
	whyServer   = "it belongs to the server that the file comes from"
	whyCustom   = "custom fields are not part of the plan"
	whyLevel    = "levelling works with priorities alone"
	whyUnknown  = "the element is not known"
)

// notHeld gives the reason of the elements that are known and not held; an empty
// one is of those that are computed anew, or say nothing of the plan, and are
// not told.
var notHeld = table()

func table() map[string]string {
	out := map[string]string{}
	because := func(reason, names string) {
		for _, n := range strings.Fields(names) {
			out[n] = reason
		}
	}
	because("", `ID WBS OutlineNumber CreateDate Critical StartVariance FinishVariance WorkVariance DurationVariance CV SV BCWS BCWP ACWP VAC
		CostVariance Estimated ResumeValid EarnedValueMethod IsPublished StartSlack FinishSlack RemainingDuration ActualDuration RemainingWork RegularWork
		PercentWorkComplete OverAllocated Overallocated PeakUnits UpdateNeeded ResponsePending Confirmed LinkedFields HasFixedRateUnits FixedMaterial
		DisplayAsSummary ManualStart ManualFinish ManualDuration CreationDate LastSaved Revision SaveVersion BuildNumber CurrentDate ExtendedCreationDate
		DefaultStartTime DefaultFinishTime MinutesPerWeek DaysPerMonth DefaultTaskType DefaultFixedCostAccrual DurationFormat WorkFormat
		EditableActualCosts InsertedProjectsLikeSummary NewTasksEffortDriven NewTasksEstimated SplitsInProgressTasks SpreadActualCost
		SpreadPercentComplete TaskUpdatesResource FiscalYearStart FYStartDate WeekStartDay MoveCompletedEndsBack MoveRemainingStartsBack MoveRemainingStartsForward
		MoveCompletedEndsForward BaselineForEarnedValue AutoAddNewResourcesAndTasks MicrosoftProjectServerURL Autolink NewTaskStartDate
		NewTasksAreManual DefaultTaskEVMethod ProjectExternallyEdited ActualsInSync RemoveFileProperties AdminProject CriticalSlackLimit CurrencyDigits
		CurrencySymbol CurrencyCode CurrencySymbolPosition MultipleCriticalPaths DefaultStandardRate DefaultOvertimeRate UpdateManuallyScheduledTasksWhenEditingLinks
		KeepTaskOnNearestWorkingTimeWhenMadeAutoScheduled UID GUID IsNull Type CanLevel AvailabilityPeriods Rates Stop Resume LevelAssignments LevelingCanSplit
		LevelingDelayFormat BaseCalendars OutlineCodes WBSMasks ExtendedAttributes Views Filters Groups Tables Maps Reports Drawings DataLinks VBAProjects
		StandardRateFormat OvertimeRateFormat FixedCostAccrual AccrueAt ProjectSummary EarlyStart LateFinish PrimaryGuid
		IsGeneric IsInactive IsEnterprise IsBudget IsCostResource BookingType IsBaselineCalendar IsBaselineCal CostRateTable WorkGroup CommitmentType
		LagFormat Finish Start PhysicalPercentComplete Milestone IsSubprojectReadOnly Recurring EffortDriven CalendarName Interim EstimatedDuration`)
	because(whyCost, `Cost FixedCost OvertimeCost ActualCost ActualOvertimeCost RemainingCost RemainingOvertimeCost StandardRate OvertimeRate CostPerUse CostCenter
		BudgetCost RateScale BaselineCost VendorName`)
	because(whyActual, `ActualWork ActualOvertimeWork RemainingOvertimeWork OvertimeWork ActualWorkProtected ActualOvertimeWorkProtected PreLeveledStart
		PreLeveledFinish StatusManager AssnOwner AssnOwnerGuid`)
	because(whyTimed, `TimephasedData WorkContour Delay BudgetWork`)
	because(whyPersonal, `EmailAddress NTAccount WindowsUserAccount Phonetics Initials Author Manager Company ActiveDirectoryGUID Contact UserId`)
	because(whyDisplay, `HideBar Rollup Hyperlink HyperlinkAddress HyperlinkSubAddress Subject Category Keywords Comments Template HyperlinkBase DisplayOnTimeline`)
	because(whyServer, `CommitmentStart CommitmentFinish SubprojectName ExternalTaskProject EnterpriseCustomFields ResourceAssignmentGuid IsTeamAssignmentPool DefaultAssignmentOwner`)
	because(whyCustom, `OutlineCode ExtendedAttribute OutlineCodeID Text1 CustomFields`)
	because(whyLevel, `IgnoreResourceCalendar LevelingDelay`)
	because("the kind of a task is not part of the plan: durations are given, work is told", `TaskType`)
	because("materials are not part of the plan", `MaterialLabel`)
	because("availability over time is not held: the capacity is that of the whole plan", `AvailableFrom AvailableTo AvailableUnits`)
	return out
}

// blank are the values that say nothing: what a program writes of a thing that
// nobody has set.
var blank = map[string]bool{
	"": true, "0": true, "0.0": true, "0.00": true, "PT0H0M0S": true, "-1": true, "false": true, "NA": true,
}

// other passes over an element that is not held, and tells of it where it says
// something.
func (w *walker) other(name string) error {
	reason, known := notHeld[name]
	if known && reason == "" {
		return w.skip()
	}
	if !known {
		reason = whyUnknown
	}
	line, path := w.line(), strings.Join(w.path, "/")
	says, err := w.says()
	if err == nil && says {
		w.drops.add(path, reason, line, w.uid)
	}
	return err
}

// says passes over an element and reports whether it holds more than a blank.
func (w *walker) says() (bool, error) {
	depth := len(w.path)
	var text strings.Builder
	inner := false
	for {
		t, err := w.next()
		if err != nil {
			return false, err
		}
		switch t := t.(type) {
		case textToken:
			if text.Len() < 64 {
				text.Write(t[:min(len(t), 64)])
			}
		case startToken:
			if len(w.path) >= maxDepth {
				return false, w.fail(TooLarge, "elements are nested more than %d deep", maxDepth)
			}
			w.path = append(w.path, t.Name.Local)
			inner = true
		case endToken:
			w.path = w.path[:len(w.path)-1]
			if len(w.path) < depth {
				return inner || !blank[strings.TrimSpace(text.String())], nil
			}
		}
	}
}
