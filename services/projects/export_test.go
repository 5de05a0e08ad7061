package projects

import "github.com/trama-suite/trama/services/projects/internal/domain"

// Reasons for the test that holds them against the proto.
var Reasons = domain.Reasons
