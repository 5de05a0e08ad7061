// Package domain holds the catalogue's types and rules: what an organisation,
// an identifier, a membership, a vocabulary and an entry are, and what may be
// done with them. It is pure: no SQL, no gRPC, no clock, no I/O.
//
// Enum values are the names of the proto's values ("LEGAL_FORM_FOUNDATION"), so
// that what is stored and filtered by is what a client reads in JSON.
package domain
