package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/trama-suite/trama/gateway/rest"
	"github.com/trama-suite/trama/gateway/suite"
	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/config"
	"github.com/trama-suite/trama/services/platform/rpc"
)

// bed is a suite with something in it, and a bare handler that answers with the
// same bytes.
type bed struct {
	dir    string
	suite  *suite.Suite
	bare   *http.Server
	http   *http.Client
	token  string
	org    string
	need   string // the one that is read
	url    string
	plain  string
	inproc cataloguev1.NeedServiceClient
	tcp    cataloguev1.NeedServiceClient
	conn   *rpc.Client
}

// listSize is how many needs a list holds.
const listSize = 50

func newBed(ctx context.Context) (_ *bed, err error) {
	b := &bed{}
	if b.dir, err = os.MkdirTemp("", "trama-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	cfg := config.Default()
	cfg.DataDir, cfg.HTTP, cfg.GRPC, cfg.LogLevel = b.dir, "127.0.0.1:0", "127.0.0.1:0", "error"
	if b.suite, err = suite.Start(ctx, cfg, "bench"); err != nil {
		return nil, err
	}
	b.url = "http://" + b.suite.HTTP
	issuer, err := suite.OpenLocalIssuer(cfg)
	if err != nil {
		return nil, err
	}
	if b.token, err = issuer.Mint("bench", []auth.Role{authzv1.Role_ROLE_NETWORK_OPERATOR}, 2*time.Hour); err != nil {
		return nil, err
	}
	b.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}}
	if b.conn, err = rpc.Dial(b.suite.GRPC, nil, nil); err != nil {
		return nil, err
	}
	b.inproc = cataloguev1.NewNeedServiceClient(b.suite.Conn("catalogue"))
	b.tcp = cataloguev1.NewNeedServiceClient(b.conn)
	if err := b.fill(ctx); err != nil {
		return nil, err
	}
	return b, b.serveBare(ctx)
}

// fill creates an organisation and a page of its needs.
func (b *bed) fill(ctx context.Context) error {
	client := &rest.Client{Base: b.url, Token: b.token, HTTP: b.http}
	var org cataloguev1.Organisation
	err := client.Post(ctx, "/v1/organisations", &cataloguev1.Organisation{
		DisplayName: &typev1.LocalizedText{Text: "Cooperativa di prova", LanguageCode: "it"},
		LegalForm:   cataloguev1.LegalForm_LEGAL_FORM_SOCIAL_COOPERATIVE_A,
		Kinds:       []cataloguev1.OrganisationKind{cataloguev1.OrganisationKind_ORGANISATION_KIND_MEMBER},
		Territory:   &cataloguev1.Territory{CountryCode: "IT", RegionCode: "IT-21"},
	}, &org)
	if err != nil {
		return err
	}
	b.org = org.GetName()
	for range listSize {
		var need cataloguev1.Need
		if err := client.Post(ctx, "/v1/needs", b.aNeed(), &need); err != nil {
			return err
		}
		b.need = need.GetName()
	}
	return nil
}

func (b *bed) aNeed() *cataloguev1.Need {
	return &cataloguev1.Need{
		Organisation: b.org,
		Title:        &typev1.LocalizedText{Text: "Pianificare i turni dell'assistenza domiciliare", LanguageCode: "it"},
		Category:     "assistenza",
		Tags:         []string{"turni", "mobile"},
	}
}

// serveBare serves what the gateway answers from a plain handler: structs that lie
// ready in memory, encoded by encoding/json; no database, no rights, no telemetry.
func (b *bed) serveBare(ctx context.Context) error {
	var item bareNeed
	var list bareList
	for path, into := range map[string]any{"/v1/" + b.need: &item, "/v1/needs": &list} {
		body, err := b.get(ctx, b.url+path)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(body, into); err != nil {
			return err
		}
	}
	mux := http.NewServeMux()
	write := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v) // the load generator would notice
	}
	mux.HandleFunc("GET /needs/{id}", func(w http.ResponseWriter, _ *http.Request) { write(w, &item) })
	mux.HandleFunc("GET /needs", func(w http.ResponseWriter, _ *http.Request) { write(w, &list) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	b.plain = "http://" + listener.Addr().String()
	b.bare = &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	go func() {
		if err := b.bare.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("bare server", slog.Any("error", err))
		}
	}()
	return nil
}

