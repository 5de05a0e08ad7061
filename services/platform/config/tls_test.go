package config_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trama-suite/trama/services/platform/config"
)

// identity writes a self-signed certificate of a serial number and its key.
func identity(t *testing.T, cert, key string, serial int64) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"catalogue"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// serial shakes hands and returns the server certificate's serial number.
func serial(t *testing.T, server, client *tls.Config) (int64, error) {
	t.Helper()
	a, b := net.Pipe()
	defer func() { _, _ = a.Close(), b.Close() }()
	go func() { _ = tls.Server(a, server).HandshakeContext(t.Context()) }()
	client = client.Clone()
	client.ServerName = "catalogue"
	conn := tls.Client(b, client)
	if err := conn.HandshakeContext(t.Context()); err != nil {
		return 0, err
	}
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64(), nil
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	c := config.TLS{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"), CAFile: filepath.Join(dir, "cert.pem")}
	if _, err := c.Server(); err == nil || !strings.Contains(err.Error(), "cert.pem") {
		t.Errorf("files that are absent: %v", err)
	}
	if _, err := c.Client(); err == nil || !strings.Contains(err.Error(), "tls.ca_file") {
		t.Errorf("authority that is absent: %v", err)
	}
	identity(t, c.CertFile, c.KeyFile, 1)
	server, err := c.Server()
	if err != nil {
		t.Fatal(err)
	}
	for n := range int64(2) { // the second time with a renewed certificate
		identity(t, c.CertFile, c.KeyFile, n)
		client, err := c.Client()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := serial(t, server, client); err != nil || got != n {
			t.Errorf("certificate %d, %v; want %d", got, err, n)
		}
	}
	stranger, err := config.TLS{CertFile: "x"}.Client()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := serial(t, server, stranger); err == nil {
		t.Error("a certificate of nobody's was trusted")
	}
	if err := os.WriteFile(c.CAFile, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Client(); err == nil || !strings.Contains(err.Error(), "no certificate") {
		t.Errorf("an authority that is none: %v", err)
	}
	plain := config.TLS{}
	if s, err := plain.Server(); s != nil || err != nil {
		t.Errorf("%v, %v", s, err)
	}
	if s, err := plain.Client(); s != nil || err != nil {
		t.Errorf("%v, %v", s, err)
	}
}
