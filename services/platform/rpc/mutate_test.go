package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

var effects = fstest.MapFS{"00001_first.sql": {Data: []byte(`-- +goose Up
CREATE TABLE effects (n BIGINT NOT NULL);
CREATE TABLE counter (id BIGINT PRIMARY KEY, n BIGINT NOT NULL);
INSERT INTO counter (id, n) VALUES (1, 0);`)}}

func request(id, subject string) *cataloguev1.CreateMembershipRequest {
	return &cataloguev1.CreateMembershipRequest{
		Parent: "organisations/1", RequestId: id,
		Membership: &cataloguev1.Membership{Subject: subject, Role: authzv1.Role_ROLE_TRAINER},
	}
}

// effect adds a row and answers with the number of rows there were.
func effect(ctx context.Context, db *sqldb.DB, req *cataloguev1.CreateMembershipRequest) (*cataloguev1.Membership, error) {
	return rpc.Mutate(ctx, db, req, func(ctx context.Context, tx *sqldb.Tx) (*cataloguev1.Membership, error) {
		if _, err := tx.Exec(ctx, "UPDATE counter SET n = n + 1 WHERE id = 1"); err != nil {
			return nil, err
		}
		var n int64
		if err := tx.QueryRow(ctx, "SELECT n FROM counter WHERE id = 1").Scan(&n); err != nil {
			return nil, err
		}
		tx.Queue("INSERT INTO effects (n) VALUES ($1)", n)
		return &cataloguev1.Membership{Name: fmt.Sprint("memberships/", n), Subject: req.GetMembership().GetSubject()}, nil
	})
}

