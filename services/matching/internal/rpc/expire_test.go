package rpc

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/trama-suite/trama/services/matching/internal/domain"
	"github.com/trama-suite/trama/services/matching/internal/store"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// Every replica looks for overdue proposals: each ends once, and no replica
// stumbles over another that was faster.
func TestReplicasExpireProposalsTogether(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
		const proposals, replicas = 2*expireBatch + 20, 4
		servers := make([]*Server, replicas)
		for i := range servers {
			db := open(t, "matching", os.DirFS("../../migrations"))
			servers[i] = &Server{DB: db, Outbox: outbox.New(db, "matching", "it-21"), Now: func() time.Time { return now }, NewID: ids.New}
		}
		write := func(fn func(ctx context.Context, tx *sqldb.Tx) error) {
			t.Helper()
			if err := servers[0].DB.Write(t.Context(), fn); err != nil {
				t.Fatal(err)
			}
		}
		write(func(ctx context.Context, tx *sqldb.Tx) error {
			for range proposals {
				if _, err := store.InsertMatch(ctx, tx, &domain.Match{
					ID: ids.New(), Version: 1, Programme: ids.New(), Demand: "needs/" + ids.New(), Supply: "solutions/" + ids.New(),
					State: domain.Proposed, ExpireTime: now, CreateTime: now.Add(-time.Hour), UpdateTime: now.Add(-time.Hour),
				}); err != nil {
					return err
				}
			}
			return nil
		})
		var running sync.WaitGroup
		for _, s := range servers {
			running.Go(func() {
				if err := s.ExpireOverdue(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
		var expired, told int64
		write(func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM matches WHERE state = 'expired'), (SELECT COUNT(*) FROM outbox)`).Scan(&expired, &told)
		})
		if expired != proposals || told != proposals {
			t.Errorf("%d proposals expired and %d events, want %d", expired, told, proposals)
		}
	})
}
