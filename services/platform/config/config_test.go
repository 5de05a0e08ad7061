package config_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/trama-suite/trama/services/platform/config"
)

func write(t *testing.T, yaml string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trama.yaml")
	if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNothingSetIsTheDefault(t *testing.T) {
	got, err := config.Load("", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := config.Default(); got.String() != want.String() {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLaterSourcesOverrideEarlierOnes(t *testing.T) {
	path := write(t, `
http: 127.0.0.1:1
grpc: 127.0.0.1:2
region: se-ab
targets: [gateway, catalogue]
peers: {matching: "m:9090"}
auth:
  audience: from-file
  key_file: /keys/a.pem
tls:
rate_limit: {per_second: 2.5}
journal: {retention: 48h}
cors: {origins: ["https://a.example.org"]}
`)
	got, err := config.Load(path, []string{
		"TRAMA_GRPC=127.0.0.1:3", "TRAMA_REGION=lv-rix", "TRAMA_AUTH_AUDIENCE=from-env", "TRAMA_AUTH_ALLOW_REMOTE_LOCAL_ISSUER=true",
		"TRAMA_PEERS=training=t:1, impact=i:2", "TRAMA_CORS_ORIGINS=https://b.example.org,*", "TRAMA_TRACE_SAMPLE_RATIO=0.5",
		"TRAMA_DATA_DIR=/somebody/elses", "TRAMA_CATALOGUE_SERVICE_HOST=10.0.0.1", "TRAMA_CATALOGUE_PORT_9090_TCP_ADDR=10.0.0.1", "HOME=/x",
	}, map[string]string{"region": "it-25", "data": "/var/trama"})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.HTTP, want.GRPC, want.Region, want.DataDir = "127.0.0.1:1", "127.0.0.1:3", "it-25", "/var/trama"
	want.Targets = []string{"gateway", "catalogue"}
	want.Peers = map[string]string{"training": "t:1", "impact": "i:2"}
	want.Auth = config.Auth{Audience: "from-env", KeyFile: "/keys/a.pem", AllowRemoteLocalIssuer: true}
	want.RateLimit.PerSecond = 2.5
	want.Journal.Retention = 48 * time.Hour
	want.CORS.Origins = []string{"https://b.example.org", "*"}
	want.Trace.SampleRatio = 0.5
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if again, err := config.Load("", []string{"TRAMA_CONFIG=" + path}, nil); err != nil || again.Region != "se-ab" {
		t.Errorf("TRAMA_CONFIG: %v, %v", again.Region, err)
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		file  string
		env   []string
		flags map[string]string
		want  string
	}{
		"unknown key in the file":     {file: "htp: 1.2.3.4:5", want: "htp"},
		"unknown nested key":          {file: "auth: {isuer: https://x}", want: "auth.isuer"},
		"section that is a value":     {file: "tls: yes", want: "tls"},
		"unknown variable":            {env: []string{"TRAMA_AUTH_ISUER=https://x"}, want: "TRAMA_AUTH_ISUER"},
		"unknown flag":                {flags: map[string]string{"htp": "x"}, want: `"htp"`},
		"file that is absent":         {env: []string{"TRAMA_CONFIG=/does/not/exist"}, want: "/does/not/exist"},
		"broken file":                 {file: "http: [", want: "configuration file"},
		"not a number":                {env: []string{"TRAMA_TRACE_SAMPLE_RATIO=much"}, want: "trace.sample_ratio"},
		"not a bool":                  {env: []string{"TRAMA_AUTH_ALLOW_REMOTE_LOCAL_ISSUER=perhaps"}, want: "allow_remote_local_issuer"},
		"not a duration":              {env: []string{"TRAMA_JOURNAL_RETENTION=long"}, want: "retention"},
		"ratio above 1":               {env: []string{"TRAMA_TRACE_SAMPLE_RATIO=1.5"}, want: "trace.sample_ratio"},
		"ratio that is none":          {env: []string{"TRAMA_TRACE_SAMPLE_RATIO=NaN"}, want: "trace.sample_ratio"},
		"address without a port":      {env: []string{"TRAMA_HTTP=127.0.0.1"}, want: "key http"},
		"port out of range":           {env: []string{"TRAMA_GRPC=127.0.0.1:70000"}, want: "key grpc"},
		"peer without a port":         {env: []string{"TRAMA_PEERS=catalogue=host"}, want: "peers.catalogue"},
		"peers out of shape":          {env: []string{"TRAMA_PEERS=catalogue"}, want: "name=value"},
		"unknown database":            {env: []string{"TRAMA_DATABASE=mysql://x"}, want: "key database"},
		"broken NATS URL":             {env: []string{"TRAMA_NATS=host"}, want: "key nats"},
		"no such time zone":           {env: []string{"TRAMA_TIME_ZONE=Europe/Atlantis"}, want: "key time_zone"},
		"region in capitals":          {env: []string{"TRAMA_REGION=IT-21"}, want: "key region"},
		"certificate without its key": {env: []string{"TRAMA_TLS_CERT_FILE=c.pem"}, want: "key tls"},
		"level":                       {env: []string{"TRAMA_LOG_LEVEL=loud"}, want: "log_level"},
		"origin with a path":          {env: []string{"TRAMA_CORS_ORIGINS=https://a.example.org/x"}, want: "cors.origins"},
		"target twice":                {env: []string{"TRAMA_TARGETS=gateway,gateway"}, want: "key targets"},
		"local issuer in the open":    {env: []string{"TRAMA_HTTP=0.0.0.0:8080"}, want: "allow_remote_local_issuer"},
		"local issuer on all":         {env: []string{"TRAMA_GRPC=:9090"}, want: "allow_remote_local_issuer"},
		"issuer that is no URL":       {env: []string{"TRAMA_AUTH_ISSUER=keycloak"}, want: "auth.issuer"},
		"client without a secret":     {env: []string{"TRAMA_AUTH_ISSUER=https://x.example.org", "TRAMA_AUTH_CLIENT_ID=a"}, want: "client_secret"},
		"client without an issuer":    {env: []string{"TRAMA_AUTH_CLIENT_ID=a", "TRAMA_AUTH_CLIENT_SECRET=b"}, want: "auth.issuer"},
		"peers without tokens":        {env: []string{"TRAMA_AUTH_ISSUER=https://x.example.org", "TRAMA_PEERS=a=b:1"}, want: "auth.client_id"},
	} {
		t.Run(name, func(t *testing.T) {
			path := ""
			if c.file != "" {
				path = write(t, c.file)
			}
			_, err := config.Load(path, c.env, c.flags)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to name %s", err, c.want)
			}
		})
	}
}

func TestRemoteLocalIssuerWhenTold(t *testing.T) {
	if _, err := config.Load("", []string{"TRAMA_HTTP=0.0.0.0:8080", "TRAMA_AUTH_ALLOW_REMOTE_LOCAL_ISSUER=1"}, nil); err != nil {
		t.Error(err)
	}
	if _, err := config.Load("", []string{"TRAMA_HTTP=[::1]:8080", "TRAMA_GRPC=localhost:1"}, nil); err != nil {
		t.Error(err)
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	const secret = "correct-horse"
	c, err := config.Load("", []string{
		"TRAMA_AUTH_ISSUER=https://id.example.org", "TRAMA_AUTH_CLIENT_ID=trama", "TRAMA_AUTH_CLIENT_SECRET=" + secret,
		"TRAMA_DATABASE=postgres://trama:" + secret + "@db/trama", "TRAMA_NATS=nats://u:" + secret + "@n:4222,nats://u:" + secret + "@m:4222",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if string(c.Auth.ClientSecret) != secret {
		t.Error("the secret itself was lost")
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "config", c, "secret", c.Auth.ClientSecret)
	js, err := json.Marshal(c.Auth)
	if err != nil {
		t.Fatal(err)
	}
	for how, s := range map[string]string{
		"String": c.String(), "%v": fmt.Sprintf("%v", c), "%+v": fmt.Sprintf("%+v", c), "%#v": fmt.Sprintf("%#v", c),
		"slog": log.String(), "JSON": string(js),
	} {
		if strings.Contains(s, secret) {
			t.Errorf("%s shows the secret: %s", how, s)
		}
	}
}
