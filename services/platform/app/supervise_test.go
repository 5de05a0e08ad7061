package app_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trama-suite/trama/services/platform/app"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestALoopThatFailsStartsAgainWithBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		a := app.New(slog.New(slog.NewTextHandler(&log, nil)))
		begin := time.Now()
		var starts []time.Duration
		a.Go(app.Loop{Name: "clock", Run: func(ctx context.Context) error {
			starts = append(starts, time.Since(begin))
			switch len(starts) {
			case 1:
				return errors.New("first failure")
			case 2:
				panic("second failure")
			case 3:
				time.Sleep(2 * time.Minute) // long enough to count as steady
				return errors.New("third failure")
			case 4:
				return errors.New("fourth failure")
			}
			<-ctx.Done()
			return ctx.Err()
		}})
		time.Sleep(time.Hour)
		if err := a.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if len(starts) != 5 {
			t.Fatalf("started %d times", len(starts))
		}
		for i, want := range []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 2*time.Minute + 100*time.Millisecond, 200 * time.Millisecond} {
			if got := starts[i+1] - starts[i]; got < want || got > want+want/4 {
				t.Errorf("start %d came %s after the one before, want %s to a quarter more", i+2, got, want)
			}
		}
		for _, want := range []string{"first failure", "second failure", "supervise_test.go", "loop=clock"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %q", want)
			}
		}
	})
}

func TestALoopThatKeepsFailingIsTriedEveryHalfMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := app.New(quiet())
		starts := 0
		a.Go(app.Loop{Name: "x", Run: func(context.Context) error { starts++; return errors.New("no") }})
		time.Sleep(10 * time.Minute)
		if err := a.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if starts < 20 || starts > 32 {
			t.Errorf("%d starts in ten minutes", starts)
		}
	})
}

func TestALoopThatIsDoneStaysDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := app.New(quiet())
		starts := 0
		a.Go(app.Loop{Name: "once", Run: func(context.Context) error { starts++; return nil }})
		time.Sleep(time.Hour)
		if err := a.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if starts != 1 {
			t.Errorf("%d starts", starts)
		}
	})
}

func TestStopGoesBackwardsAndLeavesNothingOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := app.New(quiet())
		var order []string
		stop := func(name string, err error) {
			a.OnStop(name, func(context.Context) error { order = append(order, name); return err })
		}
		stop("bus", nil)
		stop("database", errors.New("it would not close"))
		a.OnStop("server", func(context.Context) error { order = append(order, "server"); panic("oh") })
		a.Go(app.Loop{Name: "deaf", Run: func(context.Context) error { time.Sleep(time.Hour); return nil }})
		a.Start(&app.Service{Name: "training", Loops: []app.Loop{{Name: "relay", Run: func(ctx context.Context) error {
			<-ctx.Done()
			order = append(order, "relay")
			return nil
		}}}})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := a.Stop(ctx)
		if want := []string{"relay", "server", "database", "bus"}; !slices.Equal(order, want) {
			t.Errorf("stopped in the order %v, want %v", order, want)
		}
		for _, want := range []string{`"deaf" did not end in time`, "it would not close", "panic: oh"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not tell of %q", err, want)
			}
		}
		if err := a.Stop(t.Context()); err != nil || len(order) != 4 {
			t.Errorf("second stop: %v, %v", err, order)
		}
		time.Sleep(time.Hour) // lets the deaf one end
	})
}

func TestReadyTellsWhatIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := app.New(quiet())
		down := errors.New("down")
		a.Start(&app.Service{Name: "training", Checks: []app.Check{
			{Name: "database", Run: func(context.Context) error { return nil }},
			{Name: "bus", Run: func(context.Context) error { return down }},
			{Name: "slow", Run: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
			{Name: "mad", Run: func(context.Context) error { panic("oh") }},
		}})
		results, well := a.Ready(t.Context())
		if well {
			t.Error("well")
		}
		got := ""
		for _, r := range results {
			got += fmt.Sprintf("%s=%v ", r.Name, r.Err != nil)
		}
		if got != "training: database=false training: bus=true training: slow=true training: mad=true " {
			t.Error(got)
		}
		if results[2].Took != 3*time.Second || !errors.Is(results[2].Err, context.DeadlineExceeded) {
			t.Errorf("the slow one: %+v", results[2])
		}
	})
	a := app.New(quiet())
	a.Check(app.Check{Name: "x", Run: func(context.Context) error { return nil }})
	if _, well := a.Ready(t.Context()); !well {
		t.Error("not well")
	}
	if err := a.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if _, well := a.Ready(t.Context()); well {
		t.Error("ready while it stops")
	}
}