func count(t *testing.T, db *sqldb.DB, table string) (n int) {
	t.Helper()
	err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMutate(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "mutate", effects)
		ctx := t.Context()

		t.Run("without a request_id every call has its effect", func(t *testing.T) {
			before := count(t, db, "effects")
			for range 2 {
				if _, err := effect(ctx, db, request("", "anna")); err != nil {
					t.Fatal(err)
				}
			}
			if n := count(t, db, "effects") - before; n != 2 {
				t.Errorf("%d effects", n)
			}
		})

		t.Run("the same request has one effect and the same answer", func(t *testing.T) {
			before := count(t, db, "effects")
			first, err := effect(ctx, db, request("one", "anna"))
			if err != nil {
				t.Fatal(err)
			}
			again, err := effect(ctx, db, request("one", "anna"))
			if err != nil || !proto.Equal(first, again) {
				t.Errorf("%v, %v; want %v", again, err, first)
			}
			if n := count(t, db, "effects") - before; n != 1 {
				t.Errorf("%d effects", n)
			}
		})

		t.Run("another request under the id is refused", func(t *testing.T) {
			before := count(t, db, "effects")
			_, err := effect(ctx, db, request("one", "bruno"))
			if errs.ReasonOf(err) != errs.RequestIDReused || errs.KindOf(err) != errs.AlreadyExists {
				t.Errorf("got %v", err)
			}
			if n := count(t, db, "effects") - before; n != 0 {
				t.Errorf("%d effects", n)
			}
		})

		t.Run("another method's id is another id", func(t *testing.T) {
			got, err := rpc.Mutate(ctx, db, &cataloguev1.CreateOrganisationRequest{RequestId: "one"},
				func(context.Context, *sqldb.Tx) (*cataloguev1.Organisation, error) {
					return &cataloguev1.Organisation{}, nil
				})
			if err != nil || got == nil {
				t.Errorf("%v, %v", got, err)
			}
		})

		t.Run("an answer without content can be given again", func(t *testing.T) {
			for range 2 {
				got, err := rpc.Mutate(ctx, db, request("empty", "x"), func(context.Context, *sqldb.Tx) (*cataloguev1.Membership, error) {
					return &cataloguev1.Membership{}, nil
				})
				if err != nil || got == nil || !proto.Equal(got, &cataloguev1.Membership{}) {
					t.Errorf("%v, %v", got, err)
				}
			}
		})

		t.Run("what failed can be tried again", func(t *testing.T) {
			before := count(t, db, "effects")
			want := errs.New(errs.FailedPrecondition, "NOT_YET", "not yet")
			_, err := rpc.Mutate(ctx, db, request("retry", "anna"), func(ctx context.Context, tx *sqldb.Tx) (*cataloguev1.Membership, error) {
				tx.Queue("INSERT INTO effects (n) VALUES (-1)")
				return nil, want
			})
			if !errors.Is(err, want) {
				t.Errorf("got %v", err)
			}
			if n := count(t, db, "effects") - before; n != 0 {
				t.Errorf("%d effects of a call that failed", n)
			}
			if _, err := effect(ctx, db, request("retry", "anna")); err != nil {
				t.Error(err)
			}
		})

		t.Run("callers at the same time", func(t *testing.T) {
			before := count(t, db, "effects")
			const ids, callers = 5, 12
			answers := make([][callers]*cataloguev1.Membership, ids)
			var wg sync.WaitGroup
			for id := range ids {
				for c := range callers {
					wg.Go(func() {
						var err error
						if answers[id][c], err = effect(ctx, db, request(fmt.Sprint("race-", id), "anna")); err != nil {
							t.Error(err)
						}
					})
				}
			}
			wg.Wait()
			seen := map[string]bool{}
			for id := range ids {
				for c := range callers {
					if !proto.Equal(answers[id][c], answers[id][0]) {
						t.Errorf("request %d: %v and %v", id, answers[id][c], answers[id][0])
					}
				}
				seen[answers[id][0].GetName()] = true
			}
			if n := count(t, db, "effects") - before; n != ids || len(seen) != ids {
				t.Errorf("%d effects and %d answers of %d requests", n, len(seen), ids)
			}
		})

		t.Run("rivals under one id", func(t *testing.T) {
			before := count(t, db, "effects")
			var done, refused atomic.Int64
			var wg sync.WaitGroup
			for c := range 10 {
				wg.Go(func() {
					switch _, err := effect(ctx, db, request("rivals", fmt.Sprint("caller-", c))); {
					case err == nil:
						done.Add(1)
					case errs.ReasonOf(err) == errs.RequestIDReused:
						refused.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if done.Load() != 1 || refused.Load() != 9 || count(t, db, "effects")-before != 1 {
				t.Errorf("%d done, %d refused", done.Load(), refused.Load())
			}
		})

		t.Run("ids are forgotten after a week", func(t *testing.T) {
			all := count(t, db, "idempotency")
			if n, err := rpc.Forget(ctx, db, time.Now().Add(-rpc.RequestIDRetention)); err != nil || n != 0 || all == 0 {
				t.Errorf("removed %d of %d young ones, %v", n, all, err)
			}
			if n, err := rpc.Forget(ctx, db, time.Now().Add(time.Minute)); err != nil || int(n) != all || count(t, db, "idempotency") != 0 {
				t.Errorf("removed %d of %d old ones, %v", n, all, err)
			}
		})
	})
}

func TestARequestIDIsItsCallersOwn(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "mutate", effects)
		f := newFixture(t, nil)
		f.create = func(ctx context.Context, req *cataloguev1.CreateMembershipRequest) (*cataloguev1.Membership, error) {
			return effect(ctx, db, req)
		}
		client := cataloguev1.NewAccessServiceClient(f.server.InProcess(nil))
		create := func(subject string) string {
			t.Helper()
			token, err := f.issuer.Mint(subject, []authzv1.Role{authzv1.Role_ROLE_NETWORK_OPERATOR}, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token)
			m, err := client.CreateMembership(ctx, request("mine", "someone"))
			if err != nil {
				t.Fatal(err)
			}
			return m.GetName()
		}
		anna, bruno := create("anna"), create("bruno")
		if anna == bruno {
			t.Error("one caller got another's answer")
		}
		if again := create("anna"); again != anna {
			t.Errorf("got %s, want %s", again, anna)
		}
	})
}
