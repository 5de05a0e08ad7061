package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
)

// method is one RPC and what its options say of it.
type method struct {
	protoreflect.MethodDescriptor
	service        string // "catalogue"
	access         *authzv1.Access
	verb, template string    // of its HTTP route
	body           string    // field that is the body, "*" for all, "" for none
	bound          []binding // fields in the path
}

// binding is a field of the request that stands in the path, and the pattern of
// the resource name that it takes.
type binding struct{ field, pattern string }

// path is the method's full name as gRPC writes it.
func (m method) path() string {
	return "/" + string(m.Parent().FullName()) + "/" + string(m.Name())
}

// short is Service.Method.
func (m method) short() string { return string(m.Parent().Name()) + "." + string(m.Name()) }

func (m method) reads() bool { return m.verb == "GET" }

func (m method) newRequest() proto.Message {
	t, err := protoregistry.GlobalTypes.FindMessageByName(m.Input().FullName())
	if err != nil {
		panic(err) // the generated packages are linked in
	}
	return t.New().Interface()
}

func (m method) newResponse() proto.Message {
	t, err := protoregistry.GlobalTypes.FindMessageByName(m.Output().FullName())
	if err != nil {
		panic(err)
	}
	return t.New().Interface()
}

var placeholder = regexp.MustCompile(`\{([a-z_0-9.]+)=([^}]+)\}`)

// allMethods lists every RPC of every service of the suite, from the registry:
// a new one is in all the tests that go over them.
func allMethods() []method {
	var out []method
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(f.Package()), "trama.") {
			return true
		}
		for i := range f.Services().Len() {
			for j := range f.Services().Get(i).Methods().Len() {
				out = append(out, newMethods(f.Services().Get(i).Methods().Get(j))...)
			}
		}
		return true
	})
	slices.SortFunc(out, func(a, b method) int { return strings.Compare(a.path()+" "+a.template, b.path()+" "+b.template) })
	return out
}

// uploadTemplate is the route of the one RPC that has none in its options: the
// gateway makes a stream of the body.
const uploadTemplate = "/v1/{header.parent=projects/*}/files"

// newMethods lists an RPC once for each of its HTTP routes.
func newMethods(d protoreflect.MethodDescriptor) []method {
	if d.IsStreamingClient() {
		return []method{newMethod(d, &annotations.HttpRule{Pattern: &annotations.HttpRule_Post{Post: uploadTemplate}})}
	}
	rule, _ := proto.GetExtension(d.Options(), annotations.E_Http).(*annotations.HttpRule)
	out := []method{newMethod(d, rule)}
	for _, more := range rule.GetAdditionalBindings() {
		out = append(out, newMethod(d, more))
	}
	return out
}

func newMethod(d protoreflect.MethodDescriptor, rule *annotations.HttpRule) method {
	m := method{MethodDescriptor: d, service: strings.Split(string(d.FullName()), ".")[1]}
	m.access, _ = proto.GetExtension(d.Options(), authzv1.E_Access).(*authzv1.Access)
	for verb, template := range map[string]string{
		"GET": rule.GetGet(), "POST": rule.GetPost(), "PATCH": rule.GetPatch(), "DELETE": rule.GetDelete(), "PUT": rule.GetPut(),
	} {
		if template != "" {
			m.verb, m.template = verb, template
		}
	}
	m.body = rule.GetBody()
	for _, p := range placeholder.FindAllStringSubmatch(m.template, -1) {
		m.bound = append(m.bound, binding{p[1], p[2]})
	}
	return m
}

// namesOf gives the resource name that stands for a pattern in a method.
type namesOf func(m method, pattern string) string

// minimal builds the smallest request that the rules of shape let through: what
// is required, and nothing else. Rules of the domain are met by overrides.
func minimal(m method, names namesOf) proto.Message {
	req := m.newRequest()
	f := filler{m: m, names: names}
	f.fill(req.ProtoReflect(), m.verb == "PATCH", 0)
	if m.verb == "PATCH" {
		f.update(req.ProtoReflect())
	}
	for _, b := range m.bound {
		setPath(req.ProtoReflect(), b.field, names(m, b.pattern))
	}
	return req
}

type filler struct {
	m     method
	names namesOf
}

