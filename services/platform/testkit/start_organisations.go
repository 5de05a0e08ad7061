package testkit

import (
	"context"
	"sync"

	"google.golang.org/grpc"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/platform/errs"
)

// organisations stands in for the catalogue's: every organisation exists but
// those that a test says do not, with the members of Env.Members.
type organisations struct {
	cataloguev1.UnimplementedOrganisationServiceServer
	cataloguev1.UnimplementedAccessServiceServer
	members *Memberships
	mu      sync.Mutex
	absent  map[string]bool
	codes   map[string]string // names by tax code
}

func (o *organisations) register(r grpc.ServiceRegistrar) {
	cataloguev1.RegisterOrganisationServiceServer(r, o)
	cataloguev1.RegisterAccessServiceServer(r, o)
}

// ResolveMemberships implements cataloguev1.AccessServiceServer.
func (o *organisations) ResolveMemberships(ctx context.Context, req *cataloguev1.ResolveMembershipsRequest) (*cataloguev1.ResolveMembershipsResponse, error) {
	memberships, err := o.members.Of(ctx, req.GetSubject())
	out := &cataloguev1.ResolveMembershipsResponse{}
	for _, m := range memberships {
		out.Memberships = append(out.Memberships, &cataloguev1.Membership{Name: m.Organisation + "/memberships/test", Subject: req.GetSubject(), Role: m.Role})
	}
	return out, err
}

// GetOrganisation implements cataloguev1.OrganisationServiceServer.
func (o *organisations) GetOrganisation(_ context.Context, req *cataloguev1.GetOrganisationRequest) (*cataloguev1.Organisation, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.absent[req.GetName()] {
		return nil, errs.AbsentResource(req.GetName())
	}
	return &cataloguev1.Organisation{Name: req.GetName()}, nil
}

// NoOrganisation makes an organisation one that the catalogue does not have.
// All others exist, unless Peer puts another catalogue in place.
func (e *Env) NoOrganisation(name string) {
	e.organisations.mu.Lock()
	defer e.organisations.mu.Unlock()
	e.organisations.absent[name] = true
}

// LookupOrganisation implements cataloguev1.OrganisationServiceServer.
func (o *organisations) LookupOrganisation(_ context.Context, req *cataloguev1.LookupOrganisationRequest) (*cataloguev1.Organisation, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if name := o.codes[req.GetValue()]; name != "" && req.GetType() == cataloguev1.IdentifierType_IDENTIFIER_TYPE_TAX_CODE {
		return &cataloguev1.Organisation{Name: name}, nil
	}
	return nil, errs.AbsentResource("organisations/" + req.GetValue())
}

// TaxCode gives an organisation the tax code by which the catalogue finds it.
func (e *Env) TaxCode(code, name string) {
	e.organisations.mu.Lock()
	defer e.organisations.mu.Unlock()
	if e.organisations.codes == nil {
		e.organisations.codes = map[string]string{}
	}
	e.organisations.codes[code] = name
}
