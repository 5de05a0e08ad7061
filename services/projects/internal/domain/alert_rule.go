package domain

import (
	"slices"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
)

// AlertKind is a kind of alert: what is looked at.
type AlertKind string

// The kinds of alerts; AlertKind of the proto documents them and their units.
const (
	TaskLate            AlertKind = "TASK_LATE"
	LineOverspent       AlertKind = "LINE_OVERSPENT"
	DeliverableOverdue  AlertKind = "DELIVERABLE_OVERDUE"
	MilestoneLate       AlertKind = "MILESTONE_LATE"
	DeadlineNear        AlertKind = "DEADLINE_NEAR"
	FloatLow            AlertKind = "FLOAT_LOW"
	SchedulePerformance AlertKind = "SCHEDULE_PERFORMANCE"
	CostPerformance     AlertKind = "COST_PERFORMANCE"
	BurnHigh            AlertKind = "BURN_HIGH"
	Underspend          AlertKind = "UNDERSPEND"
	ClaimAboveGrant     AlertKind = "CLAIM_ABOVE_GRANT"
	ReportDue           AlertKind = "REPORT_DUE"
	QualityFailed       AlertKind = "CHECK_FAILED"
	IssueOld            AlertKind = "ISSUE_OLD"
	EntryOverdue        AlertKind = "ENTRY_OVERDUE"
)

// Costs reports whether only the lead and the partner in charge may see alerts of
// the kind.
func (k AlertKind) Costs() bool {
	switch k {
	case LineOverspent, CostPerformance, BurnHigh, Underspend, ClaimAboveGrant:
		return true
	}
	return false
}

// Measured reports whether the kind is read off earned value, which is not
// computed at every change.
func (k AlertKind) Measured() bool {
	return k == SchedulePerformance || k == CostPerformance || k == BurnHigh
}

// low reports whether the kind opens below its threshold, and not above.
func (k AlertKind) low() bool {
	return k == SchedulePerformance || k == CostPerformance || k == FloatLow || k == Underspend
}

// Severity is how bad an alert is.
type Severity string

// The severities.
const (
	Notice   Severity = "NOTICE"
	Warning  Severity = "WARNING"
	Critical Severity = "CRITICAL"
)

// Recipient is who is told of an alert.
type Recipient string

// The recipients; AlertRecipient of the proto documents them.
const (
	LeadManager      Recipient = "LEAD_MANAGER"
	LeadAdmin        Recipient = "LEAD_ADMIN"
	PartnerPeople    Recipient = "PARTNER"
	PartnerAdmin     Recipient = "PARTNER_ADMIN"
	RegionalOperator Recipient = "REGIONAL_OPERATOR"
	NetworkOperator  Recipient = "NETWORK_OPERATOR"
)

// AlertRule says when an alert opens.
type AlertRule struct {
	ID            string        `json:"-"`
	Kind          AlertKind     `json:"kind"`
	Title         Text          `json:"title"`
	Disabled      bool          `json:"disabled,omitempty"`
	Severity      Severity      `json:"severity"`
	Threshold     int64         `json:"threshold"`
	Clear         *int64        `json:"clear,omitempty"` // nil: as the threshold
	Days          int32         `json:"days,omitempty"`
	Recipients    []Recipient   `json:"recipients"`
	EscalateAfter time.Duration `json:"escalateAfter,omitempty"`
	EscalateTo    []Recipient   `json:"escalateTo,omitempty"`
	Changes       []RuleChange  `json:"changes,omitempty"` // the last first
	Stamp
	// Level at which it was last changed: empty as shipped.
	Level RuleLevel `json:"-"`
}

// RuleLevel is a level that bends rules.
type RuleLevel string

// The levels.
const (
	RuleShipped   RuleLevel = "SHIPPED"
	RuleOfNetwork RuleLevel = "NETWORK"
	RuleOfProject RuleLevel = "PROJECT"
)

// RuleChange is one entry of a rule's trace.
type RuleChange struct {
	Time   time.Time `json:"time"`
	Actor  string    `json:"actor"`
	Reason string    `json:"reason"`
}

// Bounds of rules.
const (
	MostAlertRules = 100
	mostChanges    = 50
)