func (f filler) fill(m protoreflect.Message, update bool, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if !needed(fd) || depth > 6 || (update && depth > 0) {
			continue
		}
		switch {
		case fd.IsMap():
		case fd.IsList():
			list := m.Mutable(fd).List()
			if fd.Message() != nil {
				f.message(list.AppendMutable().Message(), fd, update, depth)
			} else {
				list.Append(f.scalar(fd, rulesOf(fd).GetRepeated().GetItems()))
			}
		case fd.Message() != nil:
			f.message(m.Mutable(fd).Message(), fd, update, depth)
		default:
			m.Set(fd, f.scalar(fd, rulesOf(fd)))
		}
	}
}

func (f filler) message(m protoreflect.Message, fd protoreflect.FieldDescriptor, update bool, depth int) {
	switch v := m.Interface().(type) {
	case *typev1.LocalizedText:
		v.Text, v.LanguageCode = "Prova", "it"
	case *typev1.Money:
		v.MinorUnits, v.CurrencyCode = 100, "EUR"
	case *timestamppb.Timestamp:
		at := time.Now().Add(48 * time.Hour)
		if late(fd) {
			at = at.Add(time.Hour)
		}
		proto.Merge(v, timestamppb.New(at))
	default:
		f.fill(m, update, depth+1)
	}
}

// late tells the end of a period from its beginning.
func late(fd protoreflect.FieldDescriptor) bool {
	name := string(fd.Name())
	return strings.Contains(name, "end") || strings.HasPrefix(name, "out") || strings.Contains(name, "due") || strings.Contains(name, "until")
}

// update names something harmless to change.
func (f filler) update(req protoreflect.Message) {
	mask := req.Descriptor().Fields().ByName("update_mask")
	for i := range req.Descriptor().Fields().Len() {
		fd := req.Descriptor().Fields().Get(i)
		if fd == mask || fd.Message() == nil || !needed(fd) {
			continue
		}
		resource := req.Mutable(fd).Message()
		for _, name := range []protoreflect.Name{"title", "display_name", "label", "given_name", "description", "method"} {
			field := resource.Descriptor().Fields().ByName(name)
			if field == nil {
				continue
			}
			if field.Message() != nil {
				f.message(resource.Mutable(field).Message(), field, false, 0)
			} else {
				resource.Set(field, protoreflect.ValueOfString("Prova"))
			}
			req.Set(mask, protoreflect.ValueOfMessage((&fieldmaskpb.FieldMask{Paths: []string{string(name)}}).ProtoReflect()))
			break
		}
	}
}

func behaviours(fd protoreflect.FieldDescriptor) []annotations.FieldBehavior {
	b, _ := proto.GetExtension(fd.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
	return b
}

func rulesOf(fd protoreflect.FieldDescriptor) *validate.FieldRules {
	r, _ := proto.GetExtension(fd.Options(), validate.E_Field).(*validate.FieldRules)
	return r
}

// needed reports whether a request without the field breaks a rule of shape.
func needed(fd protoreflect.FieldDescriptor) bool {
	b, r := behaviours(fd), rulesOf(fd)
	switch {
	case slices.Contains(b, annotations.FieldBehavior_OUTPUT_ONLY):
		return false
	case slices.Contains(b, annotations.FieldBehavior_REQUIRED), r.GetRequired():
		return true
	case r.GetIgnore() == validate.Ignore_IGNORE_IF_ZERO_VALUE, fd.HasPresence():
		return false
	case fd.IsList():
		return r.GetRepeated().GetMinItems() > 0
	case fd.Kind() == protoreflect.StringKind:
		return r.GetString().GetMinLen() > 0 || r.GetString().GetConst() != "" || len(r.GetString().GetIn()) > 0 ||
			r.GetString().GetPattern() != "" && !regexp.MustCompile(r.GetString().GetPattern()).MatchString("")
	case fd.Enum() != nil:
		return slices.Contains(r.GetEnum().GetNotIn(), 0)
	case fd.Kind() == protoreflect.Int32Kind:
		return r.GetInt32().GetGte() > 0 || r.GetInt32().HasGt() && r.GetInt32().GetGt() >= 0
	case fd.Kind() == protoreflect.Int64Kind:
		return r.GetInt64().GetGte() > 0 || r.GetInt64().HasGt() && r.GetInt64().GetGt() >= 0
	case fd.Kind() == protoreflect.BytesKind:
		return r.GetBytes().GetMinLen() > 0
	}
	return false
}

func (f filler) scalar(fd protoreflect.FieldDescriptor, r *validate.FieldRules) protoreflect.Value {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(f.text(fd, r.GetString()))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte("x"))
	case protoreflect.EnumKind:
		for i := range fd.Enum().Values().Len() {
			n := fd.Enum().Values().Get(i).Number()
			if in := r.GetEnum().GetIn(); n != 0 && !slices.Contains(r.GetEnum().GetNotIn(), int32(n)) && (len(in) == 0 || slices.Contains(in, int32(n))) {
				return protoreflect.ValueOfEnum(n)
			}
		}
		return fd.Default()
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(max(1, r.GetInt32().GetGte(), r.GetInt32().GetGt()+1))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(max(1, r.GetInt64().GetGte(), r.GetInt64().GetGt()+1))
	default:
		panic(fmt.Sprintf("no value for %s of kind %s", fd.FullName(), fd.Kind()))
	}
}

