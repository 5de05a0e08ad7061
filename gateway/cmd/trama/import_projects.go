package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/trama-suite/trama/gateway/bulk"
	"github.com/trama-suite/trama/gateway/rest"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

type importProjectsCommand struct {
	clientFlags

	Mapping  string   `help:"Mapping file (YAML): what each file holds." type:"existingfile" required:"" placeholder:"FILE"`
	Fallback string   `help:"Lead of projects whose implementer is not in the catalogue: organisations/…" placeholder:"NAME"`
	DryRun   bool     `help:"Report only, write nothing."`
	Files    []string `arg:"" help:"Tables (CSV or .xlsx) that the mapping file names, taken in the order of the mapping." type:"existingfile"`
}

// mappingFile says what the files of one source hold. Messages are written as in
// the REST API.
type mappingFile struct {
	Organisations []struct {
		File    string            `json:"file"`
		Source  string            `json:"source"`
		Licence string            `json:"licence"`
		Columns []json.RawMessage `json:"columns"`
	} `json:"organisations"`
	Tables []struct {
		File    string          `json:"file"`
		Mapping json.RawMessage `json:"mapping"`
	} `json:"tables"`
}

func readMapping(path string) (*mappingFile, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	tree, err := yaml.Parser().Unmarshal(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	encoded, err := json.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	out := &mappingFile{}
	d := json.NewDecoder(strings.NewReader(string(encoded)))
	d.DisallowUnknownFields()
	if err := d.Decode(out); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

// Run imports the files and prints every row that was refused or is odd.
func (c importProjectsCommand) Run(ctx context.Context, g globals) error {
	mapping, err := readMapping(c.Mapping)
	if err != nil {
		return err
	}
	client, err := c.client(g)
	if err != nil {
		return err
	}
	left := slices.Clone(c.Files)
	take := func(name string) string {
		for i, file := range left {
			if filepath.Base(file) == name {
				left = slices.Delete(left, i, i+1)
				return file
			}
		}
		return ""
	}
	var work []func() error
	for _, o := range mapping.Organisations {
		if file := take(o.File); file != "" {
			pattern := &cataloguev1.ImportOrganisationsRequest{Source: o.Source, Licence: o.Licence, ValidateOnly: c.DryRun}
			for _, column := range o.Columns {
				m := &cataloguev1.ImportColumn{}
				if err := message(c.Mapping, column, m); err != nil {
					return err
				}
				pattern.Columns = append(pattern.Columns, m)
			}
			work = append(work, func() error { return importOrganisations(ctx, client, file, pattern) })
		}
	}
	for _, t := range mapping.Tables {
		if file := take(t.File); file != "" {
			m := &projectsv1.ProjectImportMapping{}
			if err := message(c.Mapping, t.Mapping, m); err != nil {
				return err
			}
			if c.Fallback != "" {
				m.FallbackOrganisation = c.Fallback
			}
			work = append(work, func() error { return c.table(ctx, client, file, m) })
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("%s does not say what %s holds", c.Mapping, strings.Join(left, ", "))
	}
	for _, do := range work {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

func message(path string, text json.RawMessage, into proto.Message) error {
	if err := protojson.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (c importProjectsCommand) table(ctx context.Context, client *rest.Client, path string, m *projectsv1.ProjectImportMapping) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	report, err := bulk.Projects(ctx, client, file, m, c.DryRun, func(l *projectsv1.ProjectImportLine) {
		for _, f := range l.GetFindings() {
			fmt.Printf("%s line %d (%s) %s: %s: %s (%s)\n", filepath.Base(path), l.GetLine(), l.GetKey(),
				strings.ToLower(strings.TrimPrefix(l.GetOutcome().String(), "PROJECT_IMPORT_OUTCOME_")), f.GetField(), f.GetDescription(),
				strings.TrimPrefix(f.GetReason().String(), "PROJECT_IMPORT_REASON_"))
		}
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	fmt.Printf("%s: %d rows: %d created, %d updated, %d unchanged, %d refused; %d taken with something odd\n",
		filepath.Base(path), report.Total, report.Created, report.Updated, report.Unchanged, report.Refused, report.Odd)
	if report.Amount != 0 {
		fmt.Printf("%s: amounts of %s: %s taken, %s refused\n", filepath.Base(path), units(report.Amount), units(report.AmountTaken), units(report.AmountRefused))
	}
	for _, phase := range slices.Sorted(keys(report.Phases)) {
		fmt.Printf("%s: %s: %d projects\n", filepath.Base(path), strings.ToLower(strings.TrimPrefix(phase.String(), "PHASE_")), report.Phases[phase])
	}
	return nil
}

// keys are the phases that have projects.
func keys(phases map[projectsv1.Phase]int) func(func(projectsv1.Phase) bool) {
	return func(yield func(projectsv1.Phase) bool) {
		for phase, n := range phases {
			if n > 0 && !yield(phase) {
				return
			}
		}
	}
}

// units writes minor units with a point.
func units(minor int64) string {
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	return fmt.Sprintf("%s%d.%02d", sign, minor/100, minor%100)
}
