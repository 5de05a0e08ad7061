package rpc

import "google.golang.org/grpc"

// Forget is the one step of ForgetRequests.
var Forget = forget

// Stream puts the server's chain before a stream handler.
func Stream(s *Server, srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return s.local.chain.stream(srv, ss, info, handler)
}
