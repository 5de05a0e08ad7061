package store

import (
	"context"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// WantBlob writes down that a content is about to be put into the file store,
// or is wanted although it is there: from then on it stays for the time that
// contents are kept without a file. It fails for a content that is just being
// removed; a moment later it can be put there anew.
func WantBlob(ctx context.Context, tx *sqldb.Tx, sha256 string, size int64, now time.Time) error {
	n, err := tx.Exec(ctx, `INSERT INTO blobs (sha256, size_bytes, touched, doomed) VALUES ($1, $2, $3, FALSE)
		ON CONFLICT (sha256) DO UPDATE SET touched = excluded.touched WHERE NOT blobs.doomed`, sha256, size, micros(now))
	if err == nil && n == 0 {
		return errs.New(errs.Unavailable, errs.ServiceDown, "the same content is just being removed: try again")
	}
	return err
}

// doomBatch is how many contents are looked at in one transaction.
const doomBatch = 200

// DoomBlobs marks contents that no file has and nobody has wanted since a time,
// and returns all that are marked, a batch at most: they can be removed from the
// file store. A content that is wanted meanwhile is not among them.
func DoomBlobs(ctx context.Context, tx *sqldb.Tx, before time.Time) ([]string, error) {
	_, err := tx.Exec(ctx, `UPDATE blobs SET doomed = TRUE WHERE sha256 IN (
			SELECT b.sha256 FROM blobs b WHERE NOT b.doomed AND b.touched < $1
			AND NOT EXISTS (SELECT 1 FROM files f WHERE f.sha256 = b.sha256) ORDER BY b.touched LIMIT $2)
		AND touched < $1 AND NOT EXISTS (SELECT 1 FROM files f WHERE f.sha256 = blobs.sha256)`, micros(before), int64(doomBatch))
	if err != nil {
		return nil, err
	}
	return collect(ctx, tx, text, `SELECT sha256 FROM blobs WHERE doomed ORDER BY sha256 LIMIT $1`, int64(doomBatch))
}

// ForgetBlob strikes out a content that has been removed from the file store.
func ForgetBlob(tx *sqldb.Tx, sha256 string) {
	tx.Queue(`DELETE FROM blobs WHERE sha256 = $1 AND doomed`, sha256)
}
