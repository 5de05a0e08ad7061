package store

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// Files is what lists of files can be filtered and ordered by.
var Files = page.New(
	page.Column{Field: "id", SQL: "f.id", Kind: page.String},
	page.Column{Field: "organisation", SQL: "f.organisation", Kind: page.String},
	page.Column{Field: "media_type", SQL: "f.media_type", Kind: page.String},
	page.Column{Field: "sha256", SQL: "f.sha256", Kind: page.String},
	page.Column{Field: "size_bytes", SQL: "f.size_bytes", Kind: page.Int, Orderable: true},
	page.Column{Field: "create_time", SQL: "f.created", Kind: page.Time, Orderable: true},
)

const fileColumns = `f.id, f.project, f.organisation, f.sha256, f.size_bytes, f.media_type, f.shared, f.version, f.created, f.updated, f.doc`

func scanFile(r row) (*domain.File, error) {
	f := &domain.File{}
	var s stamp
	var text string
	if err := r.Scan(&f.ID, &f.Project, &f.Organisation, &f.SHA256, &f.Size, &f.MediaType, &f.Shared, &s.version, &s.created, &s.updated, &text); err != nil {
		return nil, err
	}
	f.Stamp = s.read()
	return f, readDoc(text, f)
}

// File reads a file of a project.
func File(ctx context.Context, tx *sqldb.Tx, project, id string) (*domain.File, error) {
	f, err := scanFile(tx.QueryRow(ctx, `SELECT `+fileColumns+` FROM files f WHERE f.project = $1 AND f.id = $2`, project, id))
	return f, absent(domain.FileName(project, id), err)
}

// FileOfContent finds the file of a partner in a project that has a content; nil
// where there is none.
func FileOfContent(ctx context.Context, tx *sqldb.Tx, project, organisation, sha256 string) (*domain.File, error) {
	f, err := scanFile(tx.QueryRow(ctx, `SELECT `+fileColumns+` FROM files f WHERE f.project = $1 AND f.organisation = $2 AND f.sha256 = $3`,
		project, organisation, sha256))
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, nil
	}
	return f, err
}

// InsertFile stores a new file, whose content is in the file store.
func InsertFile(tx *sqldb.Tx, f *domain.File) {
	tx.Queue(`INSERT INTO files (id, project, organisation, sha256, size_bytes, media_type, shared, version, created, updated, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, f.ID, f.Project, f.Organisation, f.SHA256, f.Size, f.MediaType, f.Shared,
		f.Version, micros(f.Created), micros(f.Updated), doc(f))
}

// DeleteFile deletes a file that was read at version was. Its content stays
// wanted from now on, until the time for contents without a file is over.
func DeleteFile(ctx context.Context, tx *sqldb.Tx, f *domain.File, was, now int64) error {
	n, err := tx.Exec(ctx, `DELETE FROM files WHERE id = $1 AND version = $2`, f.ID, was)
	if err := one(f.Name(), n, err); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE blobs SET touched = $2 WHERE sha256 = $1 AND NOT doomed`, f.SHA256, now)
	return err
}

// ListFiles reads a page of the files of a project that are the scope's own, or
// shared where shared is true, or that a reader may read for a use of theirs.
func ListFiles(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string, own Scope, shared bool, reader Scope) ([]*domain.File, string, error) {
	q := page.Select{Columns: fileColumns, From: "files f", Args: []any{project}}
	q.Where = "f.project = $1 AND (" + own("f.organisation", &q.Args)
	if shared {
		q.Where += " OR f.shared"
	}
	q.Where += " OR EXISTS (SELECT 1 FROM file_uses u WHERE u.file = f.id AND u.reader <> '' AND " + reader("u.reader", &q.Args) + "))"
	return page.List(ctx, tx, plan, q, scanner(scanFile))
}

// FileUse says that something refers to a file.
type FileUse struct {
	File *domain.File
	// User is the resource name of what refers to it.
	User string
	// Cost says that the file proves a cost: from then on it is no longer read by
	// every partner of the project, also after the use has ended.
	Cost bool
	// Reader is an organisation outside the project, a funder, that may read the
	// file because of this use; empty for none.
	Reader string
}

