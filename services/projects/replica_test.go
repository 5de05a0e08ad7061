package projects_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// Two replicas on one database and one bus are as one.
func TestReplicasAgree(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		a := start(t, open)
		b := suiteOf(t, a.Replica(open, service))
		me := a.As(manager, leader)

		t.Run("alerts", func(t *testing.T) {
			p := a.project()
			l := a.line(p, member, 100)
			onB := b.listen(me, &projectsv1.StreamAlertsRequest{Parent: "projects/-"})
			onA := a.listen(me, &projectsv1.StreamAlertsRequest{Parent: "projects/-"})
			writers, spent := []*suite{a, b}, []*projectsv1.Expenditure{}
			for i := range 6 {
				w := writers[i/2%2]
				if i%2 == 0 {
					spent = append(spent, must[*projectsv1.Expenditure](t)(w.spend(me, l, 101)))
				} else {
					must[*projectsv1.Expenditure](t)(w.VoidExpenditure(me, &projectsv1.VoidExpenditureRequest{Name: spent[len(spent)-1].GetName(), Reason: "doppia"}))
				}
				committed := time.Now()
				far, near := onB.next(t), onA.next(t)
				if took := time.Since(committed); took > time.Second {
					t.Errorf("change %d took %s to both", i, took)
				}
				if far.GetAlert().GetCause() != l.GetName() || far.GetResumeToken() != near.GetResumeToken() || (far.GetAlert().GetCloseTime() == nil) != (i%2 == 0) {
					t.Errorf("change %d: on A %v, on B %v", i, near, far)
				}
			}
		})

		t.Run("portfolio", func(t *testing.T) {
			p := a.project()
			l := a.line(p, leader, 1)
			for i := range 20 {
				w, r := a, b
				if i%2 == 0 {
					w, r = b, a
				}
				amount := int64(100 + i)
				must[*projectsv1.BudgetLine](t)(w.UpdateBudgetLine(me, &projectsv1.UpdateBudgetLineRequest{BudgetLine: &projectsv1.BudgetLine{Name: l.GetName(), Amount: eur(amount)}}))
				got := must[*projectsv1.Portfolio](t)(r.QueryPortfolio(r.As(operator, ""), &projectsv1.QueryPortfolioRequest{}))
				if planned := got.GetTotal().GetTotals()[0].GetPlanned().GetMinorUnits(); planned != amount+100 { // the other project's line
					t.Fatalf("after %d on the other replica: %d planned", amount, planned)
				}
			}
		})

		t.Run("plan", func(t *testing.T) {
			p := a.project()
			first := a.task(p, "Prima", 2)
			second := a.task(p, "Seconda", 1, first)
			// Each keeps in memory what the other makes stale.
			for i := range 10 {
				w := []*suite{a, b}[i%2]
				changed := must[*projectsv1.Task](t)(w.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: first.GetName(), DurationMinutes: days(int32(2 + i))}}))
				reader := []*suite{b, a}[i%2]
				moved := must[*projectsv1.Task](t)(reader.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: second.GetName(), Notes: strings.Repeat("x", i+1)}}))
				if moved.GetEarlyStartTime() < changed.GetEarlyFinishTime() {
					t.Fatalf("with %d days the next begins at %s, before the end at %s", 2+i, moved.GetEarlyStartTime(), changed.GetEarlyFinishTime())
				}
				if got := a.readTask(first.GetName()); got.GetDurationMinutes() != days(int32(2+i)) {
					t.Fatalf("an old plan came back: %d minutes", got.GetDurationMinutes())
				}
			}
		})

		t.Run("many at once", func(t *testing.T) {
			p := a.project()
			var tasks []*projectsv1.Task
			for range 8 {
				tasks = append(tasks, a.task(p, "x", 1))
			}
			for i, err := range together(len(tasks), func(i int) error {
				_, err := []*suite{a, b}[i%2].UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: tasks[i].GetName(), DurationMinutes: days(int32(i + 2))}})
				return err
			}) {
				if err != nil {
					t.Errorf("change %d: %v", i, err)
				}
			}
			for i, x := range tasks {
				if got := b.readTask(x.GetName()); got.GetDurationMinutes() != days(int32(i+2)) {
					t.Errorf("task %d has %d minutes: a change is lost", i, got.GetDurationMinutes())
				}
			}
		})
	})
}

