package rpc

import (
	"context"
	"errors"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// importServer implements ImportService.
type importServer struct {
	cataloguev1.UnimplementedImportServiceServer
	Base
}

// ImportOrganisations implements ImportService.
func (s *importServer) ImportOrganisations(ctx context.Context, req *cataloguev1.ImportOrganisationsRequest) (*cataloguev1.ImportOrganisationsResponse, error) {
	options := importOptions(req)
	lines, err := domain.ReadImport(req.GetCsv(), options)
	if err != nil {
		return nil, err
	}
	if req.GetValidateOnly() {
		var resp *cataloguev1.ImportOrganisationsResponse
		err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			resp, err = s.run(ctx, tx, lines, options, req.GetValidateOnly())
			return err
		})
		return resp, err
	}
	resp, err := rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*cataloguev1.ImportOrganisationsResponse, error) {
		return s.run(ctx, tx, lines, options, req.GetValidateOnly())
	})
	if sqldb.IsUnique(err) {
		err = errs.New(errs.Conflict, errs.ConcurrentUpdate, "another request took one of the identifiers at the same time: send the same again").Because(err)
	}
	return resp, err
}

func importOptions(req *cataloguev1.ImportOrganisationsRequest) domain.ImportOptions {
	options := domain.ImportOptions{
		LanguageCode: req.GetLanguageCode(), MunicipalityDate: req.GetMunicipalityDate(),
		Source: req.GetSource(), Licence: req.GetLicence(), FirstLine: req.GetFirstLine(),
	}
	for _, c := range req.GetColumns() {
		options.Columns = append(options.Columns, domain.ImportColumn{
			Column: c.GetColumn(), Field: domain.ImportField(c.GetField().String()), Attribute: c.GetAttribute(),
		})
	}
	if len(options.Columns) == 0 && req.GetPreset() == cataloguev1.ImportPreset_IMPORT_PRESET_FIVE_PER_MILLE {
		options.Columns = domain.FivePerMilleColumns()
	}
	return options
}

// importRun is one import in its transaction.
type importRun struct {
	importServer  *importServer
	options       domain.ImportOptions
	dry           bool
	holders       map[string]string // who holds an identifier, by key; this import's own too
	organisations map[string]*domain.Organisation
	resp          *cataloguev1.ImportOrganisationsResponse
}

// run takes the lines, which it does not change: a transaction may be run again.
func (s *importServer) run(ctx context.Context, tx *sqldb.Tx, lines []*domain.ImportLine, options domain.ImportOptions, dry bool) (*cataloguev1.ImportOrganisationsResponse, error) {
	run := &importRun{importServer: s, options: options, dry: dry, resp: &cataloguev1.ImportOrganisationsResponse{
		Lines: make([]*cataloguev1.ImportLine, 0, len(lines)),
	}}
	if err := run.load(ctx, tx, lines); err != nil {
		return nil, err
	}
	for _, line := range lines {
		if err := run.take(ctx, tx, line); err != nil {
			return nil, err
		}
	}
	return run.resp, nil
}

// load reads all organisations that the lines are about.
func (r *importRun) load(ctx context.Context, tx *sqldb.Tx, lines []*domain.ImportLine) (err error) {
	var keys []string
	for _, line := range lines {
		if len(line.Refusals) == 0 {
			for _, id := range line.Identifiers() {
				keys = append(keys, id.Key())
			}
		}
	}
	if r.holders, err = store.IdentifierHolders(ctx, tx, keys); err != nil {
		return err
	}
	var names []string
	for _, line := range lines {
		if name := r.holders[line.TaxCode.Key()]; name != "" && len(line.Refusals) == 0 {
			names = append(names, name)
		}
	}
	r.organisations, err = store.OrganisationsByName(ctx, tx, names)
	return err
}

// take creates or changes the organisation of one line, and reports on it. Only
// a failure of the database is an error.
func (r *importRun) take(ctx context.Context, tx *sqldb.Tx, line *domain.ImportLine) error {
	if len(line.Refusals) > 0 {
		r.refused(line.Line, line.Refusals)
		return nil
	}
	o, exists := r.organisations[r.holders[line.TaxCode.Key()]]
	changed := true
	var err error
	if exists {
		changed, err = r.update(ctx, tx, o, line)
	} else {
		o, err = r.create(ctx, tx, line)
	}
	if e, wrong := errors.AsType[*errs.Error](err); wrong && e.Kind == errs.Invalid {
		r.refused(line.Line, domain.FindingsOf(e))
		return nil
	}
	if err == nil {
		r.taken(line, o.Name, !exists, changed)
	}
	return err
}

