package projects_test

import (
	"fmt"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/testkit"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// together runs n calls at the same time and returns their errors.
func together(n int, call func(i int) error) []error {
	out := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			out[i] = call(i)
		})
	}
	close(start)
	wg.Wait()
	return out
}

func reasonOf(err error) errs.Reason { return errs.ReasonOf(rpc.FromStatus(err)) }

func TestOfManyEditorsOneWins(t *testing.T) {
	const editors = 8
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		task := s.task(p, "Analisi", 5)
		line := s.line(p, member, 100)
		for what, call := range map[string]func(i int) error{
			"card": func(i int) error {
				_, err := s.UpdateProject(me, &projectsv1.UpdateProjectRequest{Project: &projectsv1.Project{Name: p.GetName(), Etag: p.GetEtag(), Acronym: fmt.Sprint("A", i)}})
				return err
			},
			"task": func(i int) error {
				_, err := s.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: task.GetName(), Etag: task.GetEtag(), DurationMinutes: int64(10 + i)}})
				return err
			},
			"line": func(i int) error {
				_, err := s.UpdateBudgetLine(me, &projectsv1.UpdateBudgetLineRequest{BudgetLine: &projectsv1.BudgetLine{Name: line.GetName(), Etag: line.GetEtag(), Amount: eur(int64(200 + i))}})
				return err
			},
		} {
			winner, won := -1, 0
			for i, err := range together(editors, call) {
				switch r := reasonOf(err); {
				case err == nil:
					winner, won = i, won+1
				case r != errs.StaleEtag && r != errs.ConcurrentUpdate || status.Code(err) != codes.Aborted:
					t.Errorf("%s: editor %d: %v", what, i, err)
				}
			}
			if won != 1 {
				t.Fatalf("%s: %d editors have won", what, won)
			}
			switch what {
			case "card":
				got := must[*projectsv1.Project](t)(s.GetProject(me, &projectsv1.GetProjectRequest{Name: p.GetName()}))
				if got.GetAcronym() != fmt.Sprint("A", winner) {
					t.Errorf("the card says %s, the winner was %d", got.GetAcronym(), winner)
				}
			case "task":
				if got := s.readTask(task.GetName()); got.GetDurationMinutes() != int64(10+winner) {
					t.Errorf("the task takes %d minutes, the winner was %d", got.GetDurationMinutes(), winner)
				}
			case "line":
				d := must[*projectsv1.Dashboard](t)(s.GetDashboard(me, &projectsv1.GetDashboardRequest{Name: p.GetName() + "/dashboard"}))
				if got := d.GetPlanned().GetMinorUnits(); got != int64(200+winner) {
					t.Errorf("the budget is %d, the winner was %d", got, winner)
				}
			}
		}
		if n := len(testkit.EventsOf[*projectsv1.ProjectUpdated](s.Env)); n != 1 {
			t.Errorf("%d updates told of, want 1", n)
		}
	})
}

func TestConcurrentSpendingLosesNoCent(t *testing.T) {
	const spenders = 40
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.project()
		lines := []*projectsv1.BudgetLine{s.line(p, leader, 100), s.line(p, member, 100)}
		me := s.As(manager, leader)
		for i, err := range together(spenders, func(i int) error {
			e, err := s.spend(me, lines[i%2], int64(i+1))
			if err == nil && i%5 == 0 { // every fifth was wrong
				_, err = s.VoidExpenditure(me, &projectsv1.VoidExpenditureRequest{Name: e.GetName(), Reason: "errore"})
			}
			return err
		}) {
			if err != nil {
				t.Errorf("spender %d: %v", i, err)
			}
		}
		want := [2]int64{}
		for i := range spenders {
			if i%5 != 0 {
				want[i%2] += int64(i + 1)
			}
		}
		d := must[*projectsv1.Dashboard](t)(s.GetDashboard(me, &projectsv1.GetDashboardRequest{Name: p.GetName() + "/dashboard"}))
		for i, l := range d.GetBudgetLines() {
			if l.GetSpent().GetMinorUnits() != want[i] {
				t.Errorf("line %d: spent %d, want %d", i, l.GetSpent().GetMinorUnits(), want[i])
			}
		}
		portfolio := must[*projectsv1.Portfolio](t)(s.QueryPortfolio(s.As(operator, ""), &projectsv1.QueryPortfolioRequest{}))
		if got := portfolio.GetTotal().GetTotals()[0].GetSpent().GetMinorUnits(); got != want[0]+want[1] {
			t.Errorf("the project's total is %d, want %d", got, want[0]+want[1])
		}
		if got := s.openAlerts(me, p.GetName()); len(got) != 2 {
			t.Errorf("%d open alerts for two overspent lines", len(got))
		}
	})
}

func TestConcurrentLinksMakeNoCircle(t *testing.T) {
	const n = 6
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		tasks := make([]*projectsv1.Task, n)
		for i := range tasks {
			tasks[i] = s.task(p, fmt.Sprint("T", i), 1)
		}
		// Each is put after the next, the last after the first: all but one may be.
		failed := 0
		for i, err := range together(n, func(i int) error {
			_, err := s.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: tasks[i].GetName(),
				Predecessors: []*projectsv1.Link{{Task: tasks[(i+1)%n].GetName()}}}})
			return err
		}) {
			if err != nil {
				failed++
				if reasonOf(err) != domain.TaskCycle {
					t.Errorf("link %d: %v", i, err)
				}
			}
		}
		if failed != 1 {
			t.Errorf("%d links were refused, want 1", failed)
		}
		d := must[*projectsv1.Dashboard](t)(s.GetDashboard(me, &projectsv1.GetDashboardRequest{Name: p.GetName() + "/dashboard"}))
		if d.GetScheduleFinishDate() != "2026-01-13" { // six working days in a chain, Epiphany off
			t.Errorf("the chain ends on %s", d.GetScheduleFinishDate())
		}
	})
}

func TestARequestSentTwiceAtOnceHasOneEffect(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.project()
		me := s.As(manager, leader)
		const n = 12
		for i, err := range together(n, func(i int) error {
			_, err := s.CreateTask(me, &projectsv1.CreateTaskRequest{Parent: p.GetName(), RequestId: fmt.Sprint("r", i/2), Task: &projectsv1.Task{Title: text(fmt.Sprint("T", i/2))}})
			return err
		}) {
			if err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		}
		list := must[*projectsv1.ListTasksResponse](t)(s.ListTasks(me, &projectsv1.ListTasksRequest{Parent: p.GetName()})).GetTasks()
		if len(list) != n/2 {
			t.Errorf("%d tasks of %d requests sent twice", len(list), n/2)
		}
	})
}
