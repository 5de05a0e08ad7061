package sqldb

import (
	"database/sql"
	"fmt"
	"reflect"
)

type valueKind uint8

const (
	kindNull valueKind = iota
	kindInt
	kindFloat
	kindBool
	kindText
	kindBytes
)

func (k valueKind) String() string {
	return [...]string{"NULL", "an integer", "a float", "a boolean", "text", "bytes"}[k]
}

// value is one value of a row, the same whichever database it came from. Text
// and bytes are in b, which the driver may overwrite at the next row.
type value struct {
	kind valueKind
	i    int64 // also a boolean, as 0 or 1
	f    float64
	b    []byte
}

// assign stores a value in a destination, by the same rules for both databases:
// no conversion that only one of them could do.
func assign(dest any, v value) error {
	if v.kind == kindNull {
		return assignNull(dest)
	}
	switch d := dest.(type) {
	case *string:
		if v.kind == kindText {
			*d = string(v.b)
			return nil
		}
	case *int64:
		if v.kind == kindInt || v.kind == kindBool {
			*d = v.i
			return nil
		}
	case *bool:
		return assignBool(d, v)
	case *[]byte:
		if v.kind == kindBytes || v.kind == kindText {
			*d = append([]byte{}, v.b...)
			return nil
		}
	case *float64:
		if v.kind == kindFloat {
			*d = v.f
			return nil
		}
		if v.kind == kindInt {
			*d = float64(v.i)
			return nil
		}
	case sql.Scanner:
		return d.Scan(v.plain())
	case *any:
		return fmt.Errorf("scan into a typed destination: what an any would hold differs between the databases")
	default:
		return assignByKind(dest, v)
	}
	return fmt.Errorf("the column holds %s, which does not fit a %T", v.kind, dest)
}

func assignNull(dest any) error {
	switch d := dest.(type) {
	case *[]byte:
		*d = nil
		return nil
	case sql.Scanner:
		return d.Scan(nil)
	}
	if rv := reflect.ValueOf(dest); rv.Kind() == reflect.Pointer && !rv.IsNil() && rv.Elem().Kind() == reflect.Pointer {
		rv.Elem().SetZero()
		return nil
	}
	return fmt.Errorf("the column is NULL, which does not fit a %T: scan into a pointer to it", dest)
}

func assignBool(d *bool, v value) error {
	if (v.kind == kindBool || v.kind == kindInt) && (v.i == 0 || v.i == 1) {
		*d = v.i == 1
		return nil
	}
	return fmt.Errorf("the column holds %s, which does not fit a *bool", v.kind)
}

// assignByKind fills pointers to pointers (nullable columns) and named types.
func assignByKind(dest any, v value) error {
	rv := reflect.ValueOf(dest)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		return fmt.Errorf("a destination must be a pointer, not a %T", dest)
	}
	e := rv.Elem()
	switch e.Kind() {
	case reflect.Pointer:
		fresh := reflect.New(e.Type().Elem())
		if err := assign(fresh.Interface(), v); err != nil {
			return err
		}
		e.Set(fresh)
		return nil
	case reflect.String:
		if v.kind == kindText {
			e.SetString(string(v.b))
			return nil
		}
	case reflect.Bool:
		var b bool
		err := assignBool(&b, v)
		e.SetBool(b)
		return err
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if v.kind == kindInt || v.kind == kindBool {
			if e.OverflowInt(v.i) {
				return fmt.Errorf("%d does not fit a %T", v.i, dest)
			}
			e.SetInt(v.i)
			return nil
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if v.kind == kindInt {
			if v.i < 0 || e.OverflowUint(uint64(v.i)) {
				return fmt.Errorf("%d does not fit a %T", v.i, dest)
			}
			e.SetUint(uint64(v.i))
			return nil
		}
	case reflect.Float32, reflect.Float64:
		if v.kind == kindFloat || v.kind == kindInt {
			f := v.f
			if v.kind == kindInt {
				f = float64(v.i)
			}
			e.SetFloat(f)
			return nil
		}
	case reflect.Slice:
		if e.Type().Elem().Kind() == reflect.Uint8 && (v.kind == kindBytes || v.kind == kindText) {
			var b []byte
			if err := assign(&b, v); err != nil {
				return err
			}
			e.SetBytes(b)
			return nil
		}
	}
	return fmt.Errorf("the column holds %s, which does not fit a %T", v.kind, dest)
}

// plain returns the value for a sql.Scanner.
func (v value) plain() any {
	switch v.kind {
	case kindInt:
		return v.i
	case kindFloat:
		return v.f
	case kindBool:
		return v.i == 1
	case kindText:
		return string(v.b)
	case kindBytes:
		return append([]byte{}, v.b...)
	}
	return nil
}