func (r *importRun) create(ctx context.Context, tx *sqldb.Tx, line *domain.ImportLine) (*domain.Organisation, error) {
	s := r.importServer
	name := ids.Name("organisations", s.NewID())
	o, err := domain.NewOrganisation(name, line.Fresh(r.options), s.now())
	if err != nil {
		return nil, err
	}
	if err := r.hold(o); err != nil {
		return nil, err
	}
	changes, err := o.Publish(s.now())
	if err != nil || r.dry {
		return o, err
	}
	if err := store.InsertOrganisation(tx, o); err != nil {
		return nil, err
	}
	return o, s.tellOrganisation(ctx, tx, o, changes)
}

func (r *importRun) update(ctx context.Context, tx *sqldb.Tx, o *domain.Organisation, line *domain.ImportLine) (changed bool, err error) {
	if o.State == domain.OrganisationArchived {
		return false, errs.InvalidField(domain.OrganisationIsArchived, "tax_code", "the organisation is archived: restore it first")
	}
	was, held := o.Version, o.Profile.Identifiers
	changes, err := o.Update(line.Apply(o.Profile, r.options), r.importServer.now())
	if err != nil || o.Version == was {
		return false, err
	}
	if err := r.hold(o); err != nil {
		return false, err
	}
	if r.dry {
		return true, nil
	}
	if err := store.SaveOrganisation(ctx, tx, o, was, held); err != nil {
		return false, err
	}
	return true, r.importServer.tellOrganisation(ctx, tx, o, changes)
}

// hold notes the identifiers of an organisation as taken, or refuses them where
// another one holds them.
func (r *importRun) hold(o *domain.Organisation) error {
	for _, id := range o.Profile.Identifiers {
		if holder := r.holders[id.Key()]; id.Unique() && holder != "" && holder != o.Name {
			return errs.InvalidField(domain.IdentifierTaken, domain.ImportFieldOf(id.Type), "another organisation has this identifier")
		}
	}
	for _, id := range o.Profile.Identifiers {
		if id.Unique() {
			r.holders[id.Key()] = o.Name
		}
	}
	return nil
}

func (r *importRun) refused(line int64, findings []domain.Finding) {
	r.resp.Total++
	r.resp.Refused++
	r.resp.Lines = append(r.resp.Lines, &cataloguev1.ImportLine{
		Line: line, Outcome: cataloguev1.ImportOutcome_IMPORT_OUTCOME_REFUSED, Findings: findingsToProto(findings),
	})
}

func (r *importRun) taken(line *domain.ImportLine, organisation string, created, changed bool) {
	out := &cataloguev1.ImportLine{Line: line.Line, Organisation: organisation, Created: created}
	switch {
	case !changed:
		out.Outcome = cataloguev1.ImportOutcome_IMPORT_OUTCOME_UNCHANGED
		r.resp.Unchanged++
	case len(line.Corrections) > 0:
		out.Outcome, out.Findings = cataloguev1.ImportOutcome_IMPORT_OUTCOME_CORRECTED, findingsToProto(line.Corrections)
		r.resp.Corrected++
	default:
		out.Outcome = cataloguev1.ImportOutcome_IMPORT_OUTCOME_ACCEPTED
		r.resp.Accepted++
	}
	switch {
	case created:
		r.resp.Created++
		if r.dry {
			out.Organisation = "" // it has no name yet
		}
	case changed:
		r.resp.Updated++
	}
	r.resp.Total++
	r.resp.Lines = append(r.resp.Lines, out)
}

func findingsToProto(findings []domain.Finding) []*cataloguev1.ImportFinding {
	out := make([]*cataloguev1.ImportFinding, len(findings))
	for i, f := range findings {
		out[i] = &cataloguev1.ImportFinding{Field: f.Field, Reason: string(f.Reason), Description: f.Description}
	}
	return out
}
