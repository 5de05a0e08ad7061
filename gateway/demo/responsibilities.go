package demo

import (
	"context"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// responsibilities says who answers for each work package: the lead for the
// result, the partner in charge for the work.
func (l *loader) responsibilities(ctx context.Context, w *world, p plan, project string) error {
	tasks := &projectsv1.ListTasksResponse{}
	all, err := list(ctx, l, "/v1/"+project+"/tasks", "", tasks, tasks.GetTasks)
	if err != nil {
		return err
	}
	rows := &projectsv1.ListResponsibilitiesResponse{}
	made, err := list(ctx, l, "/v1/"+project+"/responsibilities", "", rows, rows.GetResponsibilities)
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, r := range made {
		have[r.GetTask()] = true
	}
	for _, t := range all {
		if t.GetParentTask() != "" || have[t.GetName()] {
			continue
		}
		worker := t.GetOrganisation()
		if worker == "" {
			worker = w.organisations[p.lead]
		}
		row := &projectsv1.Responsibility{Task: t.GetName(), Assignments: []*projectsv1.RaciAssignment{
			{Part: projectsv1.RaciPart_RACI_PART_ACCOUNTABLE, Organisation: w.organisations[p.lead], TeamRole: projectsv1.TeamRole_TEAM_ROLE_MANAGER},
			{Part: projectsv1.RaciPart_RACI_PART_RESPONSIBLE, Organisation: worker},
		}}
		if err := l.post(ctx, "/v1/"+project+"/responsibilities", "project/"+p.key+"/responsibility/"+slug(t.GetTitle().GetText()), row, nil); err != nil {
			return err
		}
	}
	return nil
}
