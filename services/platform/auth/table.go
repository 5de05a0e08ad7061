package auth

import (
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
)

// Rule is one method's row of the role table.
type Rule struct {
	roles     roleSet
	scope     authzv1.Scope
	anonymous bool
}

// Allows reports whether the method's table names the role.
func (r *Rule) Allows(role Role) bool { return r.roles.has(role) }

// Scope says on whose rows the method works.
func (r *Rule) Scope() authzv1.Scope { return r.scope }

// Anonymous reports whether the method answers without a token.
func (r *Rule) Anonymous() bool { return r.anonymous }

// Table is the role table of a server's methods, by full method name
// ("/trama.catalogue.v1.NeedService/GetNeed").
type Table map[string]*Rule

// exempt are the services that every server has and that are open to all:
// health is asked by supervisors without a token, reflection shows only what
// the published protos show.
var exempt = map[string]bool{
	"grpc.health.v1.Health":                    true,
	"grpc.reflection.v1.ServerReflection":      true,
	"grpc.reflection.v1alpha.ServerReflection": true,
}

// open is the rule of the exempt services' methods. It takes no part in
// authentication at all: not even a wrong token matters.
var open = &Rule{anonymous: true, scope: authzv1.Scope_SCOPE_NETWORK}

// NewTable reads the (trama.authz.v1.access) option of every method of the
// services through the proto registry. A method without one, or with one that
// does not say who may call and on whose rows, is an error: its server must not
// start.
func NewTable(services ...*grpc.ServiceDesc) (Table, error) {
	table := Table{}
	for _, s := range services {
		if exempt[s.ServiceName] {
			for _, m := range methodNames(s) {
				table["/"+s.ServiceName+"/"+m] = open
			}
			continue
		}
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(s.ServiceName))
		if err != nil {
			return nil, fmt.Errorf("role table: service %s is not in the proto registry: %w", s.ServiceName, err)
		}
		sd, ok := d.(protoreflect.ServiceDescriptor)
		if !ok {
			return nil, fmt.Errorf("role table: %s is not a service", s.ServiceName)
		}
		for _, name := range methodNames(s) {
			md := sd.Methods().ByName(protoreflect.Name(name))
			if md == nil {
				return nil, fmt.Errorf("role table: method %s is not in the descriptor of %s", name, s.ServiceName)
			}
			rule, err := RuleOf(md)
			if err != nil {
				return nil, err
			}
			table["/"+s.ServiceName+"/"+name] = rule
		}
	}
	return table, nil
}

func methodNames(s *grpc.ServiceDesc) []string {
	out := make([]string, 0, len(s.Methods)+len(s.Streams))
	for _, m := range s.Methods {
		out = append(out, m.MethodName)
	}
	for _, m := range s.Streams {
		out = append(out, m.StreamName)
	}
	return out
}

// RuleOf reads the role table's row of one method from its descriptor.
func RuleOf(md protoreflect.MethodDescriptor) (*Rule, error) {
	if !proto.HasExtension(md.Options(), authzv1.E_Access) {
		return nil, fmt.Errorf("role table: method %s has no (trama.authz.v1.access) option", md.FullName())
	}
	access := proto.GetExtension(md.Options(), authzv1.E_Access).(*authzv1.Access)
	if access.GetScope() == authzv1.Scope_SCOPE_UNSPECIFIED {
		return nil, fmt.Errorf("role table: method %s does not say its scope", md.FullName())
	}
	if len(access.GetRoles()) == 0 && !access.GetAnonymous() {
		return nil, fmt.Errorf("role table: method %s names no role and is not anonymous", md.FullName())
	}
	for _, r := range access.GetRoles() {
		if _, known := authzv1.Role_name[int32(r)]; !known || r == authzv1.Role_ROLE_UNSPECIFIED {
			return nil, fmt.Errorf("role table: method %s names the unknown role %d", md.FullName(), r)
		}
	}
	return &Rule{roles: setOf(access.GetRoles()...), scope: access.GetScope(), anonymous: access.GetAnonymous()}, nil
}
