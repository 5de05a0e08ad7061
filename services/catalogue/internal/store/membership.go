package store

import (
	"context"
	"errors"

	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Memberships is what lists of memberships can be filtered and ordered by.
var Memberships = page.New(
	page.Column{Field: "name", SQL: "name", Kind: page.String, Orderable: true},
	page.Column{Field: "create_time", SQL: "created", Kind: page.Time, Orderable: true},
	page.Column{Field: "subject", SQL: "subject", Kind: page.String},
	page.Column{Field: "role", SQL: "role", Kind: page.String},
)

const membershipColumns = "name, organisation, subject, role, created"

// InsertMembership writes a new membership. It reports false, and writes
// nothing, where the person has that role in the organisation already.
func InsertMembership(ctx context.Context, tx *sqldb.Tx, m *domain.Membership) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO memberships (name, organisation, subject, role, created) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (subject, organisation, role) DO NOTHING`,
		m.Name, m.Organisation, m.Subject, m.Role, sqldb.Micros(m.CreateTime))
	return n > 0, err
}

// Membership reads one membership; nil where there is none.
func Membership(ctx context.Context, tx *sqldb.Tx, name string) (*domain.Membership, error) {
	m, err := scanMembership(tx.QueryRow(ctx, "SELECT "+membershipColumns+" FROM memberships WHERE name = $1", name).Scan)
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, nil
	}
	return m, err
}

// DeleteMembership deletes a membership. It reports false where somebody else
// has just done so.
func DeleteMembership(ctx context.Context, tx *sqldb.Tx, name string) (bool, error) {
	n, err := tx.Exec(ctx, "DELETE FROM memberships WHERE name = $1", name)
	return n > 0, err
}

// MembershipsOf lists all memberships of a person, by organisation, then role.
func MembershipsOf(ctx context.Context, tx *sqldb.Tx, subject string) ([]*domain.Membership, error) {
	var out []*domain.Membership
	err := eachRow(ctx, tx, "SELECT "+membershipColumns+" FROM memberships WHERE subject = $1 ORDER BY organisation, role",
		[]any{subject}, func(rows *sqldb.Rows) error {
			m, err := scanMembership(rows.Scan)
			out = append(out, m)
			return err
		})
	return out, err
}

// CountMemberships counts a person's memberships.
func CountMemberships(ctx context.Context, tx *sqldb.Tx, subject string) (n int64, err error) {
	err = tx.QueryRow(ctx, "SELECT COUNT(*) FROM memberships WHERE subject = $1", subject).Scan(&n)
	return n, err
}

// CountAdmins counts an organisation's admins, and keeps other transactions from
// changing them until this one ends.
func CountAdmins(ctx context.Context, tx *sqldb.Tx, organisation string) (n int64, err error) {
	if _, err = tx.Exec(ctx, "UPDATE organisations SET events = events WHERE name = $1", organisation); err != nil {
		return 0, err
	}
	err = tx.QueryRow(ctx, "SELECT COUNT(*) FROM memberships WHERE organisation = $1 AND role = $2", organisation, domain.RoleAdmin).Scan(&n)
	return n, err
}

// ListMemberships reads one page of an organisation's memberships.
func ListMemberships(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, organisation string) ([]*domain.Membership, string, error) {
	return page.List(ctx, tx, plan, page.Select{
		Columns: membershipColumns, From: "memberships", Where: "organisation = $1", Args: []any{organisation},
	}, scanMembership)
}

func scanMembership(scan func(dest ...any) error) (*domain.Membership, error) {
	m := &domain.Membership{}
	var created int64
	if err := scan(&m.Name, &m.Organisation, &m.Subject, &m.Role, &created); err != nil {
		return nil, err
	}
	m.CreateTime = sqldb.Time(created)
	return m, nil
}