// shipped are the rules of an installation that changes none. Thresholds of
// performance are the customary ones of earned value practice: below 0.8 to 0.9
// a project rarely recovers by itself.
func shipped() []*AlertRule {
	at := func(n int64) *int64 { return &n }
	const day = 24 * time.Hour
	people := []Recipient{LeadManager, PartnerPeople}
	lead := []Recipient{LeadManager}
	above := []Recipient{LeadAdmin}
	rule := func(id string, kind AlertKind, severity Severity, italian, english string, threshold int64, clear *int64) *AlertRule {
		return &AlertRule{ID: id, Kind: kind, Severity: severity, Threshold: threshold, Clear: clear, Level: RuleShipped, Recipients: lead,
			Title: Text{Text: italian, Language: "it", Translations: map[string]string{"en": english}}}
	}
	escalating := func(r *AlertRule, after time.Duration, to ...Recipient) *AlertRule {
		r.EscalateAfter, r.EscalateTo = after, append(slices.Clone(above), to...)
		return r
	}
	partner := func(r *AlertRule) *AlertRule {
		r.Recipients = people
		return r
	}
	underspend := rule("underspend", Underspend, Warning, "Poco speso a fine progetto", "Little spent near the end", 7000, at(7500))
	underspend.Days = 90
	return []*AlertRule{
		rule("burn-high", BurnHigh, Warning, "Spesa oltre il piano", "Spending ahead of the plan", 12_000, at(11_000)),
		partner(rule("check-failed", QualityFailed, Warning, "Controllo di qualità fallito", "Quality check failed", 0, nil)),
		escalating(rule("claim-above-grant", ClaimAboveGrant, Critical, "Rendicontato oltre il contributo", "Claimed above the grant", 10_000, nil), 3*day),
		escalating(rule("cost-performance", CostPerformance, Critical, "Il lavoro costa più del previsto (CPI)", "Work costs more than planned (CPI)", 9000, at(9500)), 14*day, NetworkOperator),
		partner(rule("deadline-near", DeadlineNear, Notice, "Scadenza vicina", "Deadline near", 7, nil)),
		escalating(partner(rule("deliverable-overdue", DeliverableOverdue, Warning, "Prodotto in ritardo", "Deliverable overdue", 0, nil)), 14*day),
		partner(rule("entry-overdue", EntryOverdue, Warning, "Voce di registro scaduta", "Register entry overdue", 0, nil)),
		partner(rule("float-low", FloatLow, Warning, "Margine negativo", "Negative float", 0, nil)),
		escalating(partner(rule("issue-old", IssueOld, Warning, "Problema aperto da troppo tempo", "Issue open for too long", 30, nil)), 30*day),
		partner(rule("line-overspent", LineOverspent, Warning, "Voce di budget sforata", "Budget line overspent", 10_000, nil)),
		escalating(partner(rule("milestone-late", MilestoneLate, Critical, "Milestone mancata", "Milestone missed", 0, nil)), 7*day),
		escalating(rule("report-due", ReportDue, Warning, "Rendiconto in scadenza", "Report due", 30, nil), 23*day),
		escalating(rule("schedule-performance", SchedulePerformance, Critical, "Il lavoro è indietro sul piano (SPI)", "Work is behind the plan (SPI)", 8000, at(8500)), 14*day, NetworkOperator),
		partner(rule("task-late", TaskLate, Warning, "Attività in ritardo", "Task late", 0, nil)),
		underspend,
	}
}

// AlertRules are the rules that hold where the network and the project have changed
// some, in the order of ids.
func AlertRules(network, project []*AlertRule) []*AlertRule {
	byID := map[string]*AlertRule{}
	for _, level := range [][]*AlertRule{shipped(), network, project} {
		for _, r := range level {
			byID[r.ID] = r
		}
	}
	out := make([]*AlertRule, 0, len(byID))
	for _, r := range byID {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *AlertRule) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return out
}

// Set completes and checks a rule as people write it, and adds to its trace.
func (r *AlertRule) Set(actor, reason string, now time.Time) error {
	if r.Severity == "" {
		r.Severity = Warning
	}
	if len(r.Recipients) == 0 {
		r.Recipients = []Recipient{LeadManager, PartnerPeople}
	}
	if r.Kind == "" {
		return errs.InvalidField(FieldMissing, "alert_rule.kind", "must be given")
	}
	if err := r.Title.require("alert_rule.title"); err != nil {
		return err
	}
	if r.Threshold < 0 && r.Kind != FloatLow {
		return errs.InvalidField(AlertRuleWrong, "alert_rule.threshold", "must not be negative for this kind")
	}
	if r.Clear != nil && (r.Kind.low() && *r.Clear < r.Threshold || !r.Kind.low() && *r.Clear > r.Threshold) {
		return errs.InvalidField(AlertRuleWrong, "alert_rule.clear_threshold", "must lie beyond the threshold %d, on the good side of it", r.Threshold)
	}
	if (r.Kind == Underspend) != (r.Days > 0) {
		return errs.InvalidField(AlertRuleWrong, "alert_rule.days", "must be given for the kind UNDERSPEND, and for no other")
	}
	if (r.EscalateAfter > 0) != (len(r.EscalateTo) > 0) {
		return errs.InvalidField(AlertRuleWrong, "alert_rule.escalate_to", "and escalate_after go together")
	}
	r.Changes = append([]RuleChange{{Time: now, Actor: actor, Reason: reason}}, r.Changes...)
	r.Changes = r.Changes[:min(len(r.Changes), mostChanges)]
	return nil
}

// from is where an alert of the rule opens, or, where it is open, stays open: a
// measure that swings around the threshold must not make it flap.
func (r *AlertRule) from(open bool) int64 {
	if open && r.Clear != nil {
		return *r.Clear
	}
	return r.Threshold
}

// holds reports whether a measure is on the bad side.
func (r *AlertRule) holds(value int64, open bool) bool {
	if r.Kind.low() {
		return value < r.from(open)
	}
	return value > r.from(open)
}
