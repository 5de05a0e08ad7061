package rules

import "github.com/trama-suite/trama/services/projects/internal/domain/civil"

// Date is a day of the calendar in ISO 8601 ("2026-01-31"), empty for none.
type Date = civil.Date

// Limits of an input: what is larger is refused before anything is evaluated.
const (
	MaxClaimLines  = 10_000
	MaxBudgetLines = 2_000
	MaxPartners    = 500
	MaxChoices     = 2_000
)

// Input is what a rule set looks at: plain facts, gathered by the caller.
// Amounts are in minor units of Project.Currency, rates and shares in basis
// points (10,000 is the whole).
type Input struct {
	// Project is the project whole.
	Project Project `yaml:"project"`
	// Funder is the funder whose rules are looked at, within this project.
	Funder Funder `yaml:"funder"`
	// Organisation is the body whose claim (or budget) is looked at.
	Organisation Organisation `yaml:"organisation"`
	// Budget holds all lines of the project's budget in which the funder has a
	// share, of every partner; at most MaxBudgetLines.
	Budget []BudgetLine `yaml:"budget"`
	// Claim is the claim; nil where only the project and its budget are looked at:
	// rules of the scopes claim and claim_line then do not apply.
	Claim *Claim `yaml:"claim"`
}

// Project is what rules see of a project.
type Project struct {
	// Name is the resource name, projects/{project}.
	Name string `yaml:"name"`
	// Start and End are its first and last day.
	Start Date `yaml:"start"`
	End   Date `yaml:"end"`
	// Currency is that of all amounts (ISO 4217).
	Currency string `yaml:"currency"`
	// Lead is the lead partner's resource name (capofila).
	Lead string `yaml:"lead"`
	// Partners are all partners with the lead; at most MaxPartners.
	Partners []Partner `yaml:"partners"`
}

// Partner is an organisation's part in the project.
type Partner struct {
	// Organisation is the resource name.
	Organisation string `yaml:"organisation"`
	// Kind is the legal kind of the body as the catalogue writes it, without its
	// prefix, for example SOCIAL_COOPERATIVE_A; empty when not known. A rule that
	// asks for it then is not evaluated.
	Kind string `yaml:"kind"`
	// Profit tells whether the body works for profit; nil when not known, as Kind.
	Profit *bool `yaml:"profit"`
}

// Funder is what rules see of a funder of the project.
type Funder struct {
	// Key is the funder's key in the project.
	Key string `yaml:"key"`
	// Title is its name for people.
	Title string `yaml:"title"`
	// Grant is the amount granted to the project; 0 when not known.
	Grant int64 `yaml:"grant"`
	// EligibleFrom and EligibleTo are the first and last day of eligibility of
	// costs (periodo di ammissibilità); empty means the project's own dates.
	EligibleFrom Date `yaml:"eligible_from"`
	EligibleTo   Date `yaml:"eligible_to"`
	// AdvancePaid is what was paid in advance (anticipo).
	AdvancePaid int64 `yaml:"advance_paid"`
	// InterimsPaid are the payments after the advance, in order of time.
	InterimsPaid []int64 `yaml:"interims_paid"`
	// IndirectMethodology tells that the funder accepted a calculation of indirect
	// costs by a fair, equitable and verifiable method, as Regulation (EU)
	// 2021/1060 art. 54 (c) asks for rates above 15 % of staff or 7 % of direct costs.
	IndirectMethodology bool `yaml:"indirect_methodology"`
}

// Organisation is what rules see of the body that claims.
type Organisation struct {
	// Name is the resource name, organisations/{organisation}.
	Name string `yaml:"name"`
	// Kind as in Partner.
	Kind string `yaml:"kind"`
	// Profit as in Partner.
	Profit *bool `yaml:"profit"`
	// VATRecoverable tells whether the body recovers the VAT on its purchases (IVA
	// detraibile) and so cannot claim it; nil when it has not stated it. A rule that
	// asks for it then is not evaluated.
	VATRecoverable *bool `yaml:"vat_recoverable"`
	// Choices are the ways of counting cost that the organisation has chosen in its
	// other projects under a rule set of the same programme; at most MaxChoices.
	Choices []Choice `yaml:"choices"`
}

