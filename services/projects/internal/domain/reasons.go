// Package domain holds the rules of the projects service: cards and partners,
// phases and gates, the plan, the money, alerts and lessons. It has no clock, no
// SQL and no gRPC.
package domain

import "github.com/trama-suite/trama/services/platform/errs"

// Reasons of this service: the values of the ProjectsError enum, which documents
// them.
const (
	FieldMissing            errs.Reason = "FIELD_MISSING"
	DatesWrong              errs.Reason = "DATES_WRONG"
	LeadOnly                errs.Reason = "LEAD_ONLY"
	LeadPartner             errs.Reason = "LEAD_PARTNER"
	PartnerDuplicate        errs.Reason = "PARTNER_DUPLICATE"
	PartnerInUse            errs.Reason = "PARTNER_IN_USE"
	NotAPartner             errs.Reason = "NOT_A_PARTNER"
	SharesWrong             errs.Reason = "SHARES_WRONG"
	CurrencyMismatch        errs.Reason = "CURRENCY_MISMATCH"
	AmountWrong             errs.Reason = "AMOUNT_WRONG"
	ProjectClosed           errs.Reason = "PROJECT_CLOSED"
	GateNotReady            errs.Reason = "GATE_NOT_READY"
	GatePassed              errs.Reason = "GATE_PASSED"
	ApproverRole            errs.Reason = "APPROVER_ROLE"
	PhaseNotEarlier         errs.Reason = "PHASE_NOT_EARLIER"
	ArtefactUnknown         errs.Reason = "ARTEFACT_UNKNOWN"
	ArtefactExists          errs.Reason = "ARTEFACT_EXISTS"
	ArtefactComputed        errs.Reason = "ARTEFACT_COMPUTED"
	EvidenceMissing         errs.Reason = "EVIDENCE_MISSING"
	TemplateWrong           errs.Reason = "TEMPLATE_WRONG"
	TaskCycle               errs.Reason = "TASK_CYCLE"
	TaskUnknown             errs.Reason = "TASK_UNKNOWN"
	TaskInUse               errs.Reason = "TASK_IN_USE"
	SummaryTask             errs.Reason = "SUMMARY_TASK"
	ProgressWrong           errs.Reason = "PROGRESS_WRONG"
	ScheduleRange           errs.Reason = "SCHEDULE_RANGE"
	DeliverableState        errs.Reason = "DELIVERABLE_STATE"
	LineOfOtherPartner      errs.Reason = "LINE_OF_OTHER_PARTNER"
	LineInUse               errs.Reason = "LINE_IN_USE"
	ExpenditureOutsideDates errs.Reason = "EXPENDITURE_OUTSIDE_DATES"
	ExpenditureVoided       errs.Reason = "EXPENDITURE_VOIDED"
	ScoreWrong              errs.Reason = "SCORE_WRONG"
	MatchNotActive          errs.Reason = "MATCH_NOT_ACTIVE"
	FunderKeyWrong          errs.Reason = "FUNDER_KEY_WRONG"
	FunderInUse             errs.Reason = "FUNDER_IN_USE"
	PeriodWrong             errs.Reason = "PERIOD_WRONG"
	PeriodInUse             errs.Reason = "PERIOD_IN_USE"
	PeriodAmountsWrong      errs.Reason = "PERIOD_AMOUNTS_WRONG"
	CostMethodWrong         errs.Reason = "COST_METHOD_WRONG"
	FlatRateWrong           errs.Reason = "FLAT_RATE_WRONG"
	DeliverableInUse        errs.Reason = "DELIVERABLE_IN_USE"
	DocumentWrong           errs.Reason = "DOCUMENT_WRONG"
	IssuerIDWrong           errs.Reason = "ISSUER_ID_WRONG"
	StaffCostWrong          errs.Reason = "STAFF_COST_WRONG"
	ExpenditureClaimed      errs.Reason = "EXPENDITURE_CLAIMED"
	FileUnknown             errs.Reason = "FILE_UNKNOWN"
	BudgetLimit             errs.Reason = "BUDGET_LIMIT"
	FileEmpty               errs.Reason = "FILE_EMPTY"
	FileTypeRefused         errs.Reason = "FILE_TYPE_REFUSED"
	FileNameMismatch        errs.Reason = "FILE_NAME_MISMATCH"
	FileDamaged             errs.Reason = "FILE_DAMAGED"
	FileBomb                errs.Reason = "FILE_BOMB"
	FileInUse               errs.Reason = "FILE_IN_USE"
	CalendarWrong           errs.Reason = "CALENDAR_WRONG"
	CalendarUnknown         errs.Reason = "CALENDAR_UNKNOWN"
	CalendarInUse           errs.Reason = "CALENDAR_IN_USE"
	ResourceUnknown         errs.Reason = "RESOURCE_UNKNOWN"
	ResourceInUse           errs.Reason = "RESOURCE_IN_USE"
	BaselineUnknown         errs.Reason = "BASELINE_UNKNOWN"
	BaselinesFull           errs.Reason = "BASELINES_FULL"
	LinkWrong               errs.Reason = "LINK_WRONG"
	ConstraintWrong         errs.Reason = "CONSTRAINT_WRONG"
	TimeZoneUnknown         errs.Reason = "TIME_ZONE_UNKNOWN"
	LevelImpossible         errs.Reason = "LEVEL_IMPOSSIBLE"
	PlanFileWrong           errs.Reason = "PLAN_FILE_WRONG"
	PlanFileTooLarge        errs.Reason = "PLAN_FILE_TOO_LARGE"
	PlanNotEmpty            errs.Reason = "PLAN_NOT_EMPTY"
	PlanFull                errs.Reason = "PLAN_FULL"
	RuleSetWrong            errs.Reason = "RULE_SET_WRONG"
	RuleSetShipped          errs.Reason = "RULE_SET_SHIPPED"
	RuleSetVersionWrong     errs.Reason = "RULE_SET_VERSION_WRONG"
	RuleSetDatesOverlap     errs.Reason = "RULE_SET_DATES_OVERLAP"
	RuleSetNotInForce       errs.Reason = "RULE_SET_NOT_IN_FORCE"
	ClaimState              errs.Reason = "CLAIM_STATE"
	ClaimBlocked            errs.Reason = "CLAIM_BLOCKED"
	DoubleFunding           errs.Reason = "DOUBLE_FUNDING"
	FourEyes                errs.Reason = "FOUR_EYES"
	ExpenditureUnavailable  errs.Reason = "EXPENDITURE_UNAVAILABLE"
	ClaimTooLarge           errs.Reason = "CLAIM_TOO_LARGE"
	LineComputed            errs.Reason = "LINE_COMPUTED"
	PaymentTooLarge         errs.Reason = "PAYMENT_TOO_LARGE"
	TableWrong              errs.Reason = "TABLE_WRONG"
	MappingWrong            errs.Reason = "MAPPING_WRONG"
	AlertClosed             errs.Reason = "ALERT_CLOSED"
	AlertAcknowledged       errs.Reason = "ALERT_ACKNOWLEDGED"
	AlertRuleWrong          errs.Reason = "ALERT_RULE_WRONG"
	StreamTokenOld          errs.Reason = "STREAM_TOKEN_OLD"
	CurveTooLong            errs.Reason = "CURVE_TOO_LONG"
	EntryState              errs.Reason = "ENTRY_STATE"
	EntryFrozen             errs.Reason = "ENTRY_FROZEN"
	EntryExists             errs.Reason = "ENTRY_EXISTS"
	ResponsibilityWrong     errs.Reason = "RESPONSIBILITY_WRONG"
	SelfChecked             errs.Reason = "SELF_CHECK"
	ChecksOpen              errs.Reason = "CHECKS_OPEN"
	RequestPending          errs.Reason = "REQUEST_PENDING"
	ArtefactNotConfirmed    errs.Reason = "ARTEFACT_NOT_CONFIRMED"
	ProjectNotClosed        errs.Reason = "PROJECT_NOT_CLOSED"
	TemplateInUse           errs.Reason = "TEMPLATE_IN_USE"
	NeedUnknown             errs.Reason = "NEED_UNKNOWN"
	FunderCategoryWrong     errs.Reason = "FUNDER_CATEGORY_WRONG"
	BudgetBlocked           errs.Reason = "BUDGET_BLOCKED"
)

