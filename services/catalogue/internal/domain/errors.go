package domain

import "github.com/trama-suite/trama/services/platform/errs"

// The catalogue's own reasons. They are the values of the proto enum
// CatalogueError without its prefix; a test holds the two together.
const (
	CheckDigitWrong       errs.Reason = "CHECK_DIGIT_WRONG"
	IdentifierShapeWrong  errs.Reason = "IDENTIFIER_SHAPE_WRONG"
	IdentifierTaken       errs.Reason = "IDENTIFIER_TAKEN"
	IdentifierRepeated    errs.Reason = "IDENTIFIER_REPEATED"
	ParentCycle           errs.Reason = "PARENT_CYCLE"
	TerritoryInconsistent errs.Reason = "TERRITORY_INCONSISTENT"
	TermNotInForce        errs.Reason = "TERM_NOT_IN_FORCE"
	WrongState            errs.Reason = "WRONG_STATE"
	RoleNotOfOrganisation errs.Reason = "ROLE_NOT_OF_ORGANISATION"
	LastAdmin             errs.Reason = "LAST_ADMIN"
	TooManyMemberships    errs.Reason = "TOO_MANY_MEMBERSHIPS"
	DateWrong             errs.Reason = "DATE_WRONG"
	TextWrong             errs.Reason = "TEXT_WRONG"

	ImportHeaderWrong      errs.Reason = "IMPORT_HEADER_WRONG"
	ImportTooManyLines     errs.Reason = "IMPORT_TOO_MANY_LINES"
	LineBroken             errs.Reason = "LINE_BROKEN"
	CellTooLong            errs.Reason = "CELL_TOO_LONG"
	EncodingBroken         errs.Reason = "ENCODING_BROKEN"
	ValueMissing           errs.Reason = "VALUE_MISSING"
	ValueUnknown           errs.Reason = "VALUE_UNKNOWN"
	LineRepeated           errs.Reason = "LINE_REPEATED"
	OrganisationIsArchived errs.Reason = "ORGANISATION_ARCHIVED"
	ZerosRestored          errs.Reason = "ZEROS_RESTORED"
	ValueTidied            errs.Reason = "VALUE_TIDIED"
)

// Reasons lists all of the above.
var Reasons = []errs.Reason{
	CheckDigitWrong, IdentifierShapeWrong, IdentifierTaken, IdentifierRepeated, ParentCycle,
	TerritoryInconsistent, TermNotInForce, WrongState, RoleNotOfOrganisation,
	LastAdmin, TooManyMemberships, DateWrong, TextWrong,
	ImportHeaderWrong, ImportTooManyLines, LineBroken, CellTooLong, EncodingBroken, ValueMissing,
	ValueUnknown, LineRepeated, OrganisationIsArchived, ZerosRestored, ValueTidied,
	EntryInvalid, EntryIncomplete, IdeaStageIllegal, IdeaProjectRequired, IdeaServiceRequired,
	SearchTooLong, SearchTooDeep, SearchNotReady,
}
