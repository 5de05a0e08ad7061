package domain

import (
	"slices"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/money"
)

// States of a purchase.
const (
	PurchasePlanned   = "PLANNED"
	PurchaseLaunched  = "LAUNCHED"
	PurchaseAwarded   = "AWARDED"
	PurchaseDelivered = "DELIVERED"
	PurchaseClosed    = "CLOSED"
	PurchaseCancelled = "CANCELLED"
)

// Procurements is the procurement plan.
var Procurements = &Register{
	Collection: "procurements", Field: "procurement", Initial: PurchasePlanned,
	Steps: map[string][]string{
		PurchasePlanned:   {PurchaseLaunched, PurchaseCancelled},
		PurchaseLaunched:  {PurchaseAwarded, PurchasePlanned, PurchaseCancelled},
		PurchaseAwarded:   {PurchaseDelivered},
		PurchaseDelivered: {PurchaseClosed},
	},
	Settled: []string{PurchaseClosed, PurchaseCancelled}, Frozen: []string{PurchaseClosed, PurchaseCancelled}, Shared: true,
}

// Procurement is one purchase; Due is when its next step is planned.
type Procurement struct {
	Entry
	Title       Text         `json:"title"`
	Description string       `json:"description,omitempty"`
	Procedure   string       `json:"procedure"`
	Estimated   money.Amount `json:"estimated"`
	Line        string       `json:"line,omitempty"` // id
	Supplier    string       `json:"supplier,omitempty"`
	Contract    string       `json:"contract,omitempty"`
	Agreed      money.Amount `json:"agreed,omitzero"` // no currency: none
}

// Register returns the procurement plan.
func (*Procurement) Register() *Register { return Procurements }

// Mentions returns the task it is for and the line that pays.
func (x *Procurement) Mentions() []Mention {
	return slices.Concat(named("procurement.task", x.Project, "tasks", x.Task), named("procurement.budget_line", x.Project, "budgetLines", x.Line))
}

func (x *Procurement) check(p *Project) error {
	if err := first(x.Title.require("procurement.title"), checkAmount("procurement.estimated_amount", x.Estimated, p.Currency, 0),
		optionalDate("procurement.planned_date", x.Due)); err != nil {
		return err
	}
	if x.Procedure == "" {
		return errs.InvalidField(FieldMissing, "procurement.procedure", "must be given")
	}
	if x.State == PurchasePlanned && x.Due == "" {
		return errs.InvalidField(FieldMissing, "procurement.planned_date", "must be given while it is planned")
	}
	if x.Agreed.Currency != "" {
		if err := checkAmount("procurement.contract_amount", x.Agreed, p.Currency, 0); err != nil {
			return err
		}
	}
	if slices.Contains([]string{PurchaseAwarded, PurchaseDelivered}, x.State) {
		return x.awarded()
	}
	return nil
}

// awarded says what an awarded purchase lacks.
func (x *Procurement) awarded() error {
	return first(wants(x.Supplier == "", "procurement.supplier", PurchaseAwarded), wants(blank(x.Contract), "procurement.contract_reference", PurchaseAwarded),
		wants(x.Agreed.Currency == "", "procurement.contract_amount", PurchaseAwarded))
}

func (x *Procurement) enter(to, note string) error {
	switch to {
	case PurchaseAwarded:
		return x.awarded()
	case PurchasePlanned:
		return wants(x.Due == "", "procurement.planned_date", to)
	case PurchaseCancelled:
		return wants(blank(note), "note", to)
	default:
		return nil
	}
}
