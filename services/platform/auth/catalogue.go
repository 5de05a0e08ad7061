package auth

import (
	"context"
	"strings"

	"google.golang.org/grpc"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
)

// FromCatalogue returns the memberships that the catalogue's AccessService
// holds, asked over conn, on which calls must carry the role service. Put a
// MembershipCache in front.
func FromCatalogue(conn grpc.ClientConnInterface) Memberships {
	client := cataloguev1.NewAccessServiceClient(conn)
	return MembershipsFunc(func(ctx context.Context, subject string) ([]Membership, error) {
		resp, err := client.ResolveMemberships(ctx, &cataloguev1.ResolveMembershipsRequest{Subject: subject})
		if err != nil {
			return nil, err
		}
		out := make([]Membership, 0, len(resp.GetMemberships()))
		for _, m := range resp.GetMemberships() {
			// organisations/{organisation}/memberships/{membership}
			organisation, _, _ := strings.Cut(m.GetName(), "/memberships/")
			out = append(out, Membership{Organisation: organisation, Role: m.GetRole()})
		}
		return out, nil
	})
}
