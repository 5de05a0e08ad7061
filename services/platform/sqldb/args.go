package sqldb

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/trama-suite/trama/services/platform/errs"
)

// normalise turns the arguments of a statement into what both databases take
// alike: nil, int64, float64, bool, string and []byte. It refuses what they
// would store differently.
func normalise(args []any) ([]any, error) {
	out := make([]any, len(args))
	for i, arg := range args {
		v, err := normal(arg)
		if err != nil {
			if _, ours := errors.AsType[*errs.Error](err); ours {
				return nil, err
			}
			return nil, fmt.Errorf("sqldb: argument $%d: %w", i+1, err)
		}
		out[i] = v
	}
	return out, nil
}

func normal(arg any) (any, error) {
	switch v := arg.(type) {
	case nil:
		return nil, nil
	case string:
		return text(v)
	case int64, bool, float64:
		return v, nil
	case int:
		return int64(v), nil
	case []byte:
		if v == nil {
			return nil, nil
		}
		return v, nil
	case json.RawMessage: // JSON is kept as TEXT
		if v == nil {
			return nil, nil
		}
		return text(string(v))
	case time.Time:
		return nil, fmt.Errorf("a time is held as microseconds: pass sqldb.Micros(t)")
	case driver.Valuer:
		if rv := reflect.ValueOf(arg); rv.Kind() == reflect.Pointer && rv.IsNil() {
			return nil, nil
		}
		inner, err := v.Value()
		if err != nil {
			return nil, err
		}
		if _, again := inner.(driver.Valuer); again {
			return nil, fmt.Errorf("%T gives another driver.Valuer", arg)
		}
		return normal(inner)
	}
	return normalByKind(arg)
}

// normalByKind takes pointers and named types by what they are made of.
func normalByKind(arg any) (any, error) {
	rv := reflect.ValueOf(arg)
	switch rv.Kind() {
	case reflect.Pointer:
		if rv.IsNil() {
			return nil, nil
		}
		return normal(rv.Elem().Interface())
	case reflect.String:
		return text(rv.String())
	case reflect.Bool:
		return rv.Bool(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return rv.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if rv.Uint() > math.MaxInt64 {
			return nil, fmt.Errorf("%d is more than a BIGINT holds", rv.Uint())
		}
		return int64(rv.Uint()), nil
	case reflect.Float32, reflect.Float64:
		return rv.Float(), nil
	case reflect.Slice:
		if rv.Type().Elem().Kind() == reflect.Uint8 {
			if rv.IsNil() {
				return nil, nil
			}
			return rv.Bytes(), nil
		}
	}
	return nil, fmt.Errorf("a %T has no column type on both databases", arg)
}

// text refuses what PostgreSQL cannot store in TEXT, as an error of the request:
// nothing else on the way from the wire to here looks for U+0000.
func text(s string) (any, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return nil, errs.New(errs.Invalid, errs.InvalidRequest, "text must not contain the character U+0000")
	}
	if !utf8.ValidString(s) {
		return nil, errs.New(errs.Invalid, errs.InvalidRequest, "text must be valid UTF-8")
	}
	return s, nil
}
