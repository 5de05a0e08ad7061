package store

import (
	"context"
	"time"

	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
)

// Notice is something to be said to a learner about an enrolment.
type Notice struct {
	// Name identifies the notice.
	Name string
	// Enrolment and Learner are resource names.
	Enrolment, Learner string
	// Kind: CONFIRMED, WAITING, OFFERED or ENDED.
	Kind string
	// Created is when it was noted.
	Created time.Time
}

// AddNotice notes what is to be said, in the transaction of the change that it
// tells of.
func (s *Store) AddNotice(tx *sqldb.Tx, n Notice) {
	tx.Queue("INSERT INTO notices (name, enrolment, learner, kind, state, created, sent) VALUES ($1, $2, $3, $4, 'PENDING', $5, 0)",
		n.Name, n.Enrolment, n.Learner, n.Kind, sqldb.Micros(n.Created))
}

// PendingNotices reads the oldest notices that have not been sent.
func (s *Store) PendingNotices(ctx context.Context, tx *sqldb.Tx, limit int) ([]Notice, error) {
	rows, err := tx.Query(ctx, "SELECT name, enrolment, learner, kind, created FROM notices WHERE state = 'PENDING' ORDER BY created, name LIMIT $1", int64(limit))
	return collect(rows, err, func(scan func(dest ...any) error) (Notice, error) {
		var n Notice
		var created int64
		err := scan(&n.Name, &n.Enrolment, &n.Learner, &n.Kind, &created)
		n.Created = sqldb.Time(created)
		return n, err
	})
}

// SettleNotice says that a notice was sent, or that there was nobody to send it to.
func (s *Store) SettleNotice(tx *sqldb.Tx, name string, sent bool, now time.Time) {
	state := "UNADDRESSED"
	if sent {
		state = "SENT"
	}
	tx.Queue("UPDATE notices SET state = $2, sent = $3 WHERE name = $1", name, state, sqldb.Micros(now))
}

// NoticeKind returns the kind of notice that a change of an enrolment calls for;
// empty where it calls for none.
func NoticeKind(c Change) string {
	switch c.Event {
	case domain.Confirmed:
		return "CONFIRMED"
	case domain.Ended:
		return "ENDED"
	case domain.Requested:
		if c.Enrolment.State == domain.Offered {
			return "OFFERED"
		}
		return "WAITING"
	}
	return ""
}
