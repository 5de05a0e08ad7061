package rpc

import (
	"context"
	"errors"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain/ingest"
)

// ImportProjects takes a table of projects, details or payments in.
func (s *Server) ImportProjects(ctx context.Context, req *projectsv1.ImportProjectsRequest) (*projectsv1.ImportProjectsResponse, error) {
	m := mappingOf(req.GetMapping())
	table, err := ingest.Read(req.GetTable(), m.Sheet)
	if err != nil {
		return nil, err
	}
	records, err := ingest.Records(table, m, req.GetFirstLine())
	if err != nil {
		return nil, err
	}
	if fallback := req.GetMapping().GetFallbackOrganisation(); fallback != "" {
		if err := s.owners.Require(ctx, "mapping.fallback_organisation", fallback); err != nil {
			return nil, err
		}
	}
	leads, err := s.leadsOf(ctx, records)
	if err != nil {
		return nil, err
	}
	// A transaction may run again: each run has records of its own.
	run := func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ImportProjectsResponse, error) {
		r := newImportRun(s, req.GetMapping(), leads)
		for _, record := range records {
			r.records = append(r.records, record.Copy())
		}
		if err := r.take(ctx, tx); err != nil {
			return nil, err
		}
		return r.report()
	}
	if req.GetValidateOnly() {
		return s.rehearse(ctx, run)
	}
	return platform.Mutate(ctx, s.db, req, run)
}

// errRehearsal undoes the transaction of a dry run.
var errRehearsal = errors.New("dry run")

// rehearse runs an import and undoes it: so its report is the same.
func (s *Server) rehearse(ctx context.Context, run func(context.Context, *sqldb.Tx) (*projectsv1.ImportProjectsResponse, error)) (*projectsv1.ImportProjectsResponse, error) {
	var report *projectsv1.ImportProjectsResponse
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if report, err = run(ctx, tx); err == nil {
			err = errRehearsal
		}
		return err
	})
	if !errors.Is(err, errRehearsal) {
		return nil, err
	}
	for _, l := range report.GetLines() {
		if l.GetOutcome() == projectsv1.ProjectImportOutcome_PROJECT_IMPORT_OUTCOME_CREATED && report.GetPhases() != nil {
			l.Project = "" // it has no name yet
		}
	}
	return report, nil
}

// leadsOf finds the organisations of the catalogue that carry projects out, by
// their tax codes or VAT numbers. It calls another service: not from within a
// transaction.
func (s *Server) leadsOf(ctx context.Context, records []*ingest.Record) (map[string]string, error) {
	leads := map[string]string{}
	for _, r := range records {
		code := r.Text[ingest.ImplementerTaxCode]
		if _, asked := leads[code]; code == "" || asked || r.Refused {
			continue
		}
		for _, kind := range []cataloguev1.IdentifierType{cataloguev1.IdentifierType_IDENTIFIER_TYPE_TAX_CODE, cataloguev1.IdentifierType_IDENTIFIER_TYPE_VAT_NUMBER} {
			o, err := s.organisations.LookupOrganisation(ctx, &cataloguev1.LookupOrganisationRequest{Type: kind, Value: code})
			if !slices.Contains([]codes.Code{codes.OK, codes.NotFound, codes.InvalidArgument}, status.Code(err)) {
				return nil, errs.New(errs.Unavailable, errs.ServiceDown, "the catalogue does not answer: try again").Because(err)
			}
			leads[code] = o.GetName()
			if leads[code] != "" {
				break
			}
		}
	}
	return leads, nil
}

func mappingOf(m *projectsv1.ProjectImportMapping) ingest.Mapping {
	out := ingest.Mapping{
		Rows:   ingest.Kind(word(projectsv1.ProjectImportRows_name, "PROJECT_IMPORT_ROWS_", m.GetRows())),
		Source: m.GetSource(), KeyColumns: m.GetKeyColumns(), DecimalSeparator: m.GetDecimalSeparator(), DateLayout: m.GetDateLayout(), Sheet: m.GetSheet(),
	}
	for _, v := range m.GetValues() {
		out.Values = append(out.Values, ingest.Value{
			Field:     ingest.Field(word(projectsv1.ProjectImportField_name, "PROJECT_IMPORT_FIELD_", v.GetField())),
			Attribute: v.GetAttribute(), Column: v.GetColumn(), Constant: v.GetConstant(), Values: v.GetValues(),
		})
	}
	return out
}
