// Package domain holds the rules of matching: what a programme may say and how
// a match goes from proposal to agreement. How good a pair is, is the package
// scoring below it.
package domain

import "github.com/trama-suite/trama/services/platform/errs"

// The reasons of the service; MatchingError in the proto documents them.
const (
	ReasonProgrammeInvalid errs.Reason = "PROGRAMME_INVALID"
	ReasonNotACandidate    errs.Reason = "NOT_A_CANDIDATE"
	ReasonMatchExists      errs.Reason = "MATCH_EXISTS"
	ReasonMatchNotOpen     errs.Reason = "MATCH_NOT_OPEN"
	ReasonMatchExpired     errs.Reason = "MATCH_EXPIRED"
	ReasonSideNotYours     errs.Reason = "SIDE_NOT_YOURS"
)
