package rpc_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
)

// BenchmarkChain is a call with everything on (authentication, authorisation,
// validation, metrics, 1 % of traces), against the same handler called directly.
func BenchmarkChain(b *testing.B) {
	f := newFixture(b, nil)
	membership := &cataloguev1.Membership{Name: "organisations/0190a000-0000-7000-8000-00000000000a/memberships/0190a000-0000-7000-8000-00000000000b", Subject: "anna", Role: authzv1.Role_ROLE_TRAINER}
	f.create = func(context.Context, *cataloguev1.CreateMembershipRequest) (*cataloguev1.Membership, error) {
		return membership, nil
	}
	req := &cataloguev1.CreateMembershipRequest{Parent: "organisations/0190a000-0000-7000-8000-00000000000a", Membership: membership}
	ctx := f.operator(b)
	b.Run("handler alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := f.CreateMembership(ctx, req); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, conn := range f.conns(b, nil) {
		client := cataloguev1.NewAccessServiceClient(conn)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := processorTime(b)
			for b.Loop() {
				if _, err := client.CreateMembership(ctx, req); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// processorTime is what this process has used, which other processes on the
// machine disturb less than the time that passes.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
