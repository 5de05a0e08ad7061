package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/blob"
)

// maxFile is the largest limit that may be set for files, in bytes.
const maxFile = 1 << 30

var region = regexp.MustCompile(`^[a-z]{2}(-[a-z0-9]{1,3})?$`)

// Validate returns everything that is wrong with the configuration, each with
// its key.
func (c Config) Validate() error {
	var wrong []error
	add := func(key, format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("configuration key %s: %w", key, fmt.Errorf(format, args...)))
	}
	if c.DataDir == "" {
		add("data", "a folder is needed")
	}
	for _, a := range []struct{ key, address string }{{"http", c.HTTP}, {"grpc", c.GRPC}} {
		if err := address(a.address); err != nil {
			add(a.key, "%w", err)
		}
	}
	for name, a := range c.Peers {
		if host, _, err := net.SplitHostPort(a); err != nil || host == "" {
			add("peers."+name, "%q is not of the form host:port", a)
		}
	}
	for i, t := range c.Targets {
		if t == "" || slices.Contains(c.Targets[:i], t) {
			add("targets", "%q is empty or there twice", t)
		}
	}
	if u, err := url.Parse(c.Database); c.Database != "" && (err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql" && u.Scheme != "sqlite")) {
		add("database", "it must be postgres://…, sqlite:DIRECTORY, or empty for SQLite in the data folder")
	}
	for server := range strings.SplitSeq(c.NATS, ",") {
		if u, err := url.Parse(strings.TrimSpace(server)); c.NATS != "" && (err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme)) {
			add("nats", "it must be nats://host:port, several separated by commas, or empty for a server in this process")
			break
		}
	}
	if !region.MatchString(c.Region) {
		add("region", "%q is not an ISO 3166-2 code in lower case, like it-21", c.Region)
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "" || c.TimeZone == "Local" {
		add("time_zone", "%q is not the IANA name of a time zone, like Europe/Rome", c.TimeZone)
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		add("tls", "cert_file and key_file go together")
	}
	if c.RateLimit.PerSecond < 0 || c.RateLimit.Burst < 0 {
		add("rate_limit", "per_second and burst cannot be negative")
	}
	if !(c.Trace.SampleRatio >= 0 && c.Trace.SampleRatio <= 1) {
		add("trace.sample_ratio", "%v is not between 0 and 1", c.Trace.SampleRatio)
	}
	if c.Journal.Retention < 0 {
		add("journal.retention", "it cannot be negative")
	}
	if err := blob.Check(c.Files.URL); c.Files.URL != "" && err != nil {
		add("files.url", "%w", err)
	}
	if (c.Files.AccessKey == "") != (c.Files.SecretKey == "") {
		add("files.access_key", "access_key and secret_key go together")
	}
	if c.Files.MaxSize < 1 || c.Files.MaxSize > maxFile {
		add("files.max_size", "%d is not between 1 and %d bytes", c.Files.MaxSize, int64(maxFile))
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		add("log_level", "%q is not debug, info, warn or error", c.LogLevel)
	}
	for _, o := range c.CORS.Origins {
		if u, err := url.Parse(o); o != "*" && (err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "") {
			add("cors.origins", "%q is not an origin like https://portale.example.org, nor *", o)
		}
	}
	wrong = append(wrong, c.validateAuth()...)
	return errors.Join(wrong...)
}

func (c Config) validateAuth() (wrong []error) {
	add := func(key, format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("configuration key auth.%s: %w", key, fmt.Errorf(format, args...)))
	}
	a := c.Auth
	for _, u := range []struct{ key, url string }{{"issuer", a.Issuer}, {"jwks_url", a.JWKSURL}} {
		if parsed, err := url.Parse(u.url); u.url != "" && (err != nil || parsed.Host == "" || (parsed.Scheme != "https" && parsed.Scheme != "http")) {
			add(u.key, "%q is not an http or https URL", u.url)
		}
	}
	if a.Audience == "" {
		add("audience", "a token must be for somebody")
	}
	if (a.ClientID == "") != (a.ClientSecret == "") {
		add("client_id", "client_id and client_secret go together")
	}
	if a.Issuer == "" {
		if a.JWKSURL != "" || a.ClientID != "" {
			add("issuer", "jwks_url and client_id need it")
		}
		if remote := c.notLoopback(); remote != "" && !a.AllowRemoteLocalIssuer {
			add("issuer", "without one a local issuer would hand out rights, and %s can be reached from elsewhere: "+
				"set an OpenID Connect issuer, listen on 127.0.0.1, or set auth.allow_remote_local_issuer if the network is closed", remote)
		}
		return wrong
	}
	if len(c.Peers) > 0 && a.ClientID == "" && a.KeyFile == "" {
		add("client_id", "services in several processes call each other with tokens: set client_id and client_secret, or one key_file for all")
	}
	return wrong
}

// notLoopback names the first listen address that others can reach.
func (c Config) notLoopback() string {
	for _, a := range []string{c.HTTP, c.GRPC} {
		host, _, err := net.SplitHostPort(a)
		if err != nil || host == "localhost" {
			continue
		}
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			return a
		}
	}
	return ""
}

func address(a string) error {
	_, port, err := net.SplitHostPort(a)
	if err != nil {
		return fmt.Errorf("%q is not of the form host:port", a)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n > 65535 {
		return fmt.Errorf("%q has no port between 0 and 65535", a)
	}
	return nil
}
