package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// Server returns the TLS configuration of a server, nil for plain text. The
// files are read at once, so that what is wrong with them shows at the start,
// and again for each connection, so that a renewed certificate needs no restart.
func (t TLS) Server() (*tls.Config, error) {
	if t.CertFile == "" {
		return nil, nil
	}
	load := func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("configuration key tls: %w", err)
		}
		return &pair, nil
	}
	if _, err := load(nil); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: load}, nil
}

// Client returns the TLS configuration for connections to peers, nil for plain
// text: peers speak TLS where this process does, or where a CAFile says whom to
// trust.
func (t TLS) Client() (*tls.Config, error) {
	if t.CAFile == "" {
		if t.CertFile == "" {
			return nil, nil
		}
		return &tls.Config{MinVersion: tls.VersionTLS12}, nil
	}
	pem, err := os.ReadFile(t.CAFile)
	if err != nil {
		return nil, fmt.Errorf("configuration key tls.ca_file: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("configuration key tls.ca_file: %s holds no certificate in PEM", t.CAFile)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, nil
}
