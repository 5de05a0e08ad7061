package store_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// BenchmarkListEntries reads pages of 50 needs, as full as real ones are.
func BenchmarkListEntries(b *testing.B) {
	db, err := sqldb.Open(b.Context(), sqldb.Config{URL: "sqlite:" + b.TempDir(), Schema: "catalogue"}, os.DirFS("../../migrations"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	err = db.Write(b.Context(), func(_ context.Context, tx *sqldb.Tx) error {
		for i := range 60 {
			if err := store.InsertEntry(tx, aNeed(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	plan, err := store.EntrySchema("urgency").Plan(&cataloguev1.ListNeedsRequest{PageSize: page.DefaultSize})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		err := db.Read(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			entries, _, err := store.ListEntries(ctx, tx, plan, domain.KindNeed, "1=1", nil)
			if len(entries) != page.DefaultSize {
				return fmt.Errorf("%d entries, and error %w", len(entries), err)
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func aNeed(i int) *domain.Entry {
	now := time.Date(2026, 1, 31, 9, 30, 0, 123456000, time.UTC)
	text := func(s string) domain.LocalizedText { return domain.LocalizedText{Text: s, LanguageCode: "it"} }
	return &domain.Entry{
		Name: fmt.Sprintf("needs/0198c0de-0000-7000-8000-%012d", i), Organisation: "organisations/0198c0de-0000-7000-8000-000000000001",
		State: domain.EntryDraft, Version: 1, CreateTime: now, UpdateTime: now,
		Card: domain.Card{
			Title: text("Pianificare i turni dell'assistenza domiciliare"), Visibility: domain.VisibleToNetwork, Category: "assistenza",
			Description: text("Gli operatori ricevono i turni per telefono; chi manca non si sostituisce in tempo."),
			Tags:        []string{"turni", "mobile"}, Licence: domain.LicenceInternal, Attributes: map[string]string{"sample": "true"},
		},
		Body: &domain.Need{Urgency: "NEED_URGENCY_HIGH", Evidence: []domain.Evidence{
			{Kind: "EVIDENCE_KIND_INTERVIEW", Date: "2026-01-12", Note: "Coordinatori di tre cooperative", Source: "I3S"},
		}},
	}
}
