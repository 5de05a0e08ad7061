package rpc

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/impact/internal/domain"
	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
	"github.com/trama-suite/trama/services/platform/errs"
)

// The domain names enum values as the proto does, without the enum's prefix,
// which is the name of the value 0 without its last word.

// word returns the domain's name of an enum value, empty for the value 0.
func word[T ~string](value protoreflect.Enum) T {
	if value.Number() == 0 {
		return ""
	}
	values := value.Descriptor().Values()
	prefix := strings.TrimSuffix(string(values.ByNumber(0).Name()), "UNSPECIFIED")
	v := values.ByNumber(value.Number())
	if v == nil {
		return ""
	}
	return T(strings.TrimPrefix(string(v.Name()), prefix))
}

// enum returns the enum value of a domain's name, the value 0 for an unknown one.
func enum[E interface {
	~int32
	protoreflect.Enum
}, T ~string](name T) E {
	var zero E
	values := zero.Descriptor().Values()
	prefix := strings.TrimSuffix(string(values.ByNumber(0).Name()), "UNSPECIFIED")
	if v := values.ByName(protoreflect.Name(prefix + string(name))); v != nil {
		return E(v.Number())
	}
	return zero
}

func textFrom(t *typev1.LocalizedText) domain.Text {
	if t == nil {
		return domain.Text{}
	}
	out := domain.Text{Text: t.GetText(), Language: t.GetLanguageCode()}
	if len(t.GetTranslations()) > 0 {
		out.Translations = t.GetTranslations()
	}
	return out
}

func textTo(t domain.Text) *typev1.LocalizedText {
	if t.Empty() {
		return nil
	}
	return &typev1.LocalizedText{Text: t.Text, LanguageCode: t.Language, Translations: t.Translations}
}

// decimal reads an optional decimal.
func decimal(field, text string) (*exact.Number, error) {
	if text == "" {
		return nil, nil
	}
	n, err := exact.Parse(text)
	if err != nil {
		return nil, errs.InvalidField(domain.NumberInvalid, field, "%v", err)
	}
	return &n, nil
}

// decimals of numbers that came in as decimals of at most 9 digits.
const decimals = 9

func decimalTo(n *exact.Number) string {
	if n == nil {
		return ""
	}
	return n.Decimal(decimals)
}

func day(field, text string) (domain.Day, error) {
	d, ok := domain.ParseDay(text)
	if !ok {
		return 0, errs.InvalidField(domain.PeriodInvalid, field, "%q is not a day between 1900 and 2999", text)
	}
	return d, nil
}
