package domain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Register is one register of a project, such as the issue log: what its entries
// are called, and the states they go through.
type Register struct {
	Collection string              // segment of the resource names
	Field      string              // how requests and errors call an entry
	Initial    string              // state of a new entry
	Steps      map[string][]string // from a state to others
	Settled    []string            // states in which an entry asks for nothing more
	Frozen     []string            // states in which what is written does not change
	Reviewed   []string            // states in which the lead alone writes: what is decided is what was read
	Shared     bool                // the partner in charge writes its own entries
	Raised     bool                // a partner may add entries of its own
}

// Entry is what the entries of all registers have in common.
type Entry struct {
	ID           string     `json:"-"`
	Project      string     `json:"-"`
	Organisation string     `json:"-"` // the partner in charge; empty for the lead
	State        string     `json:"-"`
	Due          civil.Date `json:"-"`
	Task         string     `json:"-"` // id
	Deliverable  string     `json:"-"` // id
	Score        int32      `json:"-"`
	Stamp
}

// Head returns the entry itself.
func (e *Entry) Head() *Entry { return e }

// Registered is an entry of a register.
type Registered interface {
	Head() *Entry
	CurrentVersion() int64
	Touch(now time.Time)
	// Register is the register that it is in.
	Register() *Register
	// Mentions are what it refers to, which must be there when they are written.
	Mentions() []Mention
	// check says what is wrong with what people have written.
	check(p *Project) error
}

// guarded is an item that wants something before it goes to a state.
type guarded interface{ enter(to, note string) error }

// NameOf returns the resource name of an entry.
func NameOf(x Registered) string {
	return ids.Name("projects", x.Head().Project, x.Register().Collection, x.Head().ID)
}

// Pending reports whether an entry still asks for something.
func Pending(x Registered) bool { return !slices.Contains(x.Register().Settled, x.Head().State) }

// Overdue reports whether an entry's date is past while it asks for something.
func Overdue(x Registered, today civil.Date) bool {
	due := x.Head().Due
	return due != "" && due < today && Pending(x)
}

// Act is who does something, under which role, why and when.
type Act struct {
	Actor string    `json:"actor"`
	Role  string    `json:"role,omitempty"`
	Note  string    `json:"note,omitempty"`
	Time  time.Time `json:"time"`
}

// TrailEntry is one thing that was done to a gate or to an entry of a register.
type TrailEntry struct {
	ID       string    `json:"-"`
	Project  string    `json:"-"` // id
	Resource string    `json:"-"` // resource name
	Action   string    `json:"-"`
	Time     time.Time `json:"-"`
	Key      string    `json:"key,omitempty"` // of an artefact
	From     string    `json:"from,omitempty"`
	To       string    `json:"to,omitempty"`
	Actor    string    `json:"actor,omitempty"`
	Role     string    `json:"role,omitempty"`
	Note     string    `json:"note,omitempty"`
	Evidence
	Until civil.Date `json:"until,omitempty"`
}

// The actions on an entry of a register.
const (
	EntryCreated = "CREATED"
	EntryMoved   = "MOVED"
	EntryDone    = "DONE"
	EntryDeleted = "DELETED"
)

func trailOf(x Registered, action, from string, by Act) TrailEntry {
	h := x.Head()
	to := h.State
	if from == to {
		from, to = "", ""
	}
	return TrailEntry{Project: h.Project, Resource: NameOf(x), Action: action, From: from, To: to, Actor: by.Actor, Role: by.Role, Note: by.Note, Time: by.Time}
}

// AddEntry makes a new entry of what is written in x.
func AddEntry(x Registered, id string, p *Project, by Act) (TrailEntry, error) {
	h := x.Head()
	h.ID, h.Project, h.Stamp = id, p.ID, NewStamp(by.Time)
	if h.State == "" {
		h.State = x.Register().Initial
	}
	if err := checkEntry(x, p); err != nil {
		return TrailEntry{}, err
	}
	return trailOf(x, EntryCreated, "", by), nil
}

func checkEntry(x Registered, p *Project) error {
	return first(p.Writable(), p.RequirePartner(x.Register().Field+".organisation", x.Head().Organisation), x.check(p))
}

// Editable returns an error where what is written of an entry does not change
// any more.
func Editable(x Registered) error {
	if slices.Contains(x.Register().Frozen, x.Head().State) {
		return errs.New(errs.FailedPrecondition, EntryFrozen, "%s is %s and does not change any more", NameOf(x), x.Head().State).With("resource", NameOf(x))
	}
	return nil
}

// ReviseEntry takes over what was written into x, which was editable before.
func ReviseEntry(x Registered, p *Project, now time.Time) error {
	if err := checkEntry(x, p); err != nil {
		return err
	}
	x.Touch(now)
	return nil
}

// DropEntry checks that an entry may be deleted.
func DropEntry(x Registered, p *Project, by Act) (TrailEntry, error) {
	if err := first(p.Writable(), Editable(x)); err != nil {
		return TrailEntry{}, err
	}
	return trailOf(x, EntryDeleted, "", by), nil
}

// MoveEntry takes an entry to another state.
func MoveEntry(x Registered, p *Project, to string, by Act) (TrailEntry, error) {
	h := x.Head()
	if err := p.Writable(); err != nil {
		return TrailEntry{}, err
	}
	if !slices.Contains(x.Register().Steps[h.State], to) {
		return TrailEntry{}, errs.New(errs.FailedPrecondition, EntryState, "%s is %s and cannot become %s: from here it becomes %s",
			NameOf(x), h.State, to, or(x.Register().Steps[h.State])).With("state", h.State)
	}
	if g, ok := x.(guarded); ok {
		if err := g.enter(to, by.Note); err != nil {
			return TrailEntry{}, err
		}
	}
	from := h.State
	h.State = to
	x.Touch(by.Time)
	return trailOf(x, EntryMoved, from, by), nil
}

func or(words []string) string {
	if len(words) == 0 {
		return "nothing else"
	}
	return strings.Join(words, " or ")
}

// wants returns an error where a state wants a field that is empty.
func wants(empty bool, path, state string) error {
	if empty {
		return errs.InvalidField(FieldMissing, path, "must be given for %s", state)
	}
	return nil
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

func requireText(path, s string) error {
	if blank(s) {
		return errs.InvalidField(FieldMissing, path, "must not be empty")
	}
	return nil
}

// checkScale returns an error where a degree is not of the scale from 1 to 5.
func checkScale(path string, value int32) error {
	if value < 1 || value > 5 {
		return errs.InvalidField(ScoreWrong, path, "must be 1 to 5, is %d", value)
	}
	return nil
}

// Mention is a resource name in the project that an entry refers to.
type Mention struct{ Path, Name string }

// named is the mention of something by its id, none for an empty one. An id with
// a slash is a whole name, of something outside the project.
func named(path, project, collection, id string) []Mention {
	switch {
	case id == "":
		return nil
	case strings.Contains(id, "/"):
		return []Mention{{path, id}}
	default:
		return []Mention{{path, ids.Name("projects", project, collection, id)}}
	}
}

func allNamed(path string, names []string) []Mention {
	out := make([]Mention, len(names))
	for i, name := range names {
		out[i] = Mention{fmt.Sprintf("%s[%d]", path, i), name}
	}
	return out
}

// notLater returns an error for a day after today.
func notLater(path string, day, today civil.Date) error {
	if day > today {
		return errs.InvalidField(DatesWrong, path, "%s is in the future: today is %s", day, today)
	}
	return nil
}
