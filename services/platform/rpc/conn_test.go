package rpc

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc"
)

// deadlines is a connection that takes down how long each call may take.
type deadlines struct {
	grpc.ClientConnInterface
	left []time.Duration
}

func (d *deadlines) Invoke(ctx context.Context, _ string, _, _ any, _ ...grpc.CallOption) error {
	at, bounded := ctx.Deadline()
	if !bounded {
		d.left = append(d.left, 0)
		return nil
	}
	d.left = append(d.left, time.Until(at).Round(time.Second))
	return nil
}

// A call to a server that never comes must end, whoever makes it: calls wait for
// their server, so without a deadline they would wait for ever.
func TestEveryCallEnds(t *testing.T) {
	seen := &deadlines{}
	call := func(ctx context.Context, c *conn) {
		t.Helper()
		if err := c.Invoke(ctx, "/trama.catalogue.v1.AccessService/WhoAmI", nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	call(t.Context(), &conn{next: seen})
	call(t.Context(), &conn{next: seen, source: token("t")})
	short, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	call(short, &conn{next: seen})
	for i, want := range []time.Duration{relayTimeout, callTimeout, 5 * time.Second} {
		if seen.left[i] != want {
			t.Errorf("call %d may take %s, want %s", i, seen.left[i], want)
		}
	}
}

// token is a source of one token.
type token string

// Token implements auth.TokenSource.
func (t token) Token(context.Context) (string, error) { return string(t), nil }