// Choice is a way of counting the costs of a category that was chosen for a
// project (opzione di costo).
type Choice struct {
	// Project is the resource name.
	Project string `yaml:"project"`
	// Category is that of the budget line, for example TRAVEL.
	Category string `yaml:"category"`
	// Method is REAL, FLAT_RATE, UNIT_COST or LUMP_SUM.
	Method string `yaml:"method"`
}

// BudgetLine is what rules see of a budget line (voce di budget).
type BudgetLine struct {
	// Key names the line, best by its resource name; unique in the input.
	Key string `yaml:"key"`
	// Organisation is the partner whose cost it is.
	Organisation string `yaml:"organisation"`
	// Category is the cost category of the suite without its prefix: STAFF, OFFICE,
	// TRAVEL, EXTERNAL, EQUIPMENT, INFRASTRUCTURE or OTHER.
	Category string `yaml:"category"`
	// FunderCategory is the key of the rule set's own category; empty means the
	// first one that takes Category.
	FunderCategory string `yaml:"funder_category"`
	// Description is what the line is for.
	Description string `yaml:"description"`
	// WorkPackage is the task under which the cost falls; may be empty.
	WorkPackage string `yaml:"work_package"`
	// Method is REAL, FLAT_RATE, UNIT_COST or LUMP_SUM.
	Method string `yaml:"method"`
	// Rate of a flat rate, basis points.
	Rate int64 `yaml:"rate"`
	// Base of a flat rate: STAFF (of staff costs) or DIRECT (of the direct costs
	// that the method names).
	Base string `yaml:"base"`
	// Units and UnitPrice of a unit cost; the price in minor units.
	Units     int64 `yaml:"units"`
	UnitPrice int64 `yaml:"unit_price"`
	// Amount is the planned amount.
	Amount int64 `yaml:"amount"`
	// FunderShare is the funder's share of the line, basis points.
	FunderShare int64 `yaml:"funder_share"`
	// Reported is what earlier claims to this funder hold of it, cuts taken off.
	Reported int64 `yaml:"reported"`
	// Spent is what was booked on it, claimed or not.
	Spent int64 `yaml:"spent"`
}

// Claim is what rules see of a claim (rendicontazione).
type Claim struct {
	// Name is the resource name.
	Name string `yaml:"name"`
	// Number counts the partner's claims to this funder from 1.
	Number int64 `yaml:"number"`
	// Final tells that it is the last, for the balance (saldo).
	Final bool `yaml:"final"`
	// PeriodStart and PeriodEnd bound the reporting period.
	PeriodStart Date `yaml:"period_start"`
	PeriodEnd   Date `yaml:"period_end"`
	// Lines are those included in the claim; parked ones are left out. At most
	// MaxClaimLines.
	Lines []ClaimLine `yaml:"lines"`
}

// ClaimLine is one expenditure of a claim.
type ClaimLine struct {
	// Key names the line, best by the expenditure's resource name.
	Key string `yaml:"key"`
	// BudgetLine is the Key of the budget line it is booked on.
	BudgetLine string `yaml:"budget_line"`
	// Amount is what is claimed.
	Amount int64 `yaml:"amount"`
	// Net, VAT and Gross are those of the document.
	Net   int64 `yaml:"net"`
	VAT   int64 `yaml:"vat"`
	Gross int64 `yaml:"gross"`
	// VATRecoverable tells that the VAT of this document is recovered, whatever the
	// organisation does with others.
	VATRecoverable bool `yaml:"vat_recoverable"`
	// Issuer is the document's issuer, by VAT number where it has one.
	Issuer string `yaml:"issuer"`
	// Number is the document's number.
	Number string `yaml:"number"`
	// DocumentDate is the day of the document.
	DocumentDate Date `yaml:"document_date"`
	// PaymentDate is the day it was paid; empty while it is not.
	PaymentDate Date `yaml:"payment_date"`
	// Documents counts the files that prove the cost, payment proof left out.
	Documents int64 `yaml:"documents"`
	// PaymentProof tells that a file proves the payment (quietanza).
	PaymentProof bool `yaml:"payment_proof"`
	// Description is what was bought.
	Description string `yaml:"description"`
}
