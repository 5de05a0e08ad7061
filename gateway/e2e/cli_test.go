package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"

	"github.com/trama-suite/trama/gateway/rest"
)

// trama runs the program with the shape's key, and returns what it prints and
// whether it succeeded.
func (s *shape) trama(t *testing.T, args ...string) (string, bool) {
	t.Helper()
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "TRAMA_AUTH_KEY_FILE="+s.keyFile, "TRAMA_HTTP="+strings.TrimPrefix(s.base, "http://"), "TRAMA_GRPC="+s.grpc["catalogue"])
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// TestCommands: what an operator types, beside serve.
func TestCommands(t *testing.T) {
	eachShape(t, func(t *testing.T, s *shape) {
		owner := s.organisation(t, "Comandi")
		until(t, "the doctor to be content", func() bool {
			out, ok := s.trama(t, append([]string{"doctor"}, s.operations...)...)
			return ok && strings.Contains(out, "all is well")
		})
		if out, ok := s.trama(t, "doctor", "127.0.0.1:1"); ok || !strings.Contains(out, "does not answer") {
			t.Errorf("doctor of nobody: %v %s", ok, out)
		}

		token, ok := s.trama(t, "token", "--as", "organisation-admin", "--organisation", owner)
		if !ok {
			t.Fatalf("token: %s", token)
		}
		admin := &rest.Client{Base: s.base, Token: strings.TrimSpace(token)}
		who := get[*cataloguev1.WhoAmIResponse](t, admin, "me")
		if len(who.GetMemberships()) != 1 || who.GetMemberships()[0].GetRole() != authzv1.Role_ROLE_ORGANISATION_ADMIN || !strings.HasPrefix(who.GetMemberships()[0].GetName(), owner) {
			t.Errorf("the token's bearer: %v", who)
		}
		for _, wrong := range [][]string{
			{"token", "--as", "king"}, {"token", "--as", "learner"}, {"token", "--as", "auditor", "--organisation", owner},
			{"token", "--as", "learner", "--organisation", "organisations/" + absentID},
		} {
			if out, ok := s.trama(t, wrong...); ok || strings.Contains(out, "eyJ") {
				t.Errorf("%v: %s", wrong, out)
			}
		}

		code := taxCode(time.Now().UnixNano())
		file := filepath.Join(t.TempDir(), "enti.csv")
		if err := os.WriteFile(file, []byte("tax_code,display_name,region\n"+code+",Ente da terminale,IT-21\n12345678901,Sbagliato,IT-21\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, ok := s.trama(t, "import", file); !ok || !strings.Contains(out, "CHECK_DIGIT_WRONG") || !strings.Contains(out, "1 refused; 1 organisations created") {
			t.Errorf("import: %v %s", ok, out)
		}
	})
}

// TestWhatTheServerRefusesToStartWith: a setting that is misspelt or dangerous is
// told before anything is served.
func TestWhatTheServerRefusesToStartWith(t *testing.T) {
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		env  string
		want string
	}{
		"unknown target":           {[]string{"serve", "kitchen"}, "", "kitchen"},
		"unknown variable":         {[]string{"serve"}, "TRAMA_DATABSE=x", "databse"},
		"unknown kind of database": {[]string{"serve", "--database", "mysql://x"}, "", "database"},
		"own tokens for everybody": {[]string{"serve", "--http", "0.0.0.0:0"}, "", "auth.issuer"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, program, c.args...)
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), "TRAMA_GRPC=127.0.0.1:0", c.env)
			if c.env == "" {
				cmd.Env = cmd.Env[:len(cmd.Env)-1]
			}
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(strings.ToLower(string(out)), c.want) || ctx.Err() != nil {
				t.Errorf("%v, %v: %s", err, ctx.Err(), out)
			}
		})
	}
}
