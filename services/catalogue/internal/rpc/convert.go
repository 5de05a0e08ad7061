package rpc

import (
	"errors"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/platform/errs"
)

// textToProto returns nil for a text that is not there.
func textToProto(t domain.LocalizedText) *typev1.LocalizedText {
	if t.IsZero() {
		return nil
	}
	return &typev1.LocalizedText{Text: t.Text, LanguageCode: t.LanguageCode, Translations: t.Translations}
}

func textFromProto(t *typev1.LocalizedText) domain.LocalizedText {
	return domain.LocalizedText{
		Text: t.GetText(), LanguageCode: t.GetLanguageCode(), Translations: t.GetTranslations(),
	}
}

// timeToProto returns nil for the zero time.
func timeToProto(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// under puts the field of the request before the paths of an error's fields,
// which start at the resource.
func under(field string, err error) error {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return e.Under(field)
	}
	return err
}
