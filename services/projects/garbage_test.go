package projects_test

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// garbage fills requests with values that are wrong in most fields and plausible
// in some, so that many get past the checks of shape.
type garbage struct {
	random  *rand.Rand
	strings map[string][]string // by field name; "" for any field
	names   map[string]string   // by a word of the method's name
}

func (g *garbage) fill(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if g.random.IntN(8) == 0 || depth > 4 {
			continue
		}
		switch {
		case f.IsMap():
			m.Mutable(f).Map().Set(protoreflect.ValueOfString(g.text("key")).MapKey(), protoreflect.ValueOfString(g.text("")))
		case f.IsList():
			list := m.Mutable(f).List()
			for range g.random.IntN(3) {
				if f.Message() != nil {
					g.fill(list.AppendMutable().Message(), depth+1)
				} else {
					list.Append(g.scalar(f))
				}
			}
		case f.Message() != nil:
			g.fill(m.Mutable(f).Message(), depth+1)
		default:
			m.Set(f, g.scalar(f))
		}
	}
}

func (g *garbage) text(field string) string {
	of := g.strings[field]
	if len(of) == 0 || g.random.IntN(60) == 0 {
		of = g.strings[""]
	}
	return of[g.random.IntN(len(of))]
}

func (g *garbage) scalar(f protoreflect.FieldDescriptor) protoreflect.Value {
	n := 1 + g.random.Int64N(3)
	if g.random.IntN(20) == 0 {
		wild := []int64{0, 5, 100, 10_000, -1, 1_000_000_000_000_000, math.MaxInt32, math.MaxInt64, math.MinInt64}
		n = wild[g.random.IntN(len(wild))]
	}
	switch f.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(g.text(string(f.Name())))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(n > 1)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(n % 12))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(g.text(string(f.Name()))))
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(n))
	default:
		return protoreflect.ValueOfInt64(n)
	}
}

