package rpc

import (
	"context"
	"slices"

	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/claims"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// useCostFiles notes the files that prove an expenditure. The caller must see
// those that it did not have before. A voided one keeps its files: it stays on
// record.
func useCostFiles(ctx context.Context, tx *sqldb.Tx, p *domain.Project, e *domain.Expenditure) error {
	had, err := store.UsedFiles(ctx, tx, e.Name())
	if err != nil {
		return err
	}
	named := map[string][]string{"expenditure.files": e.Files}
	if e.Payment != nil {
		named["expenditure.payment.files"] = e.Payment.Files
	}
	var files []*domain.File
	for _, field := range []string{"expenditure.files", "expenditure.payment.files"} {
		found, err := store.FilesNamed(ctx, tx, p.ID, field, named[field], func(f *domain.File) bool {
			return slices.Contains(had, f.ID) || seesFile(ctx, p, f)
		})
		if err != nil {
			return err
		}
		files = append(files, found...)
	}
	store.ReleaseFiles(tx, e.Name())
	for _, f := range files {
		store.UseFile(tx, store.FileUse{File: f, User: e.Name(), Cost: true})
	}
	return nil
}

// showClaimFiles lets the funder read the files of a claim that stands with it,
// and ends that where it does not any more.
func showClaimFiles(tx *sqldb.Tx, c *claims.Claim) {
	store.ReleaseFiles(tx, c.Name())
	if c.State.Standing() && c.FunderOrganisation != "" {
		store.ShowClaimFiles(tx, c.Name(), c.ID, c.FunderOrganisation)
	}
}
