package claims

import (
	"fmt"
	"slices"

	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
)

// Subject is a line of a claim with what the service's own rules look at.
type Subject struct {
	Line        *Line
	Expenditure *domain.Expenditure // nil where the line is computed
	Held        int64               // by other claims to the same funder
	Standing    int64               // reported to the same funder by other claims that stand
	ClaimedAll  int64               // reported of the document in the whole network
}

// Circumstances are what else the service's own rules look at.
type Circumstances struct {
	Lines     map[string]*domain.Line          // budget lines of the partner, by id
	Reported  map[string]int64                 // by budget line, in other claims to the funder that stand
	Completed map[string]bool                  // deliverables that were accepted and tasks that are done, by id
	Others    map[string][]domain.SameDocument // by expenditure: documents alike but for their total
	Issuers   map[string][]domain.SameDocument // by expenditure: documents alike but for their issuer
	Funded    map[string]int64                 // by expenditure: what funders owe for it by other claims that stand
	GrantUsed int64
}

// Check holds a claim in preparation against the service's own rules. The order
// of the findings is that of the lines. It refreshes the lines' budget line,
// category and share.
func (c *Claim) Check(p *domain.Project, subjects []*Subject, x Circumstances) ([]Finding, error) {
	var out []Finding
	if len(subjects) == 0 {
		out = append(out, Finding{Rule: RuleEmpty, Block: true, Italian: "La rendicontazione è vuota", English: "The claim has no lines"})
	}
	claimed := map[string]int64{}
	var owed int64
	for _, s := range subjects {
		if s.Expenditure != nil {
			s.Line.BudgetLine = s.Expenditure.Line
		}
		b := x.Lines[s.Line.BudgetLine]
		if b == nil {
			return nil, fmt.Errorf("claims: %s is on a line that the partner does not have", LineName(c.Project, c.ID, s.Line.ID))
		}
		s.Line.Category, s.Line.Share = b.Category, shareOf(b.Funding(p).Shares, c.Funder)
		part, err := s.Line.Owed()
		if err != nil {
			return nil, err
		}
		out = append(out, c.checkLine(s, b, x)...)
		if s.Expenditure != nil {
			out = append(out, c.checkFunded(s, part, x)...)
		}
		if claimed[b.ID], err = funding.Add(claimed[b.ID], s.Line.Claimed); err != nil {
			return nil, err
		}
		if owed, err = funding.Add(owed, part); err != nil {
			return nil, err
		}
	}
	out = append(out, c.checkDocuments(subjects)...)
	out = append(out, c.checkBudget(claimed, x)...)
	grant := funder(p, c.Funder).Grant.Minor
	if left := max(grant-x.GrantUsed, 0); grant > 0 && owed > left {
		out = append(out, Finding{Rule: RuleOverGrant, Amount: &owed, Limit: &left,
			Italian: fmt.Sprintf("La quota del finanziatore è %s, ma del contributo restano %s", euros(owed), euros(left)),
			English: fmt.Sprintf("The funder's share is %s, but %s are left of its grant", euros(owed), euros(left))})
	}
	return out, nil
}

func shareOf(shares []funding.Share, fund string) int32 {
	for _, s := range shares {
		if s.Fund == fund {
			return s.BasisPoints
		}
	}
	return 0
}

func (c *Claim) checkLine(s *Subject, b *domain.Line, x Circumstances) []Finding {
	name := LineName(c.Project, c.ID, s.Line.ID)
	var out []Finding
	if s.Line.Share == 0 {
		out = append(out, Finding{Rule: RuleNoShare, Resource: name, Italian: "Il finanziatore non ha quote di questa voce di budget", English: "The funder has no share of this budget line"})
	}
	if s.Expenditure == nil {
		return out
	}
	if s.Expenditure.Void || b.Method == domain.FlatRate || s.Line.Claimed > s.Expenditure.Claimable()-s.Held {
		limit := int64(0)
		if !s.Expenditure.Void && b.Method != domain.FlatRate {
			limit = max(s.Expenditure.Claimable()-s.Held, 0)
		}
		amount := s.Line.Claimed
		out = append(out, Finding{Rule: RuleUnavailable, Block: true, Resource: name, Amount: &amount, Limit: &limit,
			Italian: fmt.Sprintf("Della spesa si possono ancora rendicontare %s, non %s", euros(limit), euros(amount)),
			English: fmt.Sprintf("Of the expenditure %s can still be claimed, not %s", euros(limit), euros(amount))})
	}
	if b.Method == domain.LumpSum {
		of := b.Deliverable
		if of == "" {
			of = b.WorkPackage
		}
		if !x.Completed[of] {
			out = append(out, Finding{Rule: RuleIncomplete, Block: true, Resource: name, Source: "Regulation (EU) 2021/1060, art. 53(1)(c)",
				Italian: "La somma forfettaria spetta solo a prodotto accettato o a pacchetto di lavoro completo",
				English: "A lump sum is due only once its deliverable is accepted or its work package complete"})
		}
	}
	if others := x.Others[s.Expenditure.ID]; len(others) > 0 {
		out = append(out, Finding{Rule: RuleOtherTotal, Resource: name, Places: others,
			Italian: "Un documento dello stesso emittente, numero e data è registrato con un altro totale",
			English: "A document of the same issuer, number and date is recorded with another total"})
	}
	if issuers := x.Issuers[s.Expenditure.ID]; len(issuers) > 0 {
		out = append(out, Finding{Rule: RuleOtherIssuer, Resource: name, Places: issuers,
			Italian: "Un documento con lo stesso numero, data e totale è registrato con l'emittente scritto in altro modo",
			English: "A document of the same number, date and total is recorded with its issuer written in another way"})
	}
	return out
}

