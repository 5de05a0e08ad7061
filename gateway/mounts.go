package gateway

import (
	"context"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
)

// mount binds the REST routes of one gRPC service to a connection.
type mount func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error

// bind makes a mount of the generated constructor and registration.
func bind[C any](
	client func(grpc.ClientConnInterface) C,
	register func(context.Context, *runtime.ServeMux, C) error,
) mount {
	return func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
		return register(ctx, mux, client(conn))
	}
}

// mounts lists the gRPC services behind the gateway, by the service of the
// suite that answers for them.
var mounts = map[string][]mount{}
