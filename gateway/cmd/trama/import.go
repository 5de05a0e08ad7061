package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/trama-suite/trama/gateway/bulk"
	"github.com/trama-suite/trama/gateway/rest"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
)

type importCommand struct {
	Organisations importOrganisationsCommand `cmd:"" default:"withargs" help:"Imports organisations from a CSV file; what import alone does."`
	Projects      importProjectsCommand      `cmd:"" help:"Imports existing projects and their payments from CSV or Excel tables by a mapping file."`
}

type importOrganisationsCommand struct {
	clientFlags

	File         string `arg:"" help:"CSV file with headings; UTF-8, separated by commas, semicolons or tabs." type:"existingfile"`
	FivePerMille bool   `help:"The columns are those of the Italian five-per-mille list."`
	DryRun       bool   `help:"Report only, write nothing."`
	Source       string `help:"Where the data comes from, kept with every organisation."`
	Licence      string `help:"SPDX identifier of the data's licence."`
}

// Run imports the file and prints every line that was corrected or refused.
func (c importOrganisationsCommand) Run(ctx context.Context, g globals) error {
	client, err := c.client(g)
	if err != nil {
		return err
	}
	pattern := &cataloguev1.ImportOrganisationsRequest{Source: c.Source, Licence: c.Licence, ValidateOnly: c.DryRun}
	if c.FivePerMille {
		pattern.Preset = cataloguev1.ImportPreset_IMPORT_PRESET_FIVE_PER_MILLE
	}
	return importOrganisations(ctx, client, c.File, pattern)
}

func importOrganisations(ctx context.Context, client *rest.Client, path string, pattern *cataloguev1.ImportOrganisationsRequest) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	report, err := bulk.Organisations(ctx, client, file, pattern, func(l *cataloguev1.ImportLine) {
		for _, f := range l.GetFindings() {
			fmt.Printf("line %d: %s: %s (%s)\n", l.GetLine(), f.GetField(), f.GetDescription(), f.GetReason())
		}
	})
	if err != nil {
		return err
	}
	fmt.Printf("%d lines: %d accepted, %d corrected, %d unchanged, %d refused; %d organisations created, %d updated\n",
		report.Total, report.Accepted, report.Corrected, report.Unchanged, report.Refused, report.Created, report.Updated)
	return nil
}