// checkFunded finds a cost for which its funders together would owe more than
// all of it. Shares of one budget line never do, but they may have changed since
// another funder was shown the cost.
func (c *Claim) checkFunded(s *Subject, part int64, x Circumstances) []Finding {
	after, limit := x.Funded[s.Expenditure.ID]+part, s.Expenditure.Claimable()
	if after <= limit {
		return nil
	}
	return []Finding{{Rule: RuleOverFunded, Block: true, Resource: LineName(c.Project, c.ID, s.Line.ID), Amount: &after, Limit: &limit,
		Source:  "Regulation (EU, Euratom) 2018/1046, art. 191(3)",
		Italian: fmt.Sprintf("Per la spesa di %s i finanziatori dovrebbero insieme %s", euros(limit), euros(after)),
		English: fmt.Sprintf("For the cost of %s its funders would owe %s together", euros(limit), euros(after)),
	}}
}

// checkDocuments finds the documents of which, with this claim, more than the
// total would be claimed in the whole network. Of an expenditure that several
// funders are shown the most that one is shown counts.
func (c *Claim) checkDocuments(subjects []*Subject) []Finding {
	type document struct {
		total, after int64
		lines        []*Line
	}
	seen := map[string]*document{}
	var keys []string
	for _, s := range subjects {
		if s.Expenditure == nil {
			continue
		}
		key := s.Expenditure.Identity().Key()
		if key == "" {
			continue
		}
		d := seen[key]
		if d == nil {
			d = &document{total: s.Expenditure.Document.Gross.Minor, after: s.ClaimedAll}
			seen[key] = d
			keys = append(keys, key)
		}
		d.after += max(s.Standing+s.Line.Claimed-s.Expenditure.Reported.Minor, 0)
		d.lines = append(d.lines, s.Line)
	}
	var out []Finding
	for _, key := range keys {
		d := seen[key]
		if d.after <= d.total {
			continue
		}
		for _, l := range d.lines {
			after, total := d.after, d.total
			out = append(out, Finding{Rule: RuleDoubleFunding, Block: true, Resource: LineName(c.Project, c.ID, l.ID), Amount: &after, Limit: &total,
				Places:  []domain.SameDocument{{Key: key}},
				Source:  "Regulation (EU, Euratom) 2018/1046, art. 191(3)",
				Italian: fmt.Sprintf("Doppio finanziamento: del documento di %s sarebbero rendicontati %s", euros(total), euros(after)),
				English: fmt.Sprintf("Double funding: of the document of %s, %s would be claimed", euros(total), euros(after)),
			})
		}
	}
	return out
}

// checkBudget warns of lines of which more is claimed than planned: that is seen,
// and not lost.
func (c *Claim) checkBudget(claimed map[string]int64, x Circumstances) []Finding {
	ids := make([]string, 0, len(claimed))
	for id := range claimed {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var out []Finding
	for _, id := range ids {
		b := x.Lines[id]
		after, err := funding.Add(claimed[id], x.Reported[id])
		if limit := b.Amount.Minor; err == nil && after > limit {
			out = append(out, Finding{Rule: RuleOverspent, Resource: b.Name(), Amount: &after, Limit: &limit,
				Italian: fmt.Sprintf("Con questa rendicontazione la voce di %s arriva a %s", euros(limit), euros(after)),
				English: fmt.Sprintf("With this claim the line of %s comes to %s", euros(limit), euros(after))})
		}
	}
	return out
}

// euros writes minor units with two decimals, for people.
func euros(minor int64) string { return fmt.Sprintf("%d.%02d", minor/100, minor%100) }