// texts are tried against a field's pattern in this order.
var texts = []string{
	"it", "IT", "EUR", "h", "1", "a", "prova", "handbook", "https://example.org/prova", "IT-21", "it-21", "ITC11", "1.5", "001272", "digcomp-2.2",
	strings.Repeat("0", 64),
}

func (f filler) text(fd protoreflect.FieldDescriptor, r *validate.StringRules) string {
	switch {
	case r.GetConst() != "":
		return r.GetConst()
	case len(r.GetIn()) > 0:
		return r.GetIn()[0]
	case r.GetPattern() == "":
		return strings.Repeat("p", int(max(1, r.GetMinLen())))
	}
	if name, ok := resourcePattern(r.GetPattern()); ok {
		return f.names(f.m, name)
	}
	pattern := regexp.MustCompile(r.GetPattern())
	candidates := append([]string{day(1)}, texts...)
	if late(fd) {
		candidates[0] = day(20)
	}
	for _, c := range candidates {
		if pattern.MatchString(c) {
			return c
		}
	}
	panic(fmt.Sprintf("no text for %s with pattern %s", fd.FullName(), r.GetPattern()))
}

const anyUUID = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`

var (
	choice  = regexp.MustCompile(`/\([a-z|]+\)`)
	maybe   = regexp.MustCompile(`^\(([^()]+)\)\?$`)
	uuid    = regexp.MustCompile(anyUUID)
	unnamed = strings.NewReplacer(
		"("+anyUUID+"|-)", "*", "(-|"+anyUUID+")", "*", "(projects/"+anyUUID+"/)?", "", anyUUID, "*", "[0-9a-f-]{36}", "*",
		"[1-9][0-9]{0,8}", "*", "[1-9][0-9]{0,5}", "*", "[a-z][a-z0-9-]{0,59}", "*", "[a-z][a-z0-9-]{0,39}", "*", "[a-z0-9][a-z0-9-]{0,62}", "*",
		"^", "", "$", "",
	)
)

// resourcePattern turns the validation rule of a resource name into the pattern
// that routes write: ^needs/[0-9a-f]{8}-…$ is needs/*.
func resourcePattern(rule string) (string, bool) {
	name := maybe.ReplaceAllString(choice.ReplaceAllString(unnamed.Replace(rule), "/*"), "$1")
	return name, strings.Contains(name, "/*") && !strings.ContainsAny(name, "[{")
}

// setPath sets a text field at a path such as need.name.
func setPath(m protoreflect.Message, path, value string) {
	first, rest, nested := strings.Cut(path, ".")
	fd := m.Descriptor().Fields().ByName(protoreflect.Name(first))
	if nested {
		setPath(m.Mutable(fd).Message(), rest, value)
		return
	}
	m.Set(fd, protoreflect.ValueOfString(value))
}

// getPath reads a text field at a path, "" where it is not there.
func getPath(m protoreflect.Message, path string) string {
	first, rest, nested := strings.Cut(path, ".")
	fd := m.Descriptor().Fields().ByName(protoreflect.Name(first))
	if fd == nil {
		return ""
	}
	if nested {
		return getPath(m.Get(fd).Message(), rest)
	}
	return m.Get(fd).String()
}

// references lists the set fields that hold the name of a resource, of the
// request and of the resource in it, with their patterns.
func references(m protoreflect.Message, prefix string) []binding {
	var out []binding
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsList() || fd.IsMap():
		case fd.Kind() == protoreflect.StringKind:
			if pattern, ok := resourcePattern(rulesOf(fd).GetString().GetPattern()); ok {
				out = append(out, binding{prefix + string(fd.Name()), pattern})
			}
		case fd.Message() != nil && prefix == "":
			out = append(out, references(v.Message(), string(fd.Name())+".")...)
		}
		return true
	})
	slices.SortFunc(out, func(a, b binding) int { return strings.Compare(a.field, b.field) })
	return out
}
