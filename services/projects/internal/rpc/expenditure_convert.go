package rpc

import (
	"context"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/platform/money"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

func expenditureProto(e *domain.Expenditure) *projectsv1.Expenditure {
	state := projectsv1.ExpenditureState_EXPENDITURE_STATE_RECORDED
	if e.Void {
		state = projectsv1.ExpenditureState_EXPENDITURE_STATE_VOIDED
	}
	out := &projectsv1.Expenditure{
		Name: e.Name(), Organisation: e.Organisation, BudgetLine: domain.LineName(e.Project, e.Line),
		Document: &projectsv1.Document{Issuer: e.Document.Issuer, IssuerId: e.Document.IssuerID, Number: e.Document.Number, Date: string(e.Document.Date),
			Net: optionalMoneyProto(e.Document.Net), Vat: optionalMoneyProto(e.Document.VAT), VatRecoverable: e.Document.VATRecoverable,
			Gross: moneyProto(e.Document.Gross)},
		Amount: moneyProto(e.Amount), AmountNote: e.AmountNote, Description: e.Description, State: state, VoidReason: e.VoidReason,
		RecordedBy: e.RecordedBy, Files: e.Files, UnitsE4: e.Units, Reported: moneyProto(e.Reported), Certified: moneyProto(e.Certified), Paid: moneyProto(e.Paid),
		ReportedDate: string(e.ReportedDate), CertifiedDate: string(e.CertifiedDate),
		CreateTime: timeProto(e.Created), UpdateTime: timeProto(e.Updated), Etag: platform.Etag(e.Version),
	}
	if x := e.Payment; x != nil {
		out.Payment = &projectsv1.Payment{Date: string(x.Date), Reference: x.Reference, Files: x.Files}
	}
	if x := e.Staff; x != nil {
		out.Staff = &projectsv1.StaffCost{Worker: x.Worker, HoursE2: x.HoursE2, AnnualCost: moneyProto(x.AnnualCost), HourlyRate: moneyProto(x.HourlyRate())}
	}
	return out
}

func costOf(m *projectsv1.Expenditure) domain.Cost {
	d := m.GetDocument()
	c := domain.Cost{
		Line: childID(m.GetBudgetLine()), Amount: moneyOf(m.GetAmount()), AmountNote: m.GetAmountNote(), Description: m.GetDescription(), Files: m.GetFiles(), Units: m.GetUnitsE4(),
		Document: domain.Document{Issuer: d.GetIssuer(), IssuerID: d.GetIssuerId(), Number: d.GetNumber(), Date: civil.Date(d.GetDate()),
			Net: optionalMoneyOf(d.GetNet()), VAT: optionalMoneyOf(d.GetVat()), VATRecoverable: d.GetVatRecoverable(), Gross: moneyOf(d.GetGross())},
	}
	if x := m.GetPayment(); x != nil {
		c.Payment = &domain.Payment{Date: civil.Date(x.GetDate()), Reference: x.GetReference(), Files: x.GetFiles()}
	}
	if x := m.GetStaff(); x != nil {
		c.Staff = &domain.StaffCost{Worker: x.GetWorker(), HoursE2: x.GetHoursE2(), AnnualCost: moneyOf(x.GetAnnualCost())}
	}
	return c
}

func optionalMoneyOf(m *typev1.Money) *money.Amount {
	if m == nil {
		return nil
	}
	a := moneyOf(m)
	return &a
}

func optionalMoneyProto(a *money.Amount) *typev1.Money {
	if a == nil {
		return nil
	}
	return moneyProto(*a)
}

// eventExpenditure is an expenditure as events carry it: without what may name a
// person, that is the document's issuer and number, the worker, their cost and
// all free text.
func eventExpenditure(e *domain.Expenditure) *projectsv1.Expenditure {
	out := expenditureProto(e)
	out.Document = &projectsv1.Document{Date: string(e.Document.Date)}
	out.Description, out.VoidReason, out.AmountNote = "", "", ""
	out.Staff, out.Payment, out.Files, out.RecordedBy = nil, nil, nil, ""
	return out
}

// mostPlaces is how many places a warning names.
const mostPlaces = 20

func warningProto(ctx context.Context, w domain.DocumentWarning) *projectsv1.DocumentWarning {
	out := &projectsv1.DocumentWarning{
		Kind: projectsv1.DocumentWarningKind_DOCUMENT_WARNING_KIND_OVER_TOTAL,
		Message: &typev1.LocalizedText{LanguageCode: "it", Text: "Lo stesso documento è registrato per più del suo totale",
			Translations: map[string]string{"en": "The same document is recorded for more than its total"}},
	}
	if w.OtherTotal {
		out.Kind = projectsv1.DocumentWarningKind_DOCUMENT_WARNING_KIND_OTHER_TOTAL
		out.Message = &typev1.LocalizedText{LanguageCode: "it", Text: "Un documento dello stesso emittente, numero e data è registrato con un altro totale",
			Translations: map[string]string{"en": "A document of the same issuer, number and date is recorded with another total"}}
	}
	if w.OtherIssuer {
		out.Kind = projectsv1.DocumentWarningKind_DOCUMENT_WARNING_KIND_OTHER_ISSUER
		out.Message = &typev1.LocalizedText{LanguageCode: "it", Text: "Un documento con lo stesso numero, data e totale è registrato con l'emittente scritto in altro modo",
			Translations: map[string]string{"en": "A document of the same number, date and total is recorded with its issuer written in another way"}}
	}
	for _, x := range w.Same {
		if !seesPlace(ctx, x) {
			out.Elsewhere = true
		} else if len(out.Expenditures) < mostPlaces {
			out.Expenditures = append(out.Expenditures, domain.ExpenditureName(x.Project, x.Expenditure))
		}
	}
	return out
}

// seesPlace reports whether the caller may see where else a document is: of
// their own costs, and in the projects that they lead.
func seesPlace(ctx context.Context, x domain.SameDocument) bool {
	return heldAs(ctx, partRoles...).Covers(x.Organisation) || heldAs(ctx, leadRoles...).Covers(x.Lead)
}
