package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// fuzzSeed makes a run repeatable; rounds are the messages for each RPC.
const (
	fuzzSeed = 20261121
	rounds   = 20
)

// garbage fills requests of any kind: with values that are wrong in all the ways
// that the types allow, among plausible ones, so that many get past the checks
// of shape and into the domain.
type garbage struct {
	*rand.Rand
	world *world
}

// oddTexts break what reads text: encodings, patterns, filters, names, SQL.
var oddTexts = []string{
	"", " ", "\x00", "a\x00b", "\u202e\u0000", "è", "e\u0301", "🧶", "\ufeff", "\u2028", "'; DROP TABLE needs; --", `"`, `\`, "%", "%00", "_", "../..", "/", "//", ":",
	"needs/", "needs/-", "organisations/*", "projects/-", "-", "*", "1", "-1", "0", "00", "1e400", "NaN", "Infinity", "9223372036854775808", "1/0", "0/0", "1/3",
	"2026-02-30", "0000-00-00", "9999-12-31", "0001-01-01", "2026-01-01", "24:00", "it", "xx-XX", "IT", "EUR", "XXX", "true", "null", "{}", "[]",
	"title = \"x\"", "title:", "NOT", "((((((((((", "a AND b OR NOT c", "create_time > \"2026-01-01T00:00:00Z\"", "title desc, title asc", "state = 1", "x.y.z = 1",
	strings.Repeat("x", 300), strings.Repeat("è", 5_000), strings.Repeat("(", 1_500), strings.Repeat("a ", 900), "AAAAAAAAAAA", "\u0130", "ß", "٣",
}

func (g *garbage) fill(m protoreflect.Message, depth int) {
	for i := range m.Descriptor().Fields().Len() {
		fd := m.Descriptor().Fields().Get(i)
		if g.IntN(5) < 2 || depth > 5 {
			continue
		}
		switch {
		case fd.IsMap():
			key := protoreflect.ValueOfString(g.text(fd.MapKey())).MapKey()
			if fd.MapValue().Message() == nil {
				m.Mutable(fd).Map().Set(key, g.scalar(fd.MapValue()))
			}
		case fd.IsList():
			list := m.Mutable(fd).List()
			for range g.IntN(4) {
				if fd.Message() != nil {
					g.fill(list.AppendMutable().Message(), depth+1)
				} else {
					list.Append(g.scalar(fd))
				}
			}
		case fd.Message() != nil:
			g.fill(m.Mutable(fd).Message(), depth+1)
		default:
			m.Set(fd, g.scalar(fd))
		}
	}
}

// text is for a field: often what it should be, sometimes anything.
func (g *garbage) text(fd protoreflect.FieldDescriptor) string {
	if g.IntN(3) > 0 {
		if pattern, ok := resourcePattern(rulesOf(fd).GetString().GetPattern()); ok {
			if name, ok := g.world.names[pattern]; ok {
				return g.damaged(name)
			}
		}
		for _, candidate := range texts {
			if g.IntN(4) == 0 {
				return candidate
			}
		}
	}
	if g.IntN(4) == 0 {
		patterns := slices.Sorted(maps.Keys(g.world.names)) // of whatever
		return g.damaged(g.world.names[patterns[g.IntN(len(patterns))]])
	}
	return oddTexts[g.IntN(len(oddTexts))]
}

// damaged is a name as it is, mostly.
func (g *garbage) damaged(name string) string {
	switch g.IntN(12) {
	case 0:
		return uuid.ReplaceAllString(name, absentID)
	case 1:
		return strings.ToUpper(name)
	case 2:
		return name[:g.IntN(len(name))]
	}
	return name
}

var (
	oddIntegers = []int64{0, 1, 2, 5, 100, -1, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64, 1 << 53, 253402300800}
	oddFloats   = []float64{0, -0.5, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64}
)

func (g *garbage) scalar(fd protoreflect.FieldDescriptor) protoreflect.Value {
	n := 1 + g.Int64N(4)
	if g.IntN(3) == 0 {
		n = oddIntegers[g.IntN(len(oddIntegers))]
	}
	switch fd.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(strings.ToValidUTF8(g.text(fd), "?"))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(g.text(fd)))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(n%2 == 0)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(int32(n)))
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(n))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(n))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(uint64(n))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(oddFloats[g.IntN(len(oddFloats))]))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(oddFloats[g.IntN(len(oddFloats))])
	default:
		return protoreflect.ValueOfInt64(n)
	}
}

// message makes a request: a minimal one, one that is garbage, or both on top of
// each other.
func (g *garbage) message(m method) proto.Message {
	req := m.newRequest()
	switch g.IntN(3) {
	case 0:
		g.fill(req.ProtoReflect(), 0)
	case 1:
		req = minimal(m, g.world.name)
		g.fill(req.ProtoReflect(), 0)
	default: // right in most, wrong in one field
		req = minimal(m, g.world.name)
		spot := m.newRequest()
		g.fill(spot.ProtoReflect(), 3)
		proto.Merge(req, spot)
	}
	for _, b := range m.bound {
		if g.IntN(4) > 0 {
			setPath(req.ProtoReflect(), b.field, g.damaged(g.world.name(m, b.pattern)))
		}
	}
	return req
}

// json makes a body for REST: the message's, sometimes broken in places that only
// JSON has.
func (g *garbage) json(req proto.Message) []byte {
	body, err := protojson.Marshal(req)
	if err != nil { // a time that does not exist has no JSON
		body = []byte(`{"name":null}`)
	}
	switch g.IntN(8) {
	case 0:
		body = body[:g.IntN(len(body)+1)]
	case 1:
		body[g.IntN(len(body))] = byte(g.IntN(256))
	case 2:
		body = bytes.ReplaceAll(body, []byte(`":"`), []byte(`":["`))
	case 3:
		body = bytes.Replace(body, []byte(`"`), []byte(`"\ud800`), 1+g.IntN(3))
	case 4:
		body = bytes.ReplaceAll(body, []byte(`":`), []byte(`":-1e999,"x":`))
	}
	return body
}

// path makes the path of a REST request for a method, with odd names in it.
func (g *garbage) path(m method, req proto.Message) string {
	r, err := m.request(req.ProtoReflect())
	if err != nil {
		r.path = "/v1/" + url.PathEscape(oddTexts[g.IntN(len(oddTexts))])
	}
	if g.IntN(6) == 0 {
		r.path += "?" + url.QueryEscape(oddTexts[g.IntN(len(oddTexts))]) + "=" + url.QueryEscape(oddTexts[g.IntN(len(oddTexts))])
	}
	return r.path
}

// TestFuzzEveryRPC: whatever is sent to whatever method, as the operator, the
// answer is never that the server failed, and the server lives.
func TestFuzzEveryRPC(t *testing.T) {
	eachShape(t, func(t *testing.T, s *shape) {
		w := newWorld(t, s, "Rumore")
		token := s.operator(t).Token
		codes := map[string]int{}
		for i, m := range allMethods() {
			g := &garbage{rand.New(rand.NewPCG(fuzzSeed, uint64(i))), w}
			for n := range rounds {
				req := g.message(m)
				got := s.overGRPC(t, m, token, req)
				codes[got.code.String()]++
				if got.broken() {
					t.Errorf("%s, round %d: %s\n%v", m.short(), n, got, req)
				}
				if s.name != "one process" {
					continue
				}
				req = g.message(m)
				r := request{method: m.verb, path: g.path(m, req), token: token}
				if m.verb == http.MethodPost || m.verb == http.MethodPatch {
					r.body = bytes.NewReader(g.json(part(m, req)))
				}
				a := s.ask(t, m, r)
				codes[fmt.Sprint(a.status)]++
				if a.status >= 500 || a.status >= 400 && a.problem().Reason == "" {
					t.Errorf("%s, round %d: %s %s: %d %s", m.short(), n, r.method, r.path, a.status, a.body)
				}
			}
		}
		t.Logf("%v", codes)
		until(t, "all checks to be well", func() bool { return len(s.failing(t)) == 0 })
	})
}

// ask makes the request; of an endless stream it reads the first event.
func (s *shape) ask(t *testing.T, m method, r request) answer {
	t.Helper()
	if m.endless() {
		return s.firstEvent(t, r)
	}
	return s.do(t, r)
}

// part is what of a request stands in the body.
func part(m method, req proto.Message) proto.Message {
	if m.body == "" || m.body == "*" {
		return req
	}
	return req.ProtoReflect().Get(req.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(m.body))).Message().Interface()
}

// FuzzREST sends any request to a running suite:
//
//	go test ./gateway/e2e -run '^$' -fuzz FuzzREST
func FuzzREST(f *testing.F) {
	s, token := fuzzed(f)
	for _, m := range allMethods() {
		f.Add(m.verb, strings.NewReplacer("{", "", "}", "", "=", "/").Replace(m.template), []byte(`{"title": {"text": "Prova", "languageCode": "it"}}`))
	}
	f.Add("GET", "/v1/needs?filter=state%20%3D%20(&orderBy=title&pageToken=abc", []byte(nil))
	f.Fuzz(func(t *testing.T, method, path string, body []byte) {
		target, err := url.Parse(s.base + path)
		if err != nil || !strings.HasPrefix(path, "/") {
			return // no client can ask that
		}
		req, err := http.NewRequestWithContext(t.Context(), method, target.String(), bytes.NewReader(body))
		if err != nil {
			return
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := httpClient.Do(req)
		if err != nil {
			// It may be no request that HTTP knows; then the suite lives.
			if !s.ready() {
				t.Fatalf("%s %s: %v, and the suite is not ready any more", method, path, err)
			}
			return
		}
		_ = res.Body.Close()
		if res.StatusCode >= 500 {
			t.Errorf("%s %s: %s", method, path, res.Status)
		}
	})
}

// The fuzzer's workers are processes of their own. They find here the suite that
// the first process has started.
const fuzzedBase, fuzzedToken = "TRAMA_E2E_BASE", "TRAMA_E2E_TOKEN"

func fuzzed(f *testing.F) (*shape, string) {
	f.Helper()
	if base := os.Getenv(fuzzedBase); base != "" {
		return &shape{base: base}, os.Getenv(fuzzedToken)
	}
	s, err := shapes["one process"]()
	if err != nil {
		f.Fatal(err)
	}
	token := s.token(f, "e2e-operator", operatorRole)
	f.Setenv(fuzzedBase, s.base)
	f.Setenv(fuzzedToken, token)
	return s, token
}
