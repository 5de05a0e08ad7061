package outbox

import (
	"context"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// row is one event of the journal.
type row struct {
	seq     int64
	message bus.Message
}

// unpublished returns the oldest events that are not known to be published, and
// whether there may be more: it reads so many, or so many bytes, at a time.
func (o *Outbox) unpublished(ctx context.Context, limit, bytes int) (out []row, more bool, err error) {
	err = o.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		out = out[:0]
		size := 0
		more = false
		rows, err := tx.Query(ctx, `SELECT seq, id, subject, payload FROM outbox WHERE published IS NULL ORDER BY seq LIMIT $1`, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r row
			if err := rows.Scan(&r.seq, &r.message.ID, &r.message.Subject, &r.message.Data); err != nil {
				return err
			}
			out = append(out, r)
			size += len(r.message.Data)
			if more = size >= bytes || len(out) == limit; more {
				break
			}
		}
		return rows.Err()
	})
	return out, more, err
}

// mark records that events are in the stream.
func (o *Outbox) mark(ctx context.Context, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	query, args := markStatement(rows)
	return o.db.Write(ctx, func(_ context.Context, tx *sqldb.Tx) error {
		args[0] = sqldb.Micros(time.Now())
		tx.Queue(query, args...)
		return nil
	})
}

// markStatement names each event: between the first and the last of them there
// may be one that was committed meanwhile. The number of parameters is a power
// of two, so that there are few statements to prepare.
func markStatement(rows []row) (query string, args []any) {
	n := 1
	for n < len(rows) {
		n *= 2
	}
	var q strings.Builder
	q.WriteString(`UPDATE outbox SET published = $1 WHERE published IS NULL AND seq IN (`)
	args = make([]any, 1, n+1)
	for i := range n {
		if i > 0 {
			q.WriteByte(',')
		}
		q.WriteByte('$')
		q.WriteString(strconv.Itoa(i + 2))
		args = append(args, rows[min(i, len(rows)-1)].seq)
	}
	q.WriteByte(')')
	return q.String(), args
}

// step bounds the rows that one transaction changes in the upkeep of the
// journal, so that others are not kept waiting.
const step = 5000

// unpublishAll marks the whole journal as not published and returns how many
// events that were. Should it be interrupted, the next call does the rest.
func (o *Outbox) unpublishAll(ctx context.Context) (int64, error) {
	return o.inSteps(ctx, `UPDATE outbox SET published = NULL WHERE seq IN
		(SELECT seq FROM outbox WHERE published IS NOT NULL ORDER BY published LIMIT $1)`, step)
}

// prune deletes what was published before a time.
func (o *Outbox) prune(ctx context.Context, before time.Time) error {
	_, err := o.inSteps(ctx, `DELETE FROM outbox WHERE seq IN
		(SELECT seq FROM outbox WHERE published IS NOT NULL AND published < $2 ORDER BY published LIMIT $1)`, step, sqldb.Micros(before))
	return err
}

func (o *Outbox) inSteps(ctx context.Context, query string, args ...any) (total int64, err error) {
	for {
		var n int64
		err := o.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			n, err = tx.Exec(ctx, query, args...)
			return err
		})
		if err != nil {
			return total, err
		}
		if total += n; n < step {
			return total, nil
		}
	}
}

func attributeService(service string) attribute.KeyValue { return attribute.String("service", service) }
