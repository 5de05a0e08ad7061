package rpc

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/trama-suite/trama/services/platform/errs"
)

// validator is built once for the process; it compiles a message's rules when
// it first meets the message.
var validator = sync.OnceValues(func() (protovalidate.Validator, error) { return protovalidate.New() })

// validation checks requests against the buf.validate annotations.
type validation struct {
	validator protovalidate.Validator
	updates   map[string]*update // by full method name
}

// newValidation compiles the rules of the methods' requests, so that the first
// calls do not pay for it and a rule that does not compile keeps the server
// from starting.
func newValidation(methods map[string]protoreflect.MethodDescriptor) (*validation, error) {
	v := &validation{updates: map[string]*update{}}
	inputs := make([]protoreflect.MessageDescriptor, 0, len(methods))
	for name, md := range methods {
		inputs = append(inputs, md.Input())
		if u := updateOf(md.Input()); u != nil {
			v.updates[name] = u
		}
	}
	var err error
	v.validator, err = protovalidate.New(protovalidate.WithMessageDescriptors(inputs...))
	if err != nil {
		return nil, fmt.Errorf("validation rules: %w", err)
	}
	return v, nil
}

func (v *validation) request(method string, m proto.Message) error {
	if u := v.updates[method]; u != nil {
		if filter := u.filter(m.ProtoReflect()); filter != nil {
			return check(v.validator, m, protovalidate.WithFilter(filter))
		}
	}
	return check(v.validator, m)
}

// What a caller learns of a request is bounded: an entry of a list takes two
// bytes and can break a rule of its own, and telling of that takes hundreds.
const (
	// longRequest is how many bytes a request has before its entries are counted.
	longRequest = 64 << 10
	// maxEntries is how many entries of lists and maps a request has at most for
	// all that is wrong with it to be told; of others it is the first thing.
	maxEntries = 10_000
	// maxViolations is how many fields an error names at most.
	maxViolations = 100
)

func check(v protovalidate.Validator, m proto.Message, options ...protovalidate.ValidationOption) error {
	if proto.Size(m) > longRequest && entries(m.ProtoReflect()) > maxEntries {
		options = append(options, protovalidate.WithFailFast())
	}
	return violations(v.Validate(m, options...))
}

// entries counts the entries of lists and maps in a message, and stops where
// there are too many.
func entries(m protoreflect.Message) int {
	n := 0
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap():
			n += v.Map().Len()
			if f.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
					n += entries(v.Message())
					return n <= maxEntries
				})
			}
		case f.IsList():
			n += v.List().Len()
			for i := 0; f.Message() != nil && i < v.List().Len() && n <= maxEntries; i++ {
				n += entries(v.List().Get(i).Message())
			}
		case f.Message() != nil:
			n += entries(v.Message())
		}
		return n <= maxEntries
	})
	return n
}

// update is the shape of a request of a standard Update method (AIP-134): a
// resource and an update_mask.
type update struct {
	resource, mask protoreflect.FieldDescriptor
}

func updateOf(request protoreflect.MessageDescriptor) *update {
	mask := request.Fields().ByName("update_mask")
	if mask == nil || mask.Message() == nil || mask.Message().FullName() != "google.protobuf.FieldMask" {
		return nil
	}
	for i := range request.Fields().Len() {
		f := request.Fields().Get(i)
		if f != mask && f.Message() != nil && !f.IsList() && !f.IsMap() {
			return &update{resource: f, mask: mask}
		}
	}
	return nil
}

// filter validates of the resource only the fields that the update is about:
// a partial resource lacks fields that a whole one requires. UpdateMask checks
// the whole result.
func (u *update) filter(request protoreflect.Message) protovalidate.Filter {
	resource := request.Get(u.resource).Message()
	var paths []string
	if fm, ok := request.Get(u.mask).Message().Interface().(*fieldmaskpb.FieldMask); ok {
		paths = fm.GetPaths()
	}
	if slices.Contains(paths, "*") {
		return nil
	}
	// For each message of which only a part is meant, the fields that are.
	parts := map[protoreflect.Message]map[protoreflect.Name]bool{resource: {}}
	for _, p := range paths {
		mark(parts, resource, p)
	}
	return protovalidate.FilterFunc(func(m protoreflect.Message, d protoreflect.Descriptor) bool {
		part, partial := parts[m]
		if !partial {
			return true
		}
		f, ok := d.(protoreflect.FieldDescriptor)
		switch {
		case !ok:
			return false // rules of the message as a whole
		case len(paths) == 0:
			return m.Has(f)
		}
		return part[f.Name()]
	})
}

// mark notes one path of the mask, whose fields may not exist: UpdateMask says so.
func mark(parts map[protoreflect.Message]map[protoreflect.Name]bool, m protoreflect.Message, path string) {
	for path != "" {
		name, rest, _ := strings.Cut(path, ".")
		f := m.Descriptor().Fields().ByName(protoreflect.Name(name))
		if f == nil {
			return
		}
		nested := rest != "" && f.Message() != nil && !f.IsList() && !f.IsMap()
		if nested && !m.Has(f) {
			return // clears a field of a message that is not there
		}
		whole := parts[m][f.Name()]
		parts[m][f.Name()] = true
		if !nested {
			if f.Message() != nil && !f.IsList() && !f.IsMap() {
				delete(parts, m.Get(f).Message()) // all of it is meant
			}
			return
		}
		inner := m.Get(f).Message()
		if parts[inner] == nil {
			if whole {
				return
			}
			parts[inner] = map[protoreflect.Name]bool{}
		}
		m, path = inner, rest
	}
}

// Validate checks a message against its buf.validate annotations and returns
// an INVALID_REQUEST with one field violation for each broken rule, within bounds. Requests
// have been through it before the handler sees them.
func Validate(m proto.Message) error {
	v, err := validator()
	if err != nil {
		return fmt.Errorf("validation rules: %w", err)
	}
	return check(v, m)
}

// violations turns the validator's answer into an error of the suite's.
func violations(err error) error {
	if err == nil {
		return nil
	}
	invalid, ok := errors.AsType[*protovalidate.ValidationError](err)
	if !ok {
		return fmt.Errorf("validation: %w", err)
	}
	out := errs.New(errs.Invalid, errs.InvalidRequest, "")
	for _, v := range invalid.Violations[:min(len(invalid.Violations), maxViolations)] {
		out.Fields = append(out.Fields, errs.Field{
			Path:        protovalidate.FieldPathString(v.Proto.GetField()),
			Reason:      errs.Reason(strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(v.Proto.GetRuleId()))),
			Description: v.Proto.GetMessage(),
		})
	}
	out.Message = summary(out.Fields)
	return out
}

// summary names the first thing that is wrong, and how many more there are.
func summary(fields []errs.Field) string {
	if len(fields) == 0 {
		return "the request breaks a rule"
	}
	text := fields[0].Description
	if fields[0].Path != "" {
		text = fields[0].Path + ": " + text
	}
	if more := len(fields) - 1; more > 0 {
		text = fmt.Sprintf("%s (and %d more)", text, more)
	}
	return text
}
