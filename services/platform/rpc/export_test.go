package rpc

// Forget is the one step of ForgetRequests.
var Forget = forget
