package rpc

import (
	"slices"
	"strings"
	"testing"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/training/internal/domain"
)

func TestReasonsAreThoseOfTheProto(t *testing.T) {
	var declared []string
	for value, name := range trainingv1.TrainingError_name {
		if value != 0 {
			declared = append(declared, strings.TrimPrefix(name, "TRAINING_ERROR_"))
		}
	}
	var used []string
	for _, r := range domain.Reasons {
		used = append(used, string(r))
	}
	slices.Sort(declared)
	slices.Sort(used)
	if !slices.Equal(declared, used) {
		t.Fatalf("the proto declares\n%v\nand the domain\n%v", declared, used)
	}
}
