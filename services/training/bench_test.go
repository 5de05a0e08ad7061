package training_test

import (
	"context"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
	"github.com/trama-suite/trama/services/training"
)

// BenchmarkContendedEnrolment enrols people in one edition that has room for
// all, through the whole chain of checks, in process: every transaction waits for
// the same lock. Both databases make every commit durable.
func BenchmarkContendedEnrolment(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(database, func(b *testing.B) {
			for _, callers := range []int{1, 16, 64} {
				b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) { contended(b, database, callers) })
			}
		})
	}
}

// everyOrganisation stands in for the catalogue, which is asked only while the
// bench is filled: whatever is asked for exists.
type everyOrganisation struct{ grpc.ClientConnInterface }

func (everyOrganisation) Invoke(context.Context, string, any, any, ...grpc.CallOption) error {
	return nil
}

func contended(b *testing.B, database string, callers int) {
	url := "sqlite:" + b.TempDir()
	if database == "postgres" {
		url = testkit.DurablePostgres(b)
	}
	clock, log := testkit.NewClock(), testkit.Log(b)
	issuer := testkit.Issuer(clock.Now)
	verifier, err := auth.NewVerifier(auth.VerifierConfig{Issuers: []auth.Issuer{issuer.Trusted()}, Now: clock.Now})
	if err != nil {
		b.Fatal(err)
	}
	var db *sqldb.DB
	service, err := training.New(b.Context(), app.Deps{
		Log: log, Now: clock.Now, NewID: testkit.IDs(1, clock.Now), Region: testkit.Region, Bus: (*bus.Bus)(nil),
		Dial: func(string) grpc.ClientConnInterface { return everyOrganisation{} },
		OpenDB: func(ctx context.Context, migrations fs.FS) (*sqldb.DB, error) {
			var err error
			db, err = sqldb.Open(ctx, sqldb.Config{URL: url, Schema: fmt.Sprintf("bench_%d_%d", callers, schemas.Add(1))}, migrations)
			return db, err
		},
	}, training.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	server, err := rpc.NewServer(rpc.Config{Log: log, Verifier: verifier, Register: []func(grpc.ServiceRegistrar){service.Register}})
	if err != nil {
		b.Fatal(err)
	}
	conn := server.InProcess(nil)
	token, err := issuer.Mint("bench", []auth.Role{operator}, 1e18)
	if err != nil {
		b.Fatal(err)
	}
	ctx := metadata.AppendToOutgoingContext(b.Context(), "authorization", "Bearer "+token)
	edition := benchEdition(b, ctx, trainingv1.NewEditionServiceClient(conn))
	people := make([]string, b.N)
	learners, enrolments := trainingv1.NewLearnerServiceClient(conn), trainingv1.NewEnrolmentServiceClient(conn)
	spread(callers, b.N, func(i int) {
		l, err := learners.CreateLearner(ctx, &trainingv1.CreateLearnerRequest{Learner: &trainingv1.Learner{
			Organisation: coop, GivenName: "Persona", FamilyName: fmt.Sprint(i)}})
		if err != nil {
			b.Error(err)
		}
		people[i] = l.GetName()
	})
	b.ResetTimer()
	spread(callers, b.N, func(i int) {
		_, err := enrolments.CreateEnrolment(ctx, &trainingv1.CreateEnrolmentRequest{Enrolment: &trainingv1.Enrolment{Edition: edition, Learner: people[i]}})
		if err != nil {
			b.Error(err)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "enrolments/s")
}

var schemas atomic.Int64

func benchEdition(b *testing.B, ctx context.Context, editions trainingv1.EditionServiceClient) string {
	b.Helper()
	e, err := editions.CreateEdition(ctx, &trainingv1.CreateEditionRequest{Edition: &trainingv1.Edition{
		Organisation: cgm, Kind: trainingv1.EditionKind_EDITION_KIND_EVENT, Title: text("Evento"), Capacity: 100000, StartDate: "2026-02-01", EndDate: "2026-02-01"}})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := editions.ScheduleEdition(ctx, &trainingv1.ScheduleEditionRequest{Name: e.GetName()}); err != nil {
		b.Fatal(err)
	}
	if _, err := editions.OpenEdition(ctx, &trainingv1.OpenEditionRequest{Name: e.GetName()}); err != nil {
		b.Fatal(err)
	}
	return e.GetName()
}

// spread shares n calls out among callers.
func spread(callers, n int, call func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				call(i)
			}
		})
	}
	all.Wait()
}