// bareNeed has the fields of a need, as a hand-written API would.
type bareNeed struct {
	Name         string            `json:"name"`
	Organisation string            `json:"organisation"`
	Title        bareText          `json:"title"`
	State        string            `json:"state"`
	Visibility   string            `json:"visibility"`
	Category     string            `json:"category"`
	Sectors      []string          `json:"sectors"`
	Tags         []string          `json:"tags"`
	Territories  []string          `json:"territories"`
	ValidFrom    string            `json:"validFrom"`
	ValidUntil   string            `json:"validUntil"`
	Attributes   map[string]string `json:"attributes"`
	Licence      string            `json:"licence"`
	AssuredDate  string            `json:"assuredDate"`
	CreateTime   time.Time         `json:"createTime"`
	UpdateTime   time.Time         `json:"updateTime"`
	Etag         string            `json:"etag"`
	Evidence     []string          `json:"evidence"`
	Urgency      string            `json:"urgency"`
}

type bareText struct {
	Text         string            `json:"text"`
	LanguageCode string            `json:"languageCode"`
	Translations map[string]string `json:"translations"`
}

type bareList struct {
	Needs         []bareNeed `json:"needs"`
	NextPageToken string     `json:"nextPageToken"`
}

func (b *bed) rows() []row {
	body, err := protojson.Marshal(b.aNeed())
	if err != nil { // a message of our own making
		panic(err)
	}
	one := fmt.Sprintf("%s/v1/%s", b.url, b.need)
	list := fmt.Sprintf("%s/v1/needs?pageSize=%d", b.url, listSize)
	get := func(url string) func(context.Context, int, int) error {
		return func(ctx context.Context, _, _ int) error {
			_, err := b.get(ctx, url)
			return err
		}
	}
	over := func(c cataloguev1.NeedServiceClient) func(context.Context, int, int) error {
		return func(ctx context.Context, _, _ int) error {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+b.token)
			_, err := c.GetNeed(ctx, &cataloguev1.GetNeedRequest{Name: b.need})
			return err
		}
	}
	var people atomic.Int64
	return []row{
		{name: "bare get", call: get(b.plain + "/needs/1")},
		{name: "REST get", call: get(one), of: "bare get", aim: 0.35},
		{name: "bare list of 50", call: get(b.plain + "/needs")},
		{name: "REST list of 50", call: get(list), of: "bare list of 50", aim: 0.5},
		{name: "REST create of a draft (row)", call: func(ctx context.Context, _, _ int) error {
			return b.post(ctx, b.url+"/v1/needs", body)
		}},
		{name: "REST create with event (row + outbox)", rate: 6000, call: func(ctx context.Context, _, _ int) error {
			member := fmt.Appendf(nil, `{"subject":"bench-%d","role":"ROLE_TRAINER"}`, people.Add(1))
			return b.post(ctx, b.url+"/v1/"+b.org+"/memberships", member)
		}},
		{name: "get over the in-process channel", call: over(b.inproc)},
		{name: "get over TCP", call: over(b.tcp), of: "get over the in-process channel"},
	}
}

func (b *bed) get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return b.do(req)
}

func (b *bed) post(ctx context.Context, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	_, err = b.do(req)
	return err
}

func (b *bed) do(req *http.Request) ([]byte, error) {
	req.Header.Set("Authorization", "Bearer "+b.token)
	res, err := b.http.Do(req)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s: %s", req.Method, req.URL.Path, res.Status, answer)
	}
	return answer, nil
}

func (b *bed) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if b.bare != nil {
		_ = b.bare.Close()
	}
	if b.conn != nil {
		_ = b.conn.Close()
	}
	if b.suite != nil {
		_ = b.suite.Stop(ctx)
	}
	_ = os.RemoveAll(b.dir)
}
