package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/trama-suite/trama/gateway/bulk"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
)

type importCommand struct {
	clientFlags

	File         string `arg:"" help:"CSV file with headings; UTF-8, separated by commas, semicolons or tabs." type:"existingfile"`
	FivePerMille bool   `help:"The columns are those of the Italian five-per-mille list."`
	DryRun       bool   `help:"Report only, write nothing."`
	Source       string `help:"Where the data comes from, kept with every organisation."`
	Licence      string `help:"SPDX identifier of the data's licence."`
}

// Run imports the file and prints every line that was corrected or refused.
func (c importCommand) Run(ctx context.Context, g globals) (err error) {
	client, err := c.client(g)
	if err != nil {
		return err
	}
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	pattern := &cataloguev1.ImportOrganisationsRequest{Source: c.Source, Licence: c.Licence, ValidateOnly: c.DryRun}
	if c.FivePerMille {
		pattern.Preset = cataloguev1.ImportPreset_IMPORT_PRESET_FIVE_PER_MILLE
	}
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
