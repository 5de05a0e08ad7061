package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/claims"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// mutation is a request that changes a claim.
type mutation interface {
	proto.Message
	claimRequest
}

// changeClaim runs one step of a claim in a transaction of its own.
func (s *Server) changeClaim(ctx context.Context, req mutation, may right,
	step func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, v *store.ClaimView) (claims.Event, error)) (*projectsv1.Claim, error) {
	project, id, err := claimOf(req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Claim, error) {
		p, v, err := lockClaim(ctx, tx, project, id, req.GetName(), req.GetEtag(), may)
		if err != nil {
			return nil, err
		}
		was := v.Version
		event, err := step(ctx, tx, p, v)
		if err != nil {
			return nil, err
		}
		if err := store.SaveClaim(ctx, tx, v.Claim, was); err != nil {
			return nil, err
		}
		store.AddClaimEvent(tx, v.Claim, event)
		return claimProto(v), s.follow(ctx, tx, p, v, event)
	})
}

// follow brings in step what follows from a claim's state, and tells of it.
func (s *Server) follow(ctx context.Context, tx *sqldb.Tx, p *domain.Project, v *store.ClaimView, event claims.Event) error {
	var told proto.Message
	switch event.What {
	case "SUBMITTED":
		told = &projectsv1.ClaimSubmitted{Claim: eventClaim(v), Project: p.Name()}
	case "RETURNED":
		told = &projectsv1.ClaimReturned{Claim: eventClaim(v), Project: p.Name()}
	case "CERTIFIED":
		told = &projectsv1.ClaimCertified{Claim: eventClaim(v), Project: p.Name()}
	case "PAID":
		told = &projectsv1.ClaimPaid{Claim: eventClaim(v), Project: p.Name()}
	case "WITHDRAWN":
	default:
		return nil
	}
	if err := store.LockDocuments(ctx, tx, v.Claim); err != nil {
		return err
	}
	if err := store.SettleReported(ctx, tx, v.Claim, s.today()); err != nil {
		return err
	}
	if err := store.SettleDocuments(ctx, tx, v.Claim); err != nil {
		return err
	}
	showClaimFiles(tx, v.Claim)
	if told != nil {
		if err := s.emit(ctx, tx, v.Name(), v.Version, v.Organisation, "", v.Updated, told); err != nil {
			return err
		}
	}
	return s.refresh(ctx, tx, p)
}

// StartClaimControl takes a claim in hand.
func (s *Server) StartClaimControl(ctx context.Context, req *projectsv1.StartClaimControlRequest) (*projectsv1.Claim, error) {
	return s.changeClaim(ctx, req, controls, func(ctx context.Context, _ *sqldb.Tx, _ *domain.Project, v *store.ClaimView) (claims.Event, error) {
		return v.StartControl(actor(ctx), s.now())
	})
}

// CertifyClaim certifies what is accepted.
func (s *Server) CertifyClaim(ctx context.Context, req *projectsv1.CertifyClaimRequest) (*projectsv1.Claim, error) {
	return s.changeClaim(ctx, req, controls, func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, v *store.ClaimView) (claims.Event, error) {
		lines, err := store.AllClaimLines(ctx, tx, v.ID)
		if err != nil {
			return claims.Event{}, err
		}
		used, err := store.GrantUsed(ctx, tx, v.Claim)
		if err != nil {
			return claims.Event{}, err
		}
		left := int64(-1)
		for _, f := range p.Funders {
			if f.Key == v.Funder && f.Grant.Minor > 0 {
				left = max(f.Grant.Minor-used, 0)
			}
		}
		event, err := v.Certify(lines, left, actor(ctx), s.now())
		saveLines(tx, lines, err)
		return event, err
	})
}

func saveLines(tx *sqldb.Tx, lines []*claims.Line, err error) {
	if err != nil {
		return
	}
	for _, l := range lines {
		store.SaveClaimLine(tx, l)
	}
}

// RecordClaimPayment records a payment.
func (s *Server) RecordClaimPayment(ctx context.Context, req *projectsv1.RecordClaimPaymentRequest) (*projectsv1.Claim, error) {
	return s.changeClaim(ctx, req, controls, func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, v *store.ClaimView) (claims.Event, error) {
		m := req.GetPayment()
		for _, x := range []struct {
			path, currency string
			given          bool
		}{{"payment.amount", m.GetAmount().GetCurrencyCode(), true}, {"payment.withheld", m.GetWithheld().GetCurrencyCode(), m.GetWithheld() != nil}} {
			if x.given && x.currency != p.Currency {
				return claims.Event{}, errs.InvalidField(domain.CurrencyMismatch, x.path, "is in %q, but the project's currency is %s", x.currency, p.Currency)
			}
		}
		lines, err := store.AllClaimLines(ctx, tx, v.ID)
		if err != nil {
			return claims.Event{}, err
		}
		event, err := v.Pay(lines, claims.Payment{
			Kind:   claims.PaymentKind(word(projectsv1.ClaimPaymentKind_name, "CLAIM_PAYMENT_KIND_", m.GetKind())),
			Amount: m.GetAmount().GetMinorUnits(), Withheld: m.GetWithheld().GetMinorUnits(), Date: civil.Date(m.GetDate()),
			Reference: m.GetReference(), RecordedBy: actor(ctx),
		}, s.today(), s.now())
		saveLines(tx, lines, err)
		return event, err
	})
}

