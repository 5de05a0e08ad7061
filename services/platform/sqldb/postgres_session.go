package sqldb

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// postgresSession collects statements until one needs its result, and sends them
// in one go: BEGIN with the first, COMMIT with the last.
type postgresSession struct {
	conn  *pgx.Conn
	begin string
	begun bool
	batch *pgx.Batch
}

// blob is an argument for a BYTEA column and no other: pgx would take a []byte
// for TEXT as well, where SQLite would store bytes that equal no text. It is a
// struct as pgx looks through named slices.
type blob struct{ bytes []byte }

// BytesValue makes blob known to pgx's BYTEA codec.
func (b blob) BytesValue() ([]byte, error) { return b.bytes, nil }

func (s *postgresSession) add(query string, args []any) {
	if s.batch == nil {
		s.batch = &pgx.Batch{}
	}
	if !s.begun {
		s.batch.Queue(s.begin)
		s.begun = true
	}
	for i, arg := range args {
		if b, ok := arg.([]byte); ok {
			args[i] = blob{b}
		}
	}
	s.batch.Queue(query, args...)
}

// send sends what is queued, checks all results but the last, and leaves that
// to the caller, who must close the results.
func (s *postgresSession) send(ctx context.Context) (pgx.BatchResults, error) {
	batch := s.batch
	s.batch = nil
	results := s.conn.SendBatch(ctx, batch)
	for i, queued := range batch.QueuedQueries[:batch.Len()-1] {
		if _, err := results.Exec(); err != nil {
			_ = results.Close() // reports the same error again
			query := queued.SQL
			if i == 0 { // statements are prepared before the first runs: any may be to blame
				query = statements(batch)
			}
			return nil, queryError(query, err)
		}
	}
	return results, nil
}

func statements(batch *pgx.Batch) string {
	var all []string
	for _, queued := range batch.QueuedQueries {
		if !strings.HasPrefix(queued.SQL, "BEGIN") && queued.SQL != "COMMIT" {
			all = append(all, queued.SQL)
		}
	}
	return strings.Join(all, "; ")
}

func (s *postgresSession) exec(ctx context.Context, query string, args []any) (int64, error) {
	s.add(query, args)
	tag, err := s.last(ctx)
	return tag.RowsAffected(), err
}

// last sends what is queued and returns the result of the last statement.
func (s *postgresSession) last(ctx context.Context) (pgconn.CommandTag, error) {
	results, err := s.send(ctx)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := results.Exec()
	if closing := results.Close(); err == nil {
		err = closing
	}
	return tag, err
}

func (s *postgresSession) queue(query string, args []any) error {
	s.add(query, args)
	return nil
}

func (s *postgresSession) query(ctx context.Context, query string, args []any) (cursor, error) {
	s.add(query, args)
	results, err := s.send(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		_ = results.Close()
		return nil, err
	}
	return &postgresCursor{session: s, results: results, rows: rows}, nil
}

// commit sends what is left together with COMMIT.
func (s *postgresSession) commit(ctx context.Context) error {
	if !s.begun {
		return nil
	}
	s.add("COMMIT", nil)
	tag, err := s.last(ctx)
	if err == nil && tag.String() != "COMMIT" {
		return fmt.Errorf("sqldb: COMMIT ended in %s", tag)
	}
	return err
}

// idle reports whether no transaction is open on the connection.
func (s *postgresSession) idle() bool {
	return s.conn.IsClosed() || s.conn.PgConn().TxStatus() == 'I'
}

// rollback ends a transaction that is still open, whatever became of the
// caller's context. A connection that cannot even do that is dropped by its
// pool.
func (s *postgresSession) rollback(ctx context.Context) {
	if s.idle() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	_, _ = s.conn.Exec(ctx, "ROLLBACK")
}

// explain marks an error of the connection as one that may pass.
func (s *postgresSession) explain(err error) error {
	if err == nil || !s.conn.IsClosed() {
		return err
	}
	if again(err) {
		return err
	}
	return unavailable(err)
}

type postgresCursor struct {
	session *postgresSession
	results pgx.BatchResults
	rows    pgx.Rows
}

func (c *postgresCursor) next() (bool, error) {
	if c.rows.Next() {
		return true, nil
	}
	return false, c.rows.Err()
}

func (c *postgresCursor) width() int { return len(c.rows.FieldDescriptions()) }

func (c *postgresCursor) close() error {
	c.rows.Close()
	err := c.rows.Err()
	if closing := c.results.Close(); err == nil {
		err = closing
	}
	return err
}

// column decodes by the column's type, without the detour of boxing.
func (c *postgresCursor) column(i int) (value, error) {
	raw := c.rows.RawValues()[i]
	if raw == nil {
		return value{}, nil
	}
	field := c.rows.FieldDescriptions()[i]
	if field.Format == pgtype.BinaryFormatCode {
		switch field.DataTypeOID {
		case pgtype.Int8OID:
			return value{kind: kindInt, i: int64(binary.BigEndian.Uint64(raw))}, nil
		case pgtype.Int4OID:
			return value{kind: kindInt, i: int64(int32(binary.BigEndian.Uint32(raw)))}, nil
		case pgtype.Int2OID:
			return value{kind: kindInt, i: int64(int16(binary.BigEndian.Uint16(raw)))}, nil
		case pgtype.BoolOID:
			return value{kind: kindBool, i: int64(raw[0])}, nil
		case pgtype.ByteaOID:
			return value{kind: kindBytes, b: raw}, nil
		case pgtype.Float8OID:
			return value{kind: kindFloat, f: math.Float64frombits(binary.BigEndian.Uint64(raw))}, nil
		}
	}
	switch field.DataTypeOID {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID, pgtype.UnknownOID:
		return value{kind: kindText, b: raw}, nil
	case pgtype.NumericOID: // the sum of BIGINTs
		return c.numeric(field, raw)
	}
	return value{}, fmt.Errorf("its PostgreSQL type (OID %d) has no like in SQLite: cast it", field.DataTypeOID)
}

// numeric returns a whole number as SQLite does, as an integer.
func (c *postgresCursor) numeric(field pgconn.FieldDescription, raw []byte) (value, error) {
	var text string
	if err := c.session.conn.TypeMap().Scan(field.DataTypeOID, field.Format, raw, &text); err != nil {
		return value{}, err
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return value{kind: kindInt, i: n}, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	return value{kind: kindFloat, f: f}, err
}