// Reasons lists them all, for the test that holds them against the proto.
var Reasons = []errs.Reason{
	FieldMissing, DatesWrong, LeadOnly, LeadPartner, PartnerDuplicate, PartnerInUse, NotAPartner, SharesWrong,
	CurrencyMismatch, AmountWrong, ProjectClosed, GateNotReady, GatePassed, ApproverRole, PhaseNotEarlier,
	ArtefactUnknown, ArtefactExists, ArtefactComputed, EvidenceMissing, TemplateWrong, TaskCycle, TaskUnknown,
	TaskInUse, SummaryTask, ProgressWrong, ScheduleRange, DeliverableState, LineOfOtherPartner, LineInUse,
	ExpenditureOutsideDates, ExpenditureVoided, ScoreWrong, MatchNotActive,
	FunderKeyWrong, FunderInUse, PeriodWrong, PeriodInUse, PeriodAmountsWrong, CostMethodWrong, FlatRateWrong, DeliverableInUse, BudgetLimit,
	TableWrong, MappingWrong,
	DocumentWrong, IssuerIDWrong, StaffCostWrong, ExpenditureClaimed, FileUnknown,
	FileEmpty, FileTypeRefused, FileNameMismatch, FileDamaged, FileBomb, FileInUse,
	CalendarWrong, CalendarUnknown, CalendarInUse, ResourceUnknown, ResourceInUse, BaselineUnknown, BaselinesFull, LinkWrong,
	ConstraintWrong, TimeZoneUnknown, LevelImpossible, PlanFileWrong, PlanFileTooLarge, PlanNotEmpty, PlanFull,
	RuleSetWrong, RuleSetShipped, RuleSetVersionWrong, RuleSetDatesOverlap, RuleSetNotInForce,
	ClaimState, ClaimBlocked, DoubleFunding, FourEyes, ExpenditureUnavailable, ClaimTooLarge, LineComputed, PaymentTooLarge,
	AlertClosed, AlertAcknowledged, AlertRuleWrong, StreamTokenOld, CurveTooLong,
	EntryState, EntryFrozen, EntryExists, ResponsibilityWrong, SelfChecked, ChecksOpen, RequestPending, ArtefactNotConfirmed, ProjectNotClosed, TemplateInUse, NeedUnknown,
	FunderCategoryWrong, BudgetBlocked,
}
