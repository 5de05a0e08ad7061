// Package config is what an operator may set. Values come, each overriding the
// one before, from the defaults, a YAML file, variables TRAMA_… of the
// environment, and flags. An unknown key is an error that names it: a setting
// that is misspelt must not silently be the default. The defaults alone make a
// working installation.
package config

import (
	"log/slog"
	"net/url"
	"time"
	_ "time/tzdata" // containers need not have a time zone database
)

// Config is the configuration of a process. The names in the tags are those of
// the YAML file; the variable of auth.key_file is TRAMA_AUTH_KEY_FILE.
type Config struct {
	// Targets to run: "gateway" or services. Empty: all of them.
	Targets []string `koanf:"targets"`
	// DataDir is the folder for everything that is kept: SQLite files, event
	// streams, the local issuer's key, derived indexes. Default "./data".
	DataDir string `koanf:"data"`
	// HTTP is the address of the REST gateway. Default "127.0.0.1:8080".
	HTTP string `koanf:"http"`
	// GRPC is the address of the gRPC server. Default "127.0.0.1:9090".
	GRPC string `koanf:"grpc"`
	// Database is "postgres://…". Empty: SQLite files in DataDir.
	Database string `koanf:"database"`
	// NATS is "nats://host:port", several separated by commas. Empty: a NATS
	// server inside this process, with its streams in DataDir.
	NATS string `koanf:"nats"`
	// Region is the deployment's home region, ISO 3166-2 in lower case.
	// Default "it-21" (Piemonte).
	Region string `koanf:"region"`
	// TimeZone is where days begin and end: the IANA name of the deployment's
	// time zone. Deadlines are kept by it. Default "Europe/Rome".
	TimeZone string `koanf:"time_zone"`
	// Peers says where services are that do not run in this process: name to
	// "host:port". In the environment "catalogue=host:9090,matching=host:9090".
	Peers map[string]string `koanf:"peers"`
	// TLS of the gRPC port and of the connections to peers.
	TLS TLS `koanf:"tls"`
	// Auth says whose tokens are accepted.
	Auth Auth `koanf:"auth"`
	// RateLimit of the REST gateway, for each caller.
	RateLimit RateLimit `koanf:"rate_limit"`
	// CORS of the REST gateway.
	CORS CORS `koanf:"cors"`
	// Trace of calls.
	Trace Trace `koanf:"trace"`
	// Journal of events.
	Journal Journal `koanf:"journal"`
	// Files says where uploaded files are kept.
	Files Files `koanf:"files"`
	// LogLevel is debug, info, warn or error. Default "info".
	LogLevel string `koanf:"log_level"`
}

// TLS names the files of a TLS identity, in PEM. Empty: plain text.
type TLS struct {
	// CertFile and KeyFile are this process's certificate and key; both or none.
	CertFile string `koanf:"cert_file"`
	KeyFile  string `koanf:"key_file"`
	// CAFile holds the authorities that peers' certificates are checked by.
	// Empty: the system's.
	CAFile string `koanf:"ca_file"`
}

// Auth says whose tokens are accepted and with which ones services call.
type Auth struct {
	// Issuer is the URL of an OpenID Connect issuer. Empty: a local issuer,
	// whose tokens `trama token` mints.
	Issuer string `koanf:"issuer"`
	// Audience that tokens must be for. Default "trama".
	Audience string `koanf:"audience"`
	// JWKSURL is where the issuer's keys are. Empty: its discovery document
	// tells.
	JWKSURL string `koanf:"jwks_url"`
	// KeyFile holds the local issuer's Ed25519 key (PKCS #8, PEM). Processes
	// that share it trust each other's tokens. Empty: auth/issuer.pem in
	// DataDir, made at the first start.
	KeyFile string `koanf:"key_file"`
	// ClientID and ClientSecret are the account at Issuer with which services
	// call each other (client credentials; the account needs the role service).
	// Empty: the local issuer mints those tokens.
	ClientID     string `koanf:"client_id"`
	ClientSecret Secret `koanf:"client_secret"`
	// AllowRemoteLocalIssuer lets a local issuer serve addresses that are not
	// loopback. Only for closed networks: whoever reads the key file can be
	// anyone.
	AllowRemoteLocalIssuer bool `koanf:"allow_remote_local_issuer"`
}

// RateLimit bounds the requests of one caller.
type RateLimit struct {
	// PerSecond is the steady rate. Default 0: no limit.
	PerSecond float64 `koanf:"per_second"`
	// Burst is how many requests may come at once. 0: twice PerSecond.
	Burst int `koanf:"burst"`
}

// CORS says which web pages may call the gateway from a browser.
type CORS struct {
	// Origins, for example "https://portale.example.org"; "*" for any. Empty:
	// none but the gateway's own.
	Origins []string `koanf:"origins"`
}

// Trace says how much is traced. Where traces go is set by the standard
// OTEL_EXPORTER_OTLP_… variables.
type Trace struct {
	// SampleRatio of calls that are traced, from 0 to 1. Default 0.01.
	SampleRatio float64 `koanf:"sample_ratio"`
}

// Journal says how long published events stay in the services' journals, from
// which the event streams can be rebuilt.
type Journal struct {
	// Retention, for example "2160h". Default 0: for ever.
	Retention time.Duration `koanf:"retention"`
}

// Files says where uploaded files are kept and how large one may be. All
// processes of a deployment have the same.
type Files struct {
	// URL is file:DIRECTORY, or s3://BUCKET/PREFIX?endpoint=https://host:port&region=NAME
	// for a store that speaks the S3 protocol. Empty: files in DataDir.
	URL string `koanf:"url"`
	// AccessKey and SecretKey are the account at the S3 store. Empty: those of
	// the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
	AccessKey string `koanf:"access_key"`
	SecretKey Secret `koanf:"secret_key"`
	// MaxSize of one file, in bytes. Default 20 MiB.
	MaxSize int64 `koanf:"max_size"`
}

// Default returns the configuration of an installation that sets nothing.
func Default() Config {
	return Config{
		DataDir:  "./data",
		HTTP:     "127.0.0.1:8080",
		GRPC:     "127.0.0.1:9090",
		Region:   "it-21",
		TimeZone: "Europe/Rome",
		Auth:     Auth{Audience: "trama"},
		Trace:    Trace{SampleRatio: 0.01},
		Files:    Files{MaxSize: 20 << 20},
		LogLevel: "info",
	}
}

// redacted stands for a secret wherever a configuration is shown.
const redacted = "[redacted]"

// Secret is a value that is never shown.
type Secret string

// String implements fmt.Stringer.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return s.String() }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler, for JSON and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// withoutPassword shows a URL with its password, if any, redacted.
func withoutPassword(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return redacted // it cannot be told which part is the password
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), "redacted")
	}
	if q := u.Query(); q.Has("password") {
		q.Set("password", "redacted")
		u.RawQuery = q.Encode()
	}
	return u.String()
}

// Location returns TimeZone as time has it; UTC where it is not valid, which
// Validate says.
func (c Config) Location() *time.Location {
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Level returns LogLevel as slog has it.
func (c Config) Level() slog.Level {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // validated
	return level
}
