package rpc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Retention of idempotency keys.
const (
	// RequestIDRetention is how long a request_id is remembered.
	RequestIDRetention = 7 * 24 * time.Hour
	purgeEvery         = time.Hour
	purgeBatch         = 1000
)

var deterministic = proto.MarshalOptions{Deterministic: true}

// Mutate runs a create or a custom verb in one Write transaction. Where the
// request has a request_id (AIP-155), the answer is stored with a hash of the
// request in that same transaction: the same caller who sends the same request
// to the same method again, at the same time or within seven days, gets the same
// answer and there is one effect; another request under that id is
// REQUEST_ID_REUSED. A call that fails stores nothing, so it can be tried again.
//
// Fn may run more than once (see sqldb.DB.Write): it must have no effect but
// through tx.
func Mutate[Req, Resp proto.Message](ctx context.Context, db *sqldb.DB, req Req, fn func(ctx context.Context, tx *sqldb.Tx) (Resp, error)) (Resp, error) {
	var resp, none Resp
	key, err := keyOf(ctx, req)
	if err != nil {
		return none, err
	}
	err = db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		if key == nil {
			resp, err = fn(ctx, tx)
			return err
		}
		resp, err = once(ctx, tx, key, fn)
		return err
	})
	if err != nil {
		return none, err
	}
	return resp, nil
}

// key identifies a request: who, what, under which id, and its content.
type key struct {
	subject, method, id string
	hash                []byte
}

func keyOf(ctx context.Context, req proto.Message) (*key, error) {
	r, ok := req.(interface{ GetRequestId() string })
	if !ok || r.GetRequestId() == "" {
		return nil, nil
	}
	method, ok := grpc.Method(ctx)
	if !ok {
		// Outside a call the request's type stands for the method.
		method = string(req.ProtoReflect().Descriptor().FullName())
	}
	// The id is part of the key, so that it is also part of the hash changes
	// nothing, and saves a copy of the request.
	content, err := deterministic.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("request_id: %w", err)
	}
	hash := sha256.Sum256(content)
	return &key{subject: auth.CallerFrom(ctx).Subject, method: method, id: r.GetRequestId(), hash: hash[:]}, nil
}

// once takes the key first: of two requests at the same time the second waits
// here for the first's transaction to end, and then finds its answer, or, where
// it failed, takes the key itself.
func once[Resp proto.Message](ctx context.Context, tx *sqldb.Tx, k *key, fn func(ctx context.Context, tx *sqldb.Tx) (Resp, error)) (Resp, error) {
	var none Resp
	taken, err := tx.Exec(ctx, `INSERT INTO idempotency (subject, method, request_id, request_hash, response, created)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (subject, method, request_id) DO NOTHING`,
		k.subject, k.method, k.id, k.hash, []byte{}, sqldb.Micros(time.Now()))
	if err != nil {
		return none, err
	}
	if taken == 0 {
		return replay[Resp](ctx, tx, k)
	}
	resp, err := fn(ctx, tx)
	if err != nil {
		return none, err
	}
	answer, err := deterministic.Marshal(resp)
	if err != nil {
		return none, fmt.Errorf("request_id: %w", err)
	}
	tx.Queue(`UPDATE idempotency SET response = $4 WHERE subject = $1 AND method = $2 AND request_id = $3`,
		k.subject, k.method, k.id, nonNil(answer))
	return resp, nil
}

func replay[Resp proto.Message](ctx context.Context, tx *sqldb.Tx, k *key) (Resp, error) {
	var none Resp
	var hash, answer []byte
	err := tx.QueryRow(ctx, `SELECT request_hash, response FROM idempotency WHERE subject = $1 AND method = $2 AND request_id = $3`,
		k.subject, k.method, k.id).Scan(&hash, &answer)
	if err != nil {
		return none, err
	}
	if !bytes.Equal(hash, k.hash) {
		return none, errs.New(errs.AlreadyExists, errs.RequestIDReused,
			"request_id %q was used before, for a different request", k.id).
			WithField("request_id", errs.RequestIDReused, "use a new id for each new request")
	}
	resp := none.ProtoReflect().Type().New().Interface().(Resp)
	if err := proto.Unmarshal(answer, resp); err != nil {
		return none, fmt.Errorf("request_id: the stored answer cannot be read: %w", err)
	}
	return resp, nil
}

// nonNil keeps an empty answer from being stored as NULL.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// ForgetRequests runs until its context ends and removes, once an hour, the
// request ids that are older than RequestIDRetention. Every service that uses
// Mutate runs it as a loop; nil for now is time.Now.
func ForgetRequests(db *sqldb.DB, now func() time.Time) func(ctx context.Context) error {
	if now == nil {
		now = time.Now
	}
	return func(ctx context.Context) error {
		for {
			if _, err := forget(ctx, db, now().Add(-RequestIDRetention)); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(purgeEvery):
			}
		}
	}
}

// forget removes the keys of before that time, a batch to a transaction, so that
// no writer waits long for it.
func forget(ctx context.Context, db *sqldb.DB, before time.Time) (removed int64, err error) {
	for {
		var n int64
		err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			var err error
			n, err = tx.Exec(ctx, `DELETE FROM idempotency WHERE (subject, method, request_id) IN
				(SELECT subject, method, request_id FROM idempotency WHERE created < $1 ORDER BY created LIMIT $2)`,
				sqldb.Micros(before), int64(purgeBatch))
			return err
		})
		removed += n
		if err != nil || n < purgeBatch {
			return removed, err
		}
	}
}
