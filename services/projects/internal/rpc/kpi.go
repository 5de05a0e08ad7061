package rpc

import (
	"context"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/earned"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// ListKpis reads a project's key figures.
func (s *Server) ListKpis(ctx context.Context, req *projectsv1.ListKpisRequest) (*projectsv1.ListKpisResponse, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListKpisResponse, error) {
		p, err := seeProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		k := kpis{}
		if k.alerts, err = visibleAlerts(ctx, tx, p); err != nil {
			return nil, err
		}
		if err := s.performance(ctx, tx, p, &k); err != nil {
			return nil, err
		}
		tasks, err := store.AllTasks(ctx, tx, p.ID)
		if err != nil {
			return nil, err
		}
		late, today := 0, s.today()
		for _, t := range tasks {
			if !t.Times.Summary && t.Late(today) && p.Phase != domain.Closed {
				late++
			}
		}
		if percent, some := domain.Progress(tasks); some {
			k.add("progress", "%", "Avanzamento", "Progress", counted(int(percent)))
		} else {
			k.add("progress", "%", "Avanzamento", "Progress", nil)
		}
		used := 100 * float64(min(max(today.Days()-p.Start.Days()+1, 0), p.End.Days()-p.Start.Days()+1)) / float64(p.End.Days()-p.Start.Days()+1)
		k.add("time_used", "%", "Tempo trascorso", "Time used", &used, domain.DeadlineNear)
		k.add("late_tasks", "n", "Attività in ritardo", "Late tasks", counted(late), domain.TaskLate, domain.MilestoneLate)
		k.add("open_alerts", "n", "Avvisi aperti", "Open alerts", counted(len(k.alerts)), allKinds(k.alerts)...)
		risks, _, err := store.OpenRisks(ctx, tx, p.ID)
		k.add("open_risks", "n", "Rischi aperti", "Open risks", counted(int(risks)))
		return &projectsv1.ListKpisResponse{Kpis: k.list}, err
	})
}

// performance adds the figures of earned value, of what the caller may see.
func (s *Server) performance(ctx context.Context, tx *sqldb.Tx, p *domain.Project, k *kpis) error {
	scope, err := valueScope(ctx, p, "", "")
	if err != nil {
		return err
	}
	v, err := s.value(ctx, tx, p)
	if err != nil {
		return valueError(err, "")
	}
	m, err := v.measures(scope, s.today(), earned.Booked)
	if err != nil {
		return err
	}
	schedule, err := v.EarnedSchedule(scope, s.today())
	if err != nil {
		return err
	}
	k.add("spi", "1", "Indice dei tempi (SPI)", "Schedule performance index (SPI)", double(m.SPI), domain.SchedulePerformance)
	k.add("spi_time", "1", "Indice dei tempi a giorni, SPI(t)", "Schedule performance index by time, SPI(t)", double(schedule.SPI))
	k.add("cpi", "1", "Indice dei costi (CPI)", "Cost performance index (CPI)", double(m.CPI), domain.CostPerformance)
	var used *float64
	if m.Budget > 0 {
		x := 100 * float64(m.Booked) / float64(m.Budget)
		used = &x
	}
	k.add("budget_used", "%", "Budget speso", "Budget spent", used, domain.BurnHigh, domain.LineOverspent, domain.Underspend)
	return nil
}

// visibleAlerts are a project's open alerts that the caller may see.
func visibleAlerts(ctx context.Context, tx *sqldb.Tx, p *domain.Project) ([]*domain.Alert, error) {
	open, err := store.OpenAlerts(ctx, tx, p.ID)
	var out []*domain.Alert
	for _, a := range open {
		if seeAlert(ctx, p, a) == nil {
			out = append(out, a)
		}
	}
	return out, err
}

func allKinds(alerts []*domain.Alert) []domain.AlertKind {
	return each(alerts, func(a *domain.Alert) domain.AlertKind { return a.Kind })
}

func counted(n int) *float64 {
	f := float64(n)
	return &f
}

// kpis gathers figures with what open alerts say of them.
type kpis struct {
	alerts []*domain.Alert
	list   []*projectsv1.Kpi
}

func (k *kpis) add(key, unit, italian, english string, value *float64, kinds ...domain.AlertKind) {
	out := &projectsv1.Kpi{Key: key, Unit: unit, Value: value,
		Title: textProto(domain.Text{Text: italian, Language: "it", Translations: map[string]string{"en": english}})}
	for _, a := range k.alerts {
		for _, kind := range kinds {
			if a.Kind == kind {
				out.Severity = max(out.Severity, severityProto(a.Severity))
			}
		}
	}
	k.list = append(k.list, out)
}