// TestNoRequestMakesTheServerFail sends many requests to every method: whatever
// is in them, the answer is never INTERNAL.
func TestNoRequestMakesTheServerFail(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		w := build(t, s)
		p := w.p.GetName()
		lesson := must[*projectsv1.Lesson](t)(s.CreateLesson(s.As(manager, leader), &projectsv1.CreateLessonRequest{Parent: p,
			Lesson: &projectsv1.Lesson{Title: text("x"), WhatHappened: text("x"), Recommendation: text("x")}}))
		r := w.registers()
		names := []string{p, p + "/dashboard", p + "/gates/rfp", p + "/gates/rfe", "gateTemplates/default", w.task.GetName(), w.risk.GetName(), w.thing.GetName(),
			w.lines[leader].GetName(), w.spent[leader].GetName(), lesson.GetName(), p + "/tasks/00000000-0000-7000-8000-000000000000", "projects/-"}
		dates := []string{"2026-01-05", "2026-01-05", "2026-12-31", "2026-12-31", "2026-03-01", "2026-02-30", "9999-12-31", ""}
		times := []string{"2026-03-01T08:00", "2026-12-31T17:00", "2026-02-30T08:00", ""}
		organisations := []string{leader, member, other, stranger, ""}
		g := &garbage{random: rand.New(rand.NewPCG(3, 14)), names: map[string]string{
			"Task": w.task.GetName(), "Risk": w.risk.GetName(), "Deliverable": w.thing.GetName(), "BudgetLine": w.lines[leader].GetName(), "Expenditure": w.spent[leader].GetName(),
			"Lesson": lesson.GetName(), "Dashboard": p + "/dashboard", "Template": "gateTemplates/default", "Artefact": p + "/gates/rfp", "GetGate": p + "/gates/rfe", "RequestGate": p + "/gates/rfp", "Project": p,
			"Issue": r.issue.GetName(), "Decision": r.decision.GetName(), "ChangeRequest": r.change.GetName(), "Communication": r.communication.GetName(),
			"Procurement": r.procurement.GetName(), "QualityCheck": r.check.GetName(), "Responsibility": r.responsibility.GetName(), "RaiseIssue": w.risk.GetName(),
			"GateApproval": r.approval.GetName(), "ApproveGate": r.approval.GetName(), "RejectGate": r.approval.GetName(), "WithdrawGate": r.approval.GetName(),
		}, strings: map[string][]string{
			"": {"", "x", "à é ☂", "a\x00b", "' OR 1=1 --", "\u202e", "10000-01-01"}, "name": names, "parent": {p, p, p, "projects/-", "projects/x"},
			"organisation": organisations, "start_date": dates, "end_date": dates, "due_date": dates, "deadline_time": times, "time": times, "levelled_start_time": times, "date": dates,
			"actual_start_date": dates, "actual_finish_date": dates, "currency_code": {"EUR", "EUR", "EUR", "EUR", "SEK"}, "language_code": {"it"},
			"text": {"testo", "testo", "testo", ""}, "key": {"sample", "en"}, "task": {w.task.GetName()}, "parent_task": {"", w.task.GetName()},
			"budget_line": {w.lines[leader].GetName(), w.lines[member].GetName()}, "artefact": {"business-case", "handbook", "charter", "new"},
			"uri": {"https://example.org/a", ""}, "sha256": {""}, "etag": {"", "", "", "v1", "v2", "W/\"v1\""}, "request_id": {""}, "reason": {"perché", " "},
			"filter": {"", "state = X", "a\x00", "phase = PHASE_PLANNING", "((("}, "order_by": {"", "create_time desc", "nothing"}, "page_token": {"", "x"},
			"paths": {"title", "*", "name", "title.text", "nothing", "start_date", "gates"}, "gate": {"rfp", "rfe", "rfc", "close"}, "cup": {"", "B11B23000110001"},
			"match": {"matches/00000000-0000-7000-8000-000000000000"},
		}}
		as := s.As(operator, "")
		answers := map[codes.Code]int{}
		for _, method := range methods() {
			g.strings["name"] = names
			longest := ""
			for word, name := range g.names {
				if strings.Contains(string(method.Name()), word) && len(word) > len(longest) {
					longest, g.strings["name"] = word, []string{name}
				}
			}
			for range 40 {
				req, resp := message(t, method.Input()), message(t, method.Output())
				g.fill(req.ProtoReflect(), 0)
				err := call1(as, s.Conn, method, req, resp)
				code := status.Code(err)
				answers[code]++
				if code == codes.Internal || code == codes.Unknown {
					t.Errorf("%s of %v: %v", method.Name(), req, err)
				}
			}
		}
		if answers[codes.OK] < 50 || answers[codes.InvalidArgument] < 50 || answers[codes.FailedPrecondition] < 10 {
			t.Errorf("the requests are not varied enough: %v", answers)
		}
		t.Log(answers)
	})
}

// call1 makes a call with one request; the answers of a method that streams a file
// are read to their end.
func call1(ctx context.Context, conn grpc.ClientConnInterface, method protoreflect.MethodDescriptor, req, resp proto.Message) error {
	name := "/" + string(method.Parent().FullName()) + "/" + string(method.Name())
	if !method.IsStreamingClient() && !method.IsStreamingServer() {
		return conn.Invoke(ctx, name, req, resp)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: method.IsStreamingClient(), ServerStreams: method.IsStreamingServer()}, name)
	if err != nil {
		return err
	}
	if err := stream.SendMsg(req); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for err = stream.RecvMsg(resp); err == nil && method.Output().FullName() == "google.api.HttpBody"; {
		if err = stream.RecvMsg(resp); errors.Is(err, io.EOF) {
			return nil
		}
	}
	return err
}

// methods are those of all services of the package, always in the same order.
func methods() []protoreflect.MethodDescriptor {
	var out []protoreflect.MethodDescriptor
	protoregistry.GlobalFiles.RangeFilesByPackage(projectsv1.File_trama_projects_v1_project_proto.Package(), func(d protoreflect.FileDescriptor) bool {
		for i := range d.Services().Len() {
			for k := range d.Services().Get(i).Methods().Len() {
				out = append(out, d.Services().Get(i).Methods().Get(k))
			}
		}
		return true
	})
	slices.SortFunc(out, func(a, b protoreflect.MethodDescriptor) int {
		return strings.Compare(string(a.FullName()), string(b.FullName()))
	})
	return out
}

func message(t *testing.T, d protoreflect.MessageDescriptor) proto.Message {
	t.Helper()
	kind, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
	if err != nil {
		t.Fatal(err)
	}
	return kind.New().Interface()
}