// ReturnClaim sends a claim back.
func (s *Server) ReturnClaim(ctx context.Context, req *projectsv1.ReturnClaimRequest) (*projectsv1.Claim, error) {
	return s.changeClaim(ctx, req, returns, func(ctx context.Context, tx *sqldb.Tx, _ *domain.Project, v *store.ClaimView) (claims.Event, error) {
		lines, err := store.AllClaimLines(ctx, tx, v.ID)
		if err != nil {
			return claims.Event{}, err
		}
		event, err := v.Return(lines, req.GetReason(), actor(ctx), s.now())
		saveLines(tx, lines, err)
		return event, err
	})
}

// WithdrawClaim takes a claim back for good.
func (s *Server) WithdrawClaim(ctx context.Context, req *projectsv1.WithdrawClaimRequest) (*projectsv1.Claim, error) {
	return s.changeClaim(ctx, req, prepares, func(ctx context.Context, tx *sqldb.Tx, _ *domain.Project, v *store.ClaimView) (claims.Event, error) {
		lines, err := store.AllClaimLines(ctx, tx, v.ID)
		if err != nil {
			return claims.Event{}, err
		}
		event, err := v.Withdraw(req.GetReason(), actor(ctx), s.now())
		if err != nil {
			return event, err
		}
		return event, letGo(ctx, tx, lines)
	})
}

// CorrectClaimLine cuts an amount off a line.
func (s *Server) CorrectClaimLine(ctx context.Context, req *projectsv1.CorrectClaimLineRequest) (*projectsv1.ClaimLine, error) {
	return s.decideLine(ctx, req, func(ctx context.Context, c *claims.Claim, l *claims.Line) (claims.Event, error) {
		if m := req.GetCut(); m.GetCurrencyCode() != c.Currency {
			return claims.Event{}, errs.InvalidField(domain.CurrencyMismatch, "cut", "is in %q, but the project's currency is %s", m.GetCurrencyCode(), c.Currency)
		}
		return c.Correct(l, req.GetCut().GetMinorUnits(), req.GetReason(), actor(ctx), s.now())
	})
}

// ParkClaimLine sets a line aside.
func (s *Server) ParkClaimLine(ctx context.Context, req *projectsv1.ParkClaimLineRequest) (*projectsv1.ClaimLine, error) {
	return s.decideLine(ctx, req, func(ctx context.Context, c *claims.Claim, l *claims.Line) (claims.Event, error) {
		return c.Park(l, req.GetReason(), actor(ctx), s.now())
	})
}

// AcceptClaimLine accepts a line as it was claimed.
func (s *Server) AcceptClaimLine(ctx context.Context, req *projectsv1.AcceptClaimLineRequest) (*projectsv1.ClaimLine, error) {
	return s.decideLine(ctx, req, func(ctx context.Context, c *claims.Claim, l *claims.Line) (claims.Event, error) {
		return c.Accept(l, actor(ctx), s.now())
	})
}

// decideLine is one decision about a line. The flat rates follow.
func (s *Server) decideLine(ctx context.Context, req mutation, decide func(ctx context.Context, c *claims.Claim, l *claims.Line) (claims.Event, error)) (*projectsv1.ClaimLine, error) {
	project, claim, id, err := claimLineOf(req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ClaimLine, error) {
		p, v, err := lockClaim(ctx, tx, project, claim, req.GetName(), req.GetEtag(), controls)
		if err != nil {
			return nil, err
		}
		l, err := store.ClaimLine(ctx, tx, project, claim, id)
		if err != nil {
			return nil, err
		}
		was := v.Version
		event, err := decide(ctx, v.Claim, l)
		if err != nil {
			return nil, err
		}
		store.SaveClaimLine(tx, l)
		if err := s.recomputeFlat(ctx, tx, p, v.Claim); err != nil {
			return nil, err
		}
		if err := store.SaveClaim(ctx, tx, v.Claim, was); err != nil {
			return nil, err
		}
		store.AddClaimEvent(tx, v.Claim, event)
		return claimLineProto(v.Claim)(l), nil
	})
}

// recomputeFlat brings the flat rates of a claim in control in step with what was
// decided of its other lines.
func (s *Server) recomputeFlat(ctx context.Context, tx *sqldb.Tx, p *domain.Project, c *claims.Claim) error {
	have, err := store.FlatClaimLines(ctx, tx, c.ID)
	if err != nil || len(have) == 0 {
		return err
	}
	flats, err := flatLines(ctx, tx, p, c)
	if err != nil {
		return err
	}
	base, err := store.ClaimBase(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	changed, err := c.RecomputeFlat(p, flats, base, have, actor(ctx), s.now())
	saveLines(tx, changed, err)
	return err
}
