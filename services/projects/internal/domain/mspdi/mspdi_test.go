package mspdi_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/projects/internal/domain/mspdi"
)

func read(t interface{ Fatal(...any) }, text string) *mspdi.Plan {
	p, err := mspdi.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func document(inside string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><Project xmlns="` + mspdi.Namespace + `">` + inside + `</Project>`
}

func task(uid int, inside string) string {
	return fmt.Sprintf(`<Task><UID>%d</UID><Name>T%d</Name><OutlineLevel>1</OutlineLevel><Duration>PT8H0M0S</Duration>%s</Task>`, uid, uid, inside)
}

func after(uid, kind, lag, format int) string {
	return fmt.Sprintf(`<PredecessorLink><PredecessorUID>%d</PredecessorUID><Type>%d</Type><LinkLag>%d</LinkLag><LagFormat>%d</LagFormat></PredecessorLink>`, uid, kind, lag, format)
}

func TestLagsAndDurations(t *testing.T) {
	p := read(t, document("<Tasks>"+
		task(1, "<DurationFormat>7</DurationFormat>")+
		task(2, "<DurationFormat>8</DurationFormat>"+after(1, 1, 4800, 7))+
		task(3, "<DurationFormat>40</DurationFormat>"+after(1, 0, -14400, 8)+after(1, 3, 50, 19))+
		task(4, after(2, 2, 25, 52)+after(3, 1, 9600, 39))+"</Tasks>"))
	want := []struct {
		elapsed bool
		links   []mspdi.Link
	}{
		{false, nil},
		{true, []mspdi.Link{{Predecessor: 1, Type: mspdi.FinishStart, Lag: 480}}},
		{true, []mspdi.Link{{Predecessor: 1, Type: mspdi.FinishFinish, Lag: -1440, Elapsed: true}, {Predecessor: 1, Type: mspdi.StartStart, Lag: 50, Percent: true}}},
		{false, []mspdi.Link{{Predecessor: 2, Type: mspdi.StartFinish, Lag: 25, Elapsed: true, Percent: true}, {Predecessor: 3, Type: mspdi.FinishStart, Lag: 960}}},
	}
	for i, w := range want {
		got := p.Tasks[i]
		if got.Elapsed != w.elapsed || got.Minutes != 480 || len(got.Links) != len(w.links) {
			t.Errorf("task %d: %+v", got.UID, got)
			continue
		}
		for k, l := range w.links {
			g := got.Links[k]
			if g.Predecessor != l.Predecessor || g.Type != l.Type || g.Lag != l.Lag || g.Elapsed != l.Elapsed || g.Percent != l.Percent {
				t.Errorf("task %d, link %d: %+v, want %+v", got.UID, k, g, l)
			}
		}
	}
}

func TestWhatIsNotHeldIsListed(t *testing.T) {
	p := read(t, document(`<Author>Ada</Author><Novelty><A>1</A></Novelty><Tasks>
		<Task><UID>0</UID><Name>Progetto</Name><OutlineLevel>0</OutlineLevel></Task>
		<Task><UID>7</UID><IsNull>1</IsNull></Task>`+
		task(1, `<Cost>0</Cost><Hyperlink></Hyperlink>`)+task(2, `<Cost>5</Cost>`+after(1, 1, 0, 7))+
		task(3, `<Active>0</Active>`)+task(4, after(3, 1, 0, 7)+`<ExtendedAttribute><FieldID>9</FieldID><Value>x</Value></ExtendedAttribute>`)+
		`</Tasks><Resources><Resource><UID>1</UID><Name>Sabbia</Name><Type>0</Type></Resource></Resources>
		<Assignments><Assignment><UID>1</UID><TaskUID>1</TaskUID><ResourceUID>1</ResourceUID></Assignment>
		<Assignment><UID>2</UID><TaskUID>2</TaskUID><ResourceUID>-65535</ResourceUID></Assignment></Assignments>`))
	if len(p.Tasks) != 3 || len(p.Resources) != 0 || len(p.Assignments) != 0 || len(p.Tasks[2].Links) != 0 {
		t.Errorf("%d tasks, %d resources, %d assignments, links %v", len(p.Tasks), len(p.Resources), len(p.Assignments), p.Tasks[2].Links)
	}
	var got []string
	for _, d := range p.Dropped {
		got = append(got, fmt.Sprintf("%s×%d %s", d.Path, d.Count, d.Reason))
	}
	all := strings.Join(got, "\n")
	for _, want := range []string{"Project/Author×1", "Project/Novelty×1", "Task×1 the row is empty", "Task×1 the task is inactive", "Task/Cost×1",
		"PredecessorLink×1 of the predecessor: the task is inactive", "ExtendedAttribute×1", "Project/Resources/Resource×1", "Project/Assignments/Assignment×1"} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is not among what was dropped:\n%s", want, all)
		}
	}
	if len(got) != 9 {
		t.Errorf("%d things dropped:\n%s", len(got), all)
	}
}

func TestCalendars(t *testing.T) {
	p := read(t, document(`<CalendarUID>2</CalendarUID><Calendars>
	<Calendar><UID>1</UID><IsBaseCalendar>1</IsBaseCalendar><BaseCalendarUID>-1</BaseCalendarUID></Calendar>
	<Calendar><UID>2</UID><IsBaseCalendar>0</IsBaseCalendar><BaseCalendarUID>1</BaseCalendarUID><WeekDays>
		<WeekDay><DayType>7</DayType><DayWorking>1</DayWorking><WorkingTimes><WorkingTime><FromTime>22:00:00</FromTime><ToTime>02:00:00</ToTime></WorkingTime><WorkingTime/></WorkingTimes></WeekDay>
		<WeekDay><DayType>0</DayType><DayWorking>0</DayWorking><TimePeriod><FromDate>2026-01-06T00:00:00</FromDate><ToDate>2026-01-07T23:59:00</ToDate></TimePeriod></WeekDay></WeekDays>
		<Exceptions>
		<Exception><TimePeriod><FromDate>2026-01-01T00:00:00</FromDate><ToDate>2028-12-31T23:59:00</ToDate></TimePeriod><Name>Natale</Name><Type>2</Type><Month>11</Month><MonthDay>25</MonthDay><DayWorking>0</DayWorking></Exception>
		<Exception><EnteredByOccurrences>1</EnteredByOccurrences><Occurrences>3</Occurrences><TimePeriod><FromDate>2026-01-01T00:00:00</FromDate><ToDate>2026-01-01T23:59:00</ToDate></TimePeriod><Name>Ultimo venerdì</Name><Type>5</Type><Period>2</Period><MonthItem>8</MonthItem><MonthPosition>4</MonthPosition><DayWorking>0</DayWorking></Exception>
		<Exception><TimePeriod><FromDate>2026-03-02T00:00:00</FromDate><ToDate>2026-03-31T23:59:00</ToDate></TimePeriod><Type>6</Type><Period>2</Period><DaysOfWeek>2</DaysOfWeek><DayWorking>0</DayWorking></Exception>
		</Exceptions></Calendar></Calendars>`))
	c, ok := p.Flatten(2)
	if !ok || len(c.Week[0].Intervals) != 0 || len(c.Week[1].Intervals) != 2 || !reflect.DeepEqual(c.Week[6].Intervals, []mspdi.Interval{{From: 0, To: 120}, {From: 1320, To: 1440}}) {
		t.Errorf("the week is %v", c.Week)
	}
	var days []string
	for _, x := range c.Exceptions {
		days = append(days, x.From.Format("060102")+"-"+x.To.Format("060102"))
	}
	if got := strings.Join(days, " "); got != "260106-260107 261225-261225 271225-271225 281225-281225 260130-260130 260327-260327 260529-260529 260302-260302 260316-260316 260330-260330" {
		t.Errorf("exceptions %s", got)
	}
}

func TestBrokenDocumentsAreRefusedWithThePlace(t *testing.T) {
	deep := strings.Repeat("<a>", 100_000)
	bomb := `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><Project xmlns="` + mspdi.Namespace + `"><Name>&b;</Name></Project>`
	for name, c := range map[string]struct {
		text string
		kind mspdi.Kind
		says string
	}{
		"nothing":               {"", mspdi.Malformed, "truncated"},
		"not XML":               {"PK\x03\x04 a spreadsheet", mspdi.Malformed, "line 1"},
		"JSON":                  {`{"a": 1}`, mspdi.Malformed, "not a Microsoft Project XML document"},
		"truncated":             {document("<Tasks>" + task(1, ""))[:150], mspdi.Malformed, "line 1"},
		"an entity bomb":        {bomb, mspdi.Malformed, "DOCTYPE"},
		"an entity":             {document("<Name>&b;</Name>"), mspdi.Malformed, "entity"},
		"another namespace":     {`<Project xmlns="http://example.org/"></Project>`, mspdi.Malformed, "namespace"},
		"no namespace":          {`<Project></Project>`, mspdi.Malformed, "namespace"},
		"another root":          {`<Plan xmlns="` + mspdi.Namespace + `"/>`, mspdi.Malformed, "must be Project"},
		"another encoding":      {`<?xml version="1.0" encoding="UTF-16"?>` + document(""), mspdi.Malformed, "UTF-16"},
		"deep nesting":          {document(deep), mspdi.TooLarge, "nested"},
		"deep nesting in a row": {document("<Tasks><Task>" + deep), mspdi.TooLarge, "nested"},
		"a second root":         {document("") + document(""), mspdi.Malformed, "second"},
		"words after the end":   {document("") + "x", mspdi.Malformed, "follows"},
		"a UID twice":           {document("<Tasks>" + task(1, "") + "\n" + task(1, "") + "</Tasks>"), mspdi.Broken, "line 2, Project/Tasks/Task: UID 1 stands twice"},
		"a task without UID":    {document("<Tasks><Task><Name>x</Name></Task></Tasks>"), mspdi.Broken, "no UID"},
		"an absent predecessor": {document("<Tasks>\n" + task(1, after(9, 1, 0, 7)) + "</Tasks>"), mspdi.Broken, "line 2, Project/Tasks/Task/PredecessorLink: UID 1: the predecessor 9"},
		"linked to itself":      {document("<Tasks>" + task(1, after(1, 1, 0, 7)) + "</Tasks>"), mspdi.Broken, "itself"},
		"a link type":           {document("<Tasks>" + task(2, after(1, 4, 0, 7)) + "</Tasks>"), mspdi.Broken, "UID 2: \"4\" is not a whole number from 0 to 3"},
		"a huge lag":            {document("<Tasks>" + task(2, after(1, 1, 1<<60, 7)) + "</Tasks>"), mspdi.Broken, "out of range"},
		"a huge duration":       {document("<Tasks>" + task(2, "<Duration>PT99999999999H0M0S</Duration>") + "</Tasks>"), mspdi.Broken, "UID 2"},
		"a negative duration":   {document("<Tasks>" + task(2, "<Duration>-PT8H0M0S</Duration>") + "</Tasks>"), mspdi.Broken, "negative"},
		"a date out of range":   {document("<Tasks>" + task(2, "<Deadline>9999-01-01T00:00:00</Deadline>") + "</Tasks>"), mspdi.Broken, "UID 2: \"9999-01-01T00:00:00\" is not within"},
		"30 February":           {document("<StartDate>2026-02-30T00:00:00</StartDate>"), mspdi.Broken, "Project/StartDate"},
		"a bare constraint":     {document("<Tasks>" + task(2, "<ConstraintType>4</ConstraintType>") + "</Tasks>"), mspdi.Broken, "no date"},
		"an element in a value": {document("<Tasks>" + task(2, "<Deadline><x/></Deadline>") + "</Tasks>"), mspdi.Broken, "UID 2"},
		"calendars in a circle": {document(`<Calendars><Calendar><UID>1</UID><IsBaseCalendar>0</IsBaseCalendar><BaseCalendarUID>2</BaseCalendarUID></Calendar><Calendar><UID>2</UID><IsBaseCalendar>0</IsBaseCalendar><BaseCalendarUID>1</BaseCalendarUID></Calendar></Calendars>`), mspdi.Broken, "circle"},
		"an absent resource":    {document("<Tasks>" + task(2, "") + "</Tasks><Assignments><Assignment><TaskUID>2</TaskUID><ResourceUID>5</ResourceUID></Assignment></Assignments>"), mspdi.Broken, "resource 5"},
		"a long text":           {document("<Name>" + strings.Repeat("x", 2<<20) + "</Name>"), mspdi.TooLarge, "1 MiB"},
		"a long comment":        {document("<!--" + strings.Repeat("<>", 1<<20) + "-->"), mspdi.TooLarge, "1 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := mspdi.Read(strings.NewReader(c.text))
			var e *mspdi.Error
			if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Error(), c.says) || e.Line < 1 {
				t.Errorf("got %v, want one of kind %d that says %q", err, c.kind, c.says)
			}
		})
	}
}

// endless is a document that never ends.
type endless struct{ n int }

func (e *endless) Read(p []byte) (int, error) {
	const head, row = `<Project xmlns="` + mspdi.Namespace + `"><Tasks>`, `<x>y</x>`
	if e.n == 0 {
		e.n += copy(p, head)
		return e.n, nil
	}
	for n := range p {
		p[n] = row[(e.n-len(head)+n)%len(row)]
	}
	e.n += len(p)
	return len(p), nil
}

func TestReadingIsBounded(t *testing.T) {
	for what, l := range map[string]mspdi.Limits{
		"bytes":  {Bytes: 1 << 20, Tokens: 1 << 30, Tasks: 10, Links: 10, Others: 10},
		"tokens": {Bytes: 1 << 30, Tokens: 10_000, Tasks: 10, Links: 10, Others: 10},
	} {
		e := &endless{}
		_, err := mspdi.ReadWithin(e, l)
		var got *mspdi.Error
		if !errors.As(err, &got) || got.Kind != mspdi.TooLarge || e.n > 2<<20 {
			t.Errorf("%s: %v after %d bytes", what, err, e.n)
		}
	}
	many := document("<Tasks>" + strings.Repeat(task(1, ""), 11) + "</Tasks>")
	_, err := mspdi.ReadWithin(strings.NewReader(many), mspdi.Limits{Bytes: 1 << 20, Tokens: 1 << 20, Tasks: 10, Links: 10, Others: 10})
	var got *mspdi.Error
	if !errors.As(err, &got) || got.Kind != mspdi.TooLarge {
		t.Errorf("11 tasks of 10: %v", err)
	}
}

func times() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.IntRange(0, 3).Draw(t, "none") == 0 {
			return time.Time{}
		}
		return time.Date(2026, 1, 1, 0, rapid.IntRange(0, 2_000_000).Draw(t, "minute"), 0, 0, time.UTC)
	})
}

func words() *rapid.Generator[string] {
	return rapid.StringOf(rapid.RuneFrom([]rune("aàéZ <>&\"'\t\n\r☂")))
}

// plans makes plans that hold everything that is held.
func plans() *rapid.Generator[*mspdi.Plan] {
	return rapid.Custom(func(t *rapid.T) *mspdi.Plan {
		p := &mspdi.Plan{Name: words().Draw(t, "name"), Title: words().Draw(t, "title"), Start: times().Draw(t, "start"), Finish: times().Draw(t, "finish"),
			Status: times().Draw(t, "status"), CalendarUID: 1, MinutesPerDay: int64(rapid.IntRange(1, 1440).Draw(t, "perDay"))}
		for i := range rapid.IntRange(1, 3).Draw(t, "calendars") {
			c := mspdi.Calendar{UID: int64(i + 1), Name: words().Draw(t, "calendar"), Base: mspdi.NoCalendar}
			if i > 0 && rapid.Bool().Draw(t, "derived") {
				c.Base = int64(i)
			}
			for d := range c.Week {
				if c.Base == mspdi.NoCalendar || rapid.Bool().Draw(t, "own") {
					day := days().Draw(t, "day")
					c.Week[d] = &day
				}
			}
			for range rapid.IntRange(0, 2).Draw(t, "exceptions") {
				from := time.Date(2026, 1, rapid.IntRange(1, 300).Draw(t, "from"), 0, 0, 0, 0, time.UTC)
				c.Exceptions = append(c.Exceptions, mspdi.Exception{Name: words().Draw(t, "exception"), From: from,
					To: from.AddDate(0, 0, rapid.IntRange(0, 9).Draw(t, "days")), Day: days().Draw(t, "exceptional")})
			}
			if rapid.Bool().Draw(t, "summer") {
				day := days().Draw(t, "summerDay")
				c.Weeks = []mspdi.WorkWeek{{Name: "Estate", From: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 8, 31, 0, 0, 0, 0, time.UTC), Week: [7]*mspdi.Day{3: &day}}}
			}
			p.Calendars = append(p.Calendars, c)
		}
		p.Honour = rapid.Bool().Draw(t, "honour")
		n := rapid.IntRange(0, 8).Draw(t, "tasks")
		chain := []int64{0}
		for i := range n {
			level := rapid.IntRange(1, len(chain)).Draw(t, "level")
			x := mspdi.Task{UID: int64(i + 1), Name: words().Draw(t, "task"), Notes: words().Draw(t, "notes"), Parent: chain[level-1],
				Minutes: int64(rapid.IntRange(0, 100_000).Draw(t, "minutes")), Elapsed: rapid.Bool().Draw(t, "elapsed"), Priority: rapid.IntRange(0, 1000).Draw(t, "priority"),
				Constraint: mspdi.Constraint(rapid.IntRange(0, 7).Draw(t, "constraint")), Deadline: times().Draw(t, "deadline"), CalendarUID: mspdi.NoCalendar,
				Percent: rapid.IntRange(0, 100).Draw(t, "percent"), ActualStart: times().Draw(t, "actualStart"), ActualFinish: times().Draw(t, "actualFinish"),
				Work: int64(rapid.IntRange(0, 9999).Draw(t, "work")), Start: times().Draw(t, "taskStart"), Finish: times().Draw(t, "taskFinish"), Critical: rapid.Bool().Draw(t, "critical"),
				TotalSlack: int64(rapid.IntRange(-99, 99).Draw(t, "slack"))}
			if x.Constraint > mspdi.AsLateAsPossible {
				x.ConstraintDate = time.Date(2026, 2, 1, 8, 0, 0, 0, time.UTC)
			}
			if level > 1 {
				p.Tasks[chain[level-1]-1].Summary = true
			}
			chain = append(chain[:level], x.UID)
			for _, other := range rapid.SliceOfNDistinct(rapid.IntRange(1, n), 0, min(2, n), rapid.ID[int]).Draw(t, "predecessors") {
				if int64(other) != x.UID {
					l := mspdi.Link{Predecessor: int64(other), Type: mspdi.LinkType(rapid.IntRange(0, 3).Draw(t, "type")), Lag: int64(rapid.IntRange(-5000, 5000).Draw(t, "lag")),
						Elapsed: rapid.Bool().Draw(t, "elapsedLag"), Percent: rapid.Bool().Draw(t, "percentLag")}
					x.Links = append(x.Links, l)
				}
			}
			if rapid.Bool().Draw(t, "baseline") {
				x.Baselines = []mspdi.Baseline{{Number: rapid.IntRange(0, 10).Draw(t, "number"), Start: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC),
					Finish: time.Date(2026, 1, 6, 8, 0, 0, 0, time.UTC), Minutes: 480, Work: 5}}
			}
			if rapid.Bool().Draw(t, "attributes") {
				x.Attributes = map[string]string{"un alias": "valore & <più>", "b": "à"}
			}
			p.Tasks = append(p.Tasks, x)
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "resources") {
			p.Resources = append(p.Resources, mspdi.Resource{UID: int64(i + 1), Name: "R" + words().Draw(t, "resource"), Type: mspdi.WorkResource,
				MaxUnits: int64(rapid.IntRange(0, 1_000_000).Draw(t, "units")), CalendarUID: mspdi.NoCalendar, Code: words().Draw(t, "code")})
			if n > 0 {
				p.Assignments = append(p.Assignments, mspdi.Assignment{Task: int64(rapid.IntRange(1, n).Draw(t, "of")), Resource: int64(i + 1),
					Units: int64(rapid.IntRange(0, 50_000).Draw(t, "assigned")), Work: 60})
			}
		}
		return p
	})
}

func days() *rapid.Generator[mspdi.Day] {
	return rapid.Custom(func(t *rapid.T) mspdi.Day {
		var d mspdi.Day
		at := 0
		for range rapid.IntRange(0, 2).Draw(t, "intervals") {
			from := rapid.IntRange(at, 1430).Draw(t, "from")
			to := rapid.IntRange(from+1, 1440).Draw(t, "to")
			d.Intervals = append(d.Intervals, mspdi.Interval{From: from, To: to})
			if at = to; at > 1420 {
				break
			}
		}
		return d
	})
}

func TestWhatIsWrittenIsReadBackTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := plans().Draw(t, "plan")
		var out bytes.Buffer
		if err := mspdi.Write(&out, p); err != nil {
			t.Fatal(err)
		}
		got, err := mspdi.Read(&out)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Dropped) > 0 {
			t.Errorf("dropped %v", got.Dropped)
		}
		if a, b := fmt.Sprintf("%+v", plain(p)), fmt.Sprintf("%+v", plain(got)); a != b {
			t.Errorf("wrote\n%s\nread\n%s", a, b)
		}
	})
}

// plain takes away where things stood, and pointers.
func plain(p *mspdi.Plan) string {
	var out strings.Builder
	fmt.Fprintln(&out, p.Name, p.Title, p.Start, p.Finish, p.Status, p.FromFinish, p.Honour, p.CalendarUID, p.MinutesPerDay)
	for _, c := range p.Calendars {
		fmt.Fprintln(&out, c.UID, c.Name, c.Base)
		for i, d := range c.Week {
			if d != nil {
				fmt.Fprint(&out, i, len(d.Intervals), d.Intervals)
			}
		}
		for _, x := range c.Weeks {
			fmt.Fprint(&out, x.Name, x.From, x.To, x.Week[3].Intervals)
		}
		for _, x := range c.Exceptions {
			fmt.Fprintf(&out, "%+v", x)
		}
	}
	for _, t := range p.Tasks {
		fmt.Fprintln(&out, t.UID, t.Name, t.Notes, t.Parent, t.Summary, t.Minutes, t.Elapsed, t.Priority, t.Constraint, t.ConstraintDate, t.Deadline, t.CalendarUID,
			t.Percent, t.ActualStart, t.ActualFinish, t.Work, t.Start, t.Finish, t.Critical, t.TotalSlack, t.Baselines, t.Attributes)
		for _, l := range t.Links {
			fmt.Fprintln(&out, l.Predecessor, l.Type, l.Lag, l.Elapsed, l.Percent)
		}
	}
	for _, x := range p.Resources {
		fmt.Fprintln(&out, x.UID, x.Name, x.Type, x.MaxUnits, x.CalendarUID, x.Code, x.Attributes)
	}
	for _, a := range p.Assignments {
		fmt.Fprintln(&out, a.Task, a.Resource, a.Units, a.Work)
	}
	return out.String()
}

func FuzzRead(f *testing.F) {
	f.Add(document("<Tasks>" + task(1, "") + task(2, after(1, 1, 0, 7)) + "</Tasks>"))
	f.Add(document("<Calendars><Calendar><UID>1</UID></Calendar></Calendars>"))
	for _, name := range files(f) {
		if text, err := os.ReadFile(name); err == nil {
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := mspdi.ReadWithin(strings.NewReader(text), mspdi.Limits{Bytes: 1 << 18, Tokens: 50_000, Tasks: 500, Links: 500, Others: 5_000})
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := mspdi.Write(&out, p); err != nil {
			t.Fatal(err)
		}
		if _, err := mspdi.Read(&out); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
	})
}

// files are the real documents, where there are any.
func files(t testing.TB) []string {
	t.Helper()
	dir := os.Getenv("TRAMA_DATA_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "..", "..", "shared", "data")
	}
	out, err := filepath.Glob(filepath.Join(dir, "mspdi", "*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRealDocumentsAreRead(t *testing.T) {
	names := files(t)
	if len(names) == 0 {
		t.Skip("no real data: set TRAMA_DATA_DIR to the folder with mspdi/*.xml")
	}
	for _, name := range names {
		in, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := mspdi.Read(in)
		_ = in.Close()
		if err != nil {
			t.Fatal(name, err)
		}
		links := 0
		for _, x := range p.Tasks {
			links += len(x.Links)
		}
		t.Logf("%s: %d tasks, %d links, %d calendars; dropped: %v", filepath.Base(name), len(p.Tasks), links, len(p.Calendars), p.Dropped)
		if len(p.Tasks) == 0 || links == 0 {
			t.Errorf("%s: %d tasks and %d links", name, len(p.Tasks), links)
		}
	}
}
