package domain

import (
	"fmt"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Project is a funded project: the aggregate whose version its events carry.
type Project struct {
	ID       string    `json:"-"`
	Lead     string    `json:"-"` // resource name of the lead partner
	Currency string    `json:"-"`
	Match    string    `json:"-"` // resource name; empty where no match opened it
	Phase    Phase     `json:"-"`
	Closed   time.Time `json:"-"`
	Template string    `json:"gateTemplate,omitempty"` // id of the one its gates were made from
	Outcome  string    `json:"outcome,omitempty"`      // empty while it is not closed
	// CancelledIn is the phase that a cancelled project was in.
	CancelledIn Phase `json:"cancelledIn,omitempty"`
	Stamp
	Card
}

// Card is what people write about a project.
type Card struct {
	Title        Text              `json:"title"`
	Acronym      string            `json:"acronym,omitempty"`
	CUP          string            `json:"cup,omitempty"`
	Start        civil.Date        `json:"-"`
	End          civil.Date        `json:"-"`
	Objectives   []Text            `json:"objectives,omitempty"`
	Territory    string            `json:"-"`
	Sectors      []string          `json:"sectors,omitempty"`
	Needs        []string          `json:"needs,omitempty"`
	Funders      []Funder          `json:"funders,omitempty"`
	Partners     []Partner         `json:"partners"`
	Team         []TeamMember      `json:"team,omitempty"`
	Stakeholders []Stakeholder     `json:"stakeholders,omitempty"`
	Attributes   map[string]string `json:"attributes,omitempty"`
	Periods      []Period          `json:"reportingPeriods,omitempty"`
	Charter      Charter           `json:"charter,omitzero"`
}

// Funder is one source of money.
type Funder struct {
	Key            string       `json:"key"`
	RuleSet        string       `json:"ruleSet,omitempty"`        // resource name
	RuleSetVersion int32        `json:"ruleSetVersion,omitempty"` // pinned; 0 without a rule set
	DisplayName    string       `json:"displayName"`
	Organisation   string       `json:"organisation,omitempty"`
	Programme      string       `json:"programme,omitempty"`
	Grant          money.Amount `json:"grant"`
	Share          int32        `json:"share"` // basis points of the total cost
	// EligibleFrom and EligibleTo bound the eligibility of costs; empty: as the
	// project.
	EligibleFrom        civil.Date `json:"eligibleFrom,omitempty"`
	EligibleTo          civil.Date `json:"eligibleTo,omitempty"`
	IndirectMethodology bool       `json:"indirectMethodology,omitempty"` // accepted by the funder
}

// What a partner states on the VAT of its purchases; empty: nothing.
const (
	VATRecovered    = "RECOVERABLE"
	VATNotRecovered = "NOT_RECOVERABLE"
)

// Partner is one organisation of the partnership.
type Partner struct {
	Organisation string `json:"organisation"`
	Lead         bool   `json:"lead,omitempty"`
	Share        int32  `json:"share,omitempty"` // basis points of the budget
	VAT          string `json:"vat,omitempty"`   // VATRecovered, VATNotRecovered or empty
}

// TeamMember is a person with a part in the project.
type TeamMember struct {
	Subject      string `json:"subject"`
	Role         string `json:"role"` // a TeamRole of the proto, without its prefix
	Organisation string `json:"organisation"`
}

// TeamManager is the role of the project manager in a team.
const TeamManager = "MANAGER"

// What says what has happened to a project.
type What string

// What happens to projects.
const (
	Opened       What = "opened"
	Updated      What = "updated"
	PhaseChanged What = "phase changed"
	WasClosed    What = "closed"
)

// Event is one thing that has happened to a project, at a version of it.
type Event struct {
	What     What
	Version  int64
	From, To Phase
}

// OpenProject opens a project in the initiation phase.
func OpenProject(id, lead, currency, match string, card Card, now time.Time) (*Project, Event, error) {
	p := &Project{ID: id, Lead: lead, Currency: currency, Match: match, Phase: Initiation, Stamp: NewStamp(now)}
	if lead == "" {
		return nil, Event{}, errs.InvalidField(FieldMissing, "project.organisation", "must name the lead partner")
	}
	if currency == "" {
		return nil, Event{}, errs.InvalidField(FieldMissing, "project.currency_code", "must be given, for example EUR")
	}
	if len(card.Partners) == 0 {
		card.Partners = []Partner{{Organisation: lead, Lead: true}}
	}
	card.nameKeys()
	if err := card.check(lead, currency); err != nil {
		return nil, Event{}, err
	}
	p.Card = card
	return p, Event{What: Opened, Version: p.Version, To: Initiation}, nil
}

// Name returns the resource name.
func (p *Project) Name() string { return ids.Name("projects", p.ID) }

// Writable returns the error for a change to a closed project.
func (p *Project) Writable() error {
	if p.Phase == Closed {
		return errs.New(errs.FailedPrecondition, ProjectClosed, "%s is closed: nothing but its lessons can change", p.Name()).With("resource", p.Name())
	}
	return nil
}

// HasPartner reports whether the organisation takes part, as lead or partner.
func (p *Project) HasPartner(organisation string) bool {
	for _, x := range p.Partners {
		if x.Organisation == organisation {
			return true
		}
	}
	return false
}

// RequirePartner returns an error where the organisation does not take part. An
// empty one passes.
func (p *Project) RequirePartner(path, organisation string) error {
	if organisation == "" || p.HasPartner(organisation) {
		return nil
	}
	return errs.InvalidField(NotAPartner, path, "%s is not a partner of the project", organisation)
}

// Use is what of the project's content hangs on the card.
type Use struct {
	Partners                    []string   // organisations named by lines, tasks or deliverables
	FirstDocument, LastDocument civil.Date // of recorded expenditures; empty without any
	// Who names a funder or a period, by key; and who holds a period fast, so that
	// it cannot even be changed.
	Funders, Periods, Reported map[string][]string
}

// Revise replaces the card.
func (p *Project) Revise(card Card, use Use, now time.Time) (Event, error) {
	if err := p.Writable(); err != nil {
		return Event{}, err
	}
	card.nameKeys()
	if err := first(card.check(p.Lead, p.Currency), p.keepKeys(&card, use)); err != nil {
		return Event{}, err
	}
	next := Project{Card: card}
	for _, organisation := range use.Partners {
		if !next.HasPartner(organisation) {
			return Event{}, errs.New(errs.FailedPrecondition, PartnerInUse,
				"%s has budget lines, tasks or deliverables in the project and cannot be removed", organisation).With("resource", organisation)
		}
	}
	if use.FirstDocument != "" && (use.FirstDocument < card.Start || use.LastDocument > card.End) {
		return Event{}, errs.New(errs.FailedPrecondition, ExpenditureOutsideDates,
			"expenditures are recorded from %s to %s, which would be outside the project's dates", use.FirstDocument, use.LastDocument)
	}
	p.Card = card
	p.Touch(now)
	return Event{What: Updated, Version: p.Version}, nil
}

func (c *Card) check(lead, currency string) error {
	if err := first(c.Title.require("project.title"),
		readDate("project.start_date", c.Start), readDate("project.end_date", c.End)); err != nil {
		return err
	}
	if c.End < c.Start {
		return errs.InvalidField(DatesWrong, "project.end_date", "must not be before start_date %s", c.Start)
	}
	if err := c.checkPartners(lead); err != nil {
		return err
	}
	if err := first(c.checkFunders(currency), c.checkPeriods()); err != nil {
		return err
	}
	if err := c.checkCharter(); err != nil {
		return err
	}
	p := Project{Card: *c}
	for i, m := range c.Team {
		if err := p.RequirePartner(fmt.Sprintf("project.team[%d].organisation", i), m.Organisation); err != nil {
			return err
		}
	}
	return nil
}

func (c *Card) checkPartners(lead string) error {
	seen := map[string]bool{}
	var shares int32
	leads := 0
	for i, x := range c.Partners {
		path := fmt.Sprintf("project.partners[%d]", i)
		if seen[x.Organisation] {
			return errs.InvalidField(PartnerDuplicate, path+".organisation", "%s is a partner already", x.Organisation)
		}
		seen[x.Organisation] = true
		if x.Lead {
			leads++
			if x.Organisation != lead {
				return errs.InvalidField(LeadPartner, path+".role", "the lead must be the project's organisation %s", lead)
			}
		}
		shares += x.Share
	}
	if leads != 1 {
		return errs.InvalidField(LeadPartner, "project.partners", "must have the lead %s exactly once, has %d", lead, leads)
	}
	if shares != 0 && shares != 10_000 {
		return errs.InvalidField(SharesWrong, "project.partners", "the shares sum to %d: give none, or 10,000 basis points together", shares)
	}
	return nil
}
