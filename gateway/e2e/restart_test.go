package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"

	"github.com/trama-suite/trama/gateway/rest"
)

// TestNothingAcknowledgedIsLost: the process is killed under load, and what it
// answered is there when it is back; what it did not answer can be sent again
// without being done twice; its events have their effects once. Then the event
// streams are wiped, with and without what was made of them.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	dir := filepath.Join(work, "restart")
	start := func() *shape {
		t.Helper()
		s, err := runOne(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.stop)
		return s
	}
	s := start()
	owner := s.organisation(t, "Prima del buio")
	admin := s.operator(t)
	programme := newProgramme(t, admin)
	project := post[*projectsv1.Project](t, admin, "projects", &projectsv1.Project{
		Organisation: owner, Title: text("Progetto"), CurrencyCode: "EUR", StartDate: day(-30), EndDate: day(30),
		Partners: []*projectsv1.Partner{{Organisation: owner, Role: projectsv1.PartnerRole_PARTNER_ROLE_LEAD}},
	}).GetName()
	line := post[*projectsv1.BudgetLine](t, admin, project+"/budgetLines", &projectsv1.BudgetLine{
		Organisation: owner, Category: projectsv1.CostCategory_COST_CATEGORY_STAFF, Amount: euros(10_000_000),
	}).GetName()

	// Four callers publish needs and record expenditures until the process dies.
	const callers, enough = 4, 120
	load := newLoad(owner, line)
	var answered atomic.Int64
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for n := 0; ; n++ {
				err := load.send(t, admin, fmt.Sprintf("%d-%d", c, n))
				if p, refused := errors.AsType[*rest.Problem](err); refused {
					t.Errorf("refused: %v", p)
				}
				if err != nil {
					return
				}
				answered.Add(1)
			}
		})
	}
	until(t, "the load", func() bool { return answered.Load() >= enough || t.Failed() })
	s.crash()
	wg.Wait()

	s = start()
	admin = s.operator(t)
	for name := range load.acknowledged {
		get[*cataloguev1.Need](t, admin, name)
	}
	// Everything that was sent is sent again, under its key.
	for _, key := range load.keys() {
		if err := load.send(t, admin, key); err != nil {
			t.Fatalf("%s again: %v", key, err)
		}
	}
	sent := len(load.keys())
	if len(load.acknowledged) != sent {
		t.Errorf("%d needs for %d requests", len(load.acknowledged), sent)
	}
	t.Logf("%d requests, of which %d were answered before the kill", sent, answered.Load())
	spent := euroText(sent)
	effects := func(what string) {
		t.Helper()
		until(t, fmt.Sprintf("%d needs in matching, %s", sent, what), func() bool {
			return get[*matchingv1.MatchingStatistics](t, admin, "matching:statistics?programme="+programme).GetDemands() == int64(sent)
		})
		wantFigures(t, admin, owner, map[string]string{amountSpent: spent})
		until(t, "all checks to be well, "+what, func() bool { return len(s.failing(t)) == 0 })
		if got := figure(t, admin, amountSpent, owner); got != spent {
			t.Errorf("%s: %s spent, want %s", what, got, spent)
		}
		d := get[*projectsv1.Dashboard](t, admin, project+"/dashboard")
		if d.GetSpent().GetMinorUnits() != int64(sent)*101 {
			t.Errorf("%s: the project has spent %v", what, d.GetSpent())
		}
	}
	effects("after the kill")

	// Without the streams nothing is counted again.
	s.stop()
	wipe(t, filepath.Join(dir, "nats"))
	s = start()
	admin = s.operator(t)
	effects("after the streams were wiped")

	// Without what was made of the events either, the journals bring it back.
	s.stop()
	wipe(t, filepath.Join(dir, "nats"))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		wipe(t, filepath.Join(dir, "db", "impact.db"+suffix))
	}
	s = start()
	admin = s.operator(t)
	effects("after the impact service's database was lost too")

	// And the streams take what is new.
	if err := load.send(t, admin, "new"); err != nil {
		t.Fatal(err)
	}
	sent++
	spent = euroText(sent)
	effects("with one more")
}

// euroText is what so many expenditures of 1.01 euros come to, as a figure has it.
func euroText(n int) string {
	cents := n * 101
	switch {
	case cents%100 == 0:
		return fmt.Sprint(cents / 100)
	case cents%10 == 0:
		return fmt.Sprintf("%d.%d", cents/100, cents%100/10)
	default:
		return fmt.Sprintf("%d.%02d", cents/100, cents%100)
	}
}

func wipe(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// load is a sequence of requests, each under a key of its own.
type load struct {
	owner, line string

	mu           sync.Mutex
	sent         []string
	seen         map[string]bool
	acknowledged map[string]bool // names of needs
}

func newLoad(owner, line string) *load {
	return &load{owner: owner, line: line, seen: map[string]bool{}, acknowledged: map[string]bool{}}
}

// send publishes one need and records one expenditure of 1.01 euros.
func (l *load) send(t *testing.T, c *rest.Client, key string) error {
	l.mu.Lock()
	if !l.seen[key] {
		l.seen[key] = true
		l.sent = append(l.sent, key)
	}
	l.mu.Unlock()
	need := &cataloguev1.Need{}
	err := c.Post(t.Context(), "/v1/needs", &cataloguev1.Need{
		Organisation: l.owner, Title: text("Bisogno " + key), Description: text("Da fare"), Category: "prova", Urgency: cataloguev1.NeedUrgency_NEED_URGENCY_LOW, Visibility: cataloguev1.EntryVisibility_ENTRY_VISIBILITY_NETWORK,
		Evidence: []*cataloguev1.NeedEvidence{{Kind: cataloguev1.EvidenceKind_EVIDENCE_KIND_INTERVIEW, Date: "2026-01-01", Note: "Intervista", Source: "a"}},
	}, need, rest.IdempotencyKey("need "+key))
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.acknowledged[need.GetName()] = true
	l.mu.Unlock()
	if err := c.Post(t.Context(), "/v1/"+need.GetName()+":publish", nil, nil, rest.IdempotencyKey("publish "+key)); err != nil {
		return err
	}
	return c.Post(t.Context(), "/v1/"+projectOf(l.line)+"/expenditures", &projectsv1.Expenditure{
		Organisation: l.owner, BudgetLine: l.line, Amount: euros(101),
		Document: &projectsv1.Document{Issuer: "IT00000000000", Number: key, Date: day(-1)},
	}, nil, rest.IdempotencyKey("spend "+key))
}

func (l *load) keys() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{}, l.sent...)
}
