package demo

import (
	"context"
	"errors"
	"time"

	"github.com/trama-suite/trama/gateway/rest"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// FundedProject is the scenario's funded project, loaded without the rest.
type FundedProject struct {
	// Project is its resource name.
	Project string
	// Partners are the organisations that carry it out, the lead first.
	Partners []string
	// Outsider is an organisation that takes no part in it.
	Outsider string
	// Report is what there is to say of it, with its figures.
	Report *Report
}

// Funded loads the funded project with what it needs of the scenario: its
// organisations and their needs. Options.As must be given.
func Funded(ctx context.Context, client *rest.Client, opt Options) (*FundedProject, error) {
	if opt.As == nil {
		return nil, errors.New("the funded project needs people: who submits a claim may not control it")
	}
	if opt.Patience == 0 {
		opt.Patience = 90 * time.Second
	}
	if opt.Progress == nil {
		opt.Progress = func(string) {}
	}
	l := &loader{client: client, patience: opt.Patience, progress: opt.Progress, people: opt.As}
	w := newWorld()
	err := l.organisations(ctx, w)
	if err != nil {
		return nil, err
	}
	if w.needs, err = fill(ctx, l, needShelf(), needsOf(w.organisations)); err != nil {
		return nil, err
	}
	if err := l.funded(ctx, w); err != nil {
		return nil, err
	}
	project, err := l.findFunded(ctx)
	if err != nil {
		return nil, err
	}
	a := &answers{projects: map[string]*projectsv1.Project{projectFunded: project}}
	if err := l.gatherFunded(ctx, a); err != nil {
		return nil, err
	}
	out := &FundedProject{Project: project.GetName(), Outsider: w.organisations[fundedOutsider], Report: &Report{Sections: a.fundedSection(), Figures: a.fundedFigures()}}
	for _, key := range fundedPartners {
		out.Partners = append(out.Partners, w.organisations[key])
	}
	return out, nil
}