// UseFile notes a use, in the transaction that makes the user and under the
// project's lock. The same use again replaces it. While there is a use the file
// cannot be deleted.
func UseFile(tx *sqldb.Tx, u FileUse) {
	tx.Queue(`INSERT INTO file_uses (file, user_name, project, reader) VALUES ($1, $2, $3, $4)
		ON CONFLICT (file, user_name) DO UPDATE SET reader = excluded.reader`, u.File.ID, u.User, u.File.Project, u.Reader)
	if u.Cost && u.File.Shared {
		tx.Queue(`UPDATE files SET shared = FALSE, version = version + 1 WHERE id = $1 AND shared`, u.File.ID)
	}
}

// ReleaseFiles ends all uses by something that is deleted, or that is about to
// say anew what it uses.
func ReleaseFiles(tx *sqldb.Tx, user string) {
	tx.Queue(`DELETE FROM file_uses WHERE user_name = $1`, user)
}

// maxUsers is how many users of a file are named.
const maxUsers = 100

// FileUsers names what refers to a file, a hundred at most.
func FileUsers(ctx context.Context, tx *sqldb.Tx, f *domain.File) ([]string, error) {
	return collect(ctx, tx, text, `SELECT user_name FROM file_uses WHERE file = $1 ORDER BY user_name LIMIT $2`, f.ID, int64(maxUsers))
}

// FileReaders names the organisations outside the project that may read a file.
func FileReaders(ctx context.Context, tx *sqldb.Tx, f *domain.File) ([]string, error) {
	return collect(ctx, tx, text, `SELECT DISTINCT reader FROM file_uses WHERE file = $1 AND reader <> '' ORDER BY reader`, f.ID)
}

// ReadsFilesOf reports whether an organisation in the scope may read any file of
// a project from outside.
func ReadsFilesOf(ctx context.Context, tx *sqldb.Tx, project string, reader Scope) (bool, error) {
	args := []any{project}
	var n int64
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM file_uses WHERE project = $1 AND reader <> '' AND `+reader("reader", &args), args...).Scan(&n)
	return n > 0, err
}

// FilesNamed reads the files of a project that a request names in a field, in
// their order. A name that is no file of the project, or not one that may sees,
// is refused with its place.
func FilesNamed(ctx context.Context, tx *sqldb.Tx, project, field string, names []string, may func(f *domain.File) bool) ([]*domain.File, error) {
	out := make([]*domain.File, 0, len(names))
	for i, name := range names {
		f, err := File(ctx, tx, project, name[strings.LastIndexByte(name, '/')+1:])
		if err != nil && errs.KindOf(err) != errs.NotFound {
			return nil, err
		}
		if err != nil || f.Name() != name || !may(f) {
			return nil, errs.InvalidField(errs.ReferenceNotFound, field+"["+strconv.Itoa(i)+"]", "%s is not a file of the project, or is not yours to see", name).With("resource", name)
		}
		out = append(out, f)
	}
	return out, nil
}

// UsedFiles reads the ids of the files that something refers to.
func UsedFiles(ctx context.Context, tx *sqldb.Tx, user string) ([]string, error) {
	return collect(ctx, tx, text, `SELECT file FROM file_uses WHERE user_name = $1 ORDER BY file`, user)
}

// ShowClaimFiles lets a funder read the files of a claim's expenditures, for as
// long as the claim uses them (see ReleaseFiles).
func ShowClaimFiles(tx *sqldb.Tx, name, id, funder string) {
	tx.Queue(`INSERT INTO file_uses (file, user_name, project, reader)
		SELECT DISTINCT u.file, CAST($1 AS TEXT), u.project, CAST($2 AS TEXT) FROM claim_lines l
		JOIN file_uses u ON u.user_name = 'projects/' || l.project || '/expenditures/' || l.expenditure WHERE l.claim = $3`, name, funder, id)
}
