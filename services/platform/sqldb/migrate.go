package sqldb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// The platform's own tables. Their migrations differ between the databases in
// one thing only, how a column counts by itself; no other DDL does.
//
//go:embed migrations
var platformMigrations embed.FS

// Each history has a version table of its own, so that a service numbers its
// migrations without regard to the platform's.
const (
	platformVersions = "platform_version"
	serviceVersions  = "schema_version"
)

// migrateAll brings both histories up to date.
func migrateAll(ctx context.Context, db *sql.DB, dialect goose.Dialect, own fs.FS) error {
	platform, err := fs.Sub(platformMigrations, "migrations/"+platformFolder(dialect))
	if err != nil {
		return err
	}
	if err := up(ctx, db, dialect, platform, platformVersions); err != nil {
		return fmt.Errorf("sqldb: migrating the platform's tables: %w", err)
	}
	if own == nil {
		return nil
	}
	if err := up(ctx, db, dialect, own, serviceVersions); err != nil {
		return fmt.Errorf("sqldb: migrating the service's tables: %w", err)
	}
	return nil
}

func platformFolder(dialect goose.Dialect) string {
	if dialect == goose.DialectSQLite3 {
		return "sqlite"
	}
	return "postgres"
}

func up(ctx context.Context, db *sql.DB, dialect goose.Dialect, migrations fs.FS, table string) error {
	p, err := goose.NewProvider(dialect, db, migrations, goose.WithTableName(table), goose.WithDisableGlobalRegistry(true))
	if errors.Is(err, goose.ErrNoMigrations) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// newest returns the highest version among migrations, 0 where there are none.
func newest(migrations fs.FS) (int64, error) {
	if migrations == nil {
		return 0, nil
	}
	files, err := fs.Glob(migrations, "*.sql")
	if err != nil {
		return 0, err
	}
	var highest int64
	for _, f := range files {
		v, err := goose.NumericComponent(f)
		if err != nil {
			return 0, err
		}
		highest = max(highest, v)
	}
	return highest, nil
}
