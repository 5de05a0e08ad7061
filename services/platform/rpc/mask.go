package rpc

import (
	"errors"
	"slices"
	"strings"

	"go.einride.tech/aip/fieldbehavior"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/trama-suite/trama/services/platform/errs"
)

// UpdateMask applies the patch of a standard Update method (AIP-134, AIP-161) to
// the current resource and returns the result; current and patch stay as they
// are. Field is the request's field that holds the patch ("need"): it prefixes
// the paths in errors.
//
//   - Without a mask, the fields that the patch has are set; a nested message is
//     set as a whole.
//   - With a mask, the fields it names are set, or cleared where the patch does
//     not have them. A path may go into nested messages; a list or a map is set
//     as a whole.
//   - With the mask "*", every field is set or cleared.
//
// Fields that callers may not set (OUTPUT_ONLY, IDENTIFIER, IMMUTABLE) keep
// their value. To name one in the mask, or to send an immutable one, with another
// value is INVALID_UPDATE_MASK; the same value does no harm, as a caller who
// reads, edits and sends back the whole has them all. The resource's own name
// and etag may be named whatever their value: they say which resource is meant.
// The result is validated as a whole (INVALID_REQUEST).
func UpdateMask[M proto.Message](field string, current, patch M, mask *fieldmaskpb.FieldMask) (M, error) {
	var none M
	out := proto.CloneOf(current)
	// A copy, as parts of it become parts of the result.
	from, to := proto.CloneOf(patch).ProtoReflect(), out.ProtoReflect()
	var err error
	switch paths := mask.GetPaths(); {
	case slices.Contains(paths, "*"):
		if len(paths) > 1 {
			return none, wrongMask("* stands alone")
		}
		err = replace(field, from, to, true)
	case len(paths) == 0:
		err = replace(field, from, to, false)
	default:
		for _, path := range paths {
			if err = set(field, path, from, to); err != nil {
				break
			}
		}
	}
	if err != nil {
		return none, err
	}
	if err := Validate(out); err != nil {
		if e, ok := errors.AsType[*errs.Error](err); ok {
			e = e.Under(field)
			e.Message = summary(e.Fields)
			return none, e
		}
		return none, err
	}
	return out, nil
}

func wrongMask(format string, args ...any) error {
	return errs.InvalidField(errs.InvalidUpdateMask, "update_mask", format, args...)
}

// replace sets the fields that callers may set. Absent ones are cleared where
// all is true.
func replace(field string, from, to protoreflect.Message, all bool) error {
	fields := from.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		switch {
		case fixed(f) || lookup(f, true):
		case immutable(f):
			if from.Has(f) && !same(from, to, f) {
				return wrongMask("%s.%s cannot be changed", field, f.Name())
			}
		case from.Has(f):
			to.Set(f, from.Get(f))
		case all:
			to.Clear(f)
		}
	}
	return nil
}

// set sets the one field that the path names.
func set(field, path string, from, to protoreflect.Message) error {
	segments := strings.Split(path, ".")
	for i, segment := range segments {
		f := from.Descriptor().Fields().ByName(protoreflect.Name(segment))
		if f == nil {
			return wrongMask("%q: %s has no field %q", path, from.Descriptor().Name(), segment)
		}
		if lookup(f, i == 0) {
			return nil
		}
		if (fixed(f) || immutable(f)) && !same(from, to, f) {
			if fixed(f) {
				return wrongMask("%s.%s is set by the server", field, path)
			}
			return wrongMask("%s.%s cannot be changed", field, path)
		}
		if i == len(segments)-1 {
			if from.Has(f) {
				to.Set(f, from.Get(f))
			} else {
				to.Clear(f)
			}
			return nil
		}
		if f.Message() == nil || f.IsList() || f.IsMap() {
			return wrongMask("%q: %q has no fields of its own that could be set one by one", path, strings.Join(segments[:i+1], "."))
		}
		if !from.Has(f) && !to.Has(f) {
			// Nothing to take and nothing to clear; the rest of the path must
			// exist all the same.
			return known(path, segments[i+1:], f.Message())
		}
		from, to = from.Get(f).Message(), to.Mutable(f).Message()
	}
	return nil
}

// known checks that the rest of a path names a field.
func known(path string, segments []string, d protoreflect.MessageDescriptor) error {
	for i, segment := range segments {
		f := d.Fields().ByName(protoreflect.Name(segment))
		if f == nil {
			return wrongMask("%q: %s has no field %q", path, d.Name(), segment)
		}
		if i < len(segments)-1 {
			if f.Message() == nil || f.IsList() || f.IsMap() {
				return wrongMask("%q: %q has no fields of its own that could be set one by one", path, segment)
			}
			d = f.Message()
		}
	}
	return nil
}

// lookup reports whether the field says which resource is meant.
func lookup(f protoreflect.FieldDescriptor, top bool) bool {
	return top && (f.Name() == "name" || f.Name() == "etag")
}

func fixed(f protoreflect.FieldDescriptor) bool {
	return fieldbehavior.Has(f, annotations.FieldBehavior_OUTPUT_ONLY) || fieldbehavior.Has(f, annotations.FieldBehavior_IDENTIFIER)
}

func immutable(f protoreflect.FieldDescriptor) bool {
	return fieldbehavior.Has(f, annotations.FieldBehavior_IMMUTABLE)
}

func same(a, b protoreflect.Message, f protoreflect.FieldDescriptor) bool {
	return a.Has(f) == b.Has(f) && a.Get(f).Equal(b.Get(f))
}