// Whatever changes a task's progress is in the log from which earned value over
// time is computed: also changes of a plan that is in memory.
func TestEveryReportOfProgressIsLogged(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		logged := func(task *projectsv1.Task) []int64 {
			t.Helper()
			var out []int64
			err := s.DB.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				out = nil
				rows, err := tx.Query(ctx, `SELECT percent FROM progress_log WHERE task = $1 ORDER BY at`, task.GetName()[strings.LastIndex(task.GetName(), "/")+1:])
				if err != nil {
					return err
				}
				defer func() { _ = rows.Close() }()
				for rows.Next() {
					var n int64
					if err := rows.Scan(&n); err != nil {
						return err
					}
					out = append(out, n)
				}
				return rows.Err()
			})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		next := func() { s.Clock.Advance(time.Hour) }
		x := &projectsv1.Task{Title: text("Analisi"), DurationMinutes: days(4), ProgressPercent: 10, ActualStartDate: "2026-01-05"}
		one := must[*projectsv1.Task](t)(s.CreateTask(me, &projectsv1.CreateTaskRequest{Parent: p.GetName(), Task: x}))
		made := must[*projectsv1.BatchCreateTasksResponse](t)(s.BatchCreateTasks(me, &projectsv1.BatchCreateTasksRequest{Parent: p.GetName(), Tasks: []*projectsv1.Task{x}}))
		many := made.GetTasks()[0]
		report := func(task *projectsv1.Task, percent int32) *projectsv1.UpdateTaskRequest {
			return &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: task.GetName(), ProgressPercent: percent}, UpdateMask: mask("progress_percent")}
		}
		for _, percent := range []int32{20, 30, 30, 25, 40} { // from the second on the plan is in memory
			next()
			must[*projectsv1.Task](t)(s.UpdateTask(me, report(one, percent)))
			must[*projectsv1.BatchUpdateTasksResponse](t)(s.BatchUpdateTasks(me, &projectsv1.BatchUpdateTasksRequest{Parent: p.GetName(), Requests: []*projectsv1.UpdateTaskRequest{report(many, percent)}}))
		}
		// What is refused is not logged, and what comes after it is.
		next()
		if _, err := s.UpdateTask(me, report(one, 101)); err == nil {
			t.Error("101 % was taken")
		}
		if _, err := s.BatchUpdateTasks(me, &projectsv1.BatchUpdateTasksRequest{Parent: p.GetName(), Requests: []*projectsv1.UpdateTaskRequest{report(many, 90),
			{Task: &projectsv1.Task{Name: one.GetName(), ActualFinishDate: "2030-01-01"}, UpdateMask: mask("actual_finish_date")}}}); err == nil {
			t.Error("a finish in the future was taken")
		}
		next()
		must[*projectsv1.Task](t)(s.UpdateTask(me, report(one, 50)))
		must[*projectsv1.Task](t)(s.UpdateTask(me, report(many, 50)))
		// A plan that comes back from another program.
		stream, err := s.ExportSchedule(me, &projectsv1.ExportScheduleRequest{Name: p.GetName() + "/schedule"})
		xml, err := body(stream, err)
		if err != nil {
			t.Fatal(err)
		}
		next()
		file := s.uploaded(me, p, "piano.xml", []byte(strings.ReplaceAll(xml, "<PercentComplete>50</PercentComplete>", "<PercentComplete>75</PercentComplete>")))
		must[*projectsv1.ImportScheduleResponse](t)(s.ImportSchedule(me, &projectsv1.ImportScheduleRequest{Name: p.GetName() + "/schedule", File: file.GetName(), Mode: projectsv1.ImportMode_IMPORT_MODE_REPLACE}))
		next()
		must[*projectsv1.Task](t)(s.UpdateTask(me, report(one, 80)))
		must[*projectsv1.Task](t)(s.UpdateTask(me, report(many, 80)))
		for _, task := range []*projectsv1.Task{one, many} {
			if got := logged(task); !slices.Equal(got, []int64{10, 20, 30, 25, 40, 50, 75, 80}) {
				t.Errorf("logged of %s: %v", task.GetName(), got)
			}
		}
	})
}
