package store

import (
	"context"
	"slices"

	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain/portfolio"
)

// PartChanges is how often each part of the projects has changed. A part that is
// not there has not changed since its projects were there.
type PartChanges map[string]int64

// areaOf is the area in which a part is: its first digit.
func areaOf(part string) string { return part[:min(1, len(part))] }

// Sums are how often the parts of each area have changed together.
func (c PartChanges) Sums() PartChanges {
	out := PartChanges{}
	for part, n := range c {
		out[areaOf(part)] += n
	}
	return out
}

// PartSums reads how often the parts of each area have changed together.
func PartSums(ctx context.Context, tx *sqldb.Tx) (PartChanges, error) {
	out := PartChanges{}
	return out, out.read(ctx, tx, `SELECT substr(part, 1, 1), CAST(SUM(changes) AS BIGINT) FROM project_parts GROUP BY 1`)
}

// AddPartChanges reads how often each part of an area has changed.
func AddPartChanges(ctx context.Context, tx *sqldb.Tx, area string, into PartChanges) error {
	return into.read(ctx, tx, `SELECT part, changes FROM project_parts WHERE substr(part, 1, 1) = $1`, area)
}

func (c PartChanges) read(ctx context.Context, tx *sqldb.Tx, query string, args ...any) error {
	_, err := collect(ctx, tx, func(r row) (struct{}, error) {
		var key string
		var n int64
		err := r.Scan(&key, &n)
		c[key] = n
		return struct{}{}, err
	}, query, args...)
	return err
}

// PartOf is the part in which a project is: the last three digits of its id.
func PartOf(id string) string { return id[min(33, len(id)):] }

// touch counts up a project's part.
func touch(tx *sqldb.Tx, id string) {
	tx.Queue(`INSERT INTO project_parts (part, changes) VALUES ($1, 1)
		ON CONFLICT (part) DO UPDATE SET changes = project_parts.changes + 1`, PartOf(id))
}

// Standing reads what a portfolio needs of the projects of a part, or of all of
// them where part is empty.
func Standing(ctx context.Context, tx *sqldb.Tx, part string) ([]*portfolio.Project, error) {
	where, args := "", []any(nil)
	if part != "" {
		where, args = ` WHERE substr(p.id, 34, 3) = $1`, []any{part}
	}
	words := interner{}
	all, err := collect(ctx, tx, func(r row) (*portfolio.Project, error) { return scanStanding(r, words) }, `SELECT p.id, p.organisation, p.currency, p.phase, p.territory,
		p.start_date, p.end_date, p.granted, p.planned, p.spent, p.reported, p.certified, p.paid,
		COALESCE((SELECT MIN(t.finish_date) FROM tasks t WHERE t.project = p.id AND t.done < 100 AND NOT t.summary), ''),
		(SELECT COUNT(*) FROM alerts a WHERE a.project = p.id AND a.state = 'OPEN'),
		(SELECT COUNT(*) FROM alerts a WHERE a.project = p.id AND a.state = 'OPEN' AND a.severity = 'CRITICAL'), p.doc
		FROM projects p`+where, args...)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*portfolio.Project, len(all))
	for _, p := range all {
		byID[p.ID] = p
	}
	_, err = collect(ctx, tx, func(r row) (struct{}, error) {
		var project, organisation string
		var planned, spent int64
		if err := r.Scan(&project, &organisation, &planned, &spent); err != nil {
			return struct{}{}, err
		}
		// A sum of a partner that takes part no more cannot be: its lines keep it in.
		partners := byID[project].Partners
		if i := slices.IndexFunc(partners, func(x portfolio.Part) bool { return x.Organisation == organisation }); i >= 0 {
			partners[i].Amounts[portfolio.Planned], partners[i].Amounts[portfolio.Spent] = planned, spent
		}
		return struct{}{}, nil
	}, `SELECT l.project, l.organisation, CAST(SUM(l.amount) AS BIGINT), CAST(SUM(l.spent) AS BIGINT)
		FROM projects p JOIN budget_lines l ON l.project = p.id`+where+` GROUP BY l.project, l.organisation`, args...)
	for _, p := range all {
		p.Share()
	}
	return all, err
}

// interner keeps one copy of words that come again and again.
type interner map[string]string

func (i interner) one(s string) string {
	if known, ok := i[s]; ok {
		return known
	}
	i[s] = s
	return s
}

func scanStanding(r row, words interner) (*portfolio.Project, error) {
	p := &portfolio.Project{}
	a := &p.Amounts
	var text string
	if err := r.Scan(&p.ID, &p.Lead, &p.Currency, &p.Phase, &p.Territory, &p.Start, &p.End,
		&a[portfolio.Granted], &a[portfolio.Planned], &a[portfolio.Spent], &a[portfolio.Reported], &a[portfolio.Certified], &a[portfolio.Paid],
		&p.Unfinished, &p.Open, &p.Critical, &text); err != nil {
		return nil, err
	}
	var card struct {
		Sectors []string `json:"sectors"`
		Funders []struct {
			DisplayName  string `json:"displayName"`
			Organisation string `json:"organisation"`
			Programme    string `json:"programme"`
		} `json:"funders"`
		Partners []struct {
			Organisation string `json:"organisation"`
		} `json:"partners"`
	}
	if err := readDoc(text, &card); err != nil {
		return nil, err
	}
	p.Lead, p.Currency, p.Phase, p.Territory = words.one(p.Lead), words.one(p.Currency), words.one(p.Phase), words.one(p.Territory)
	add := func(into *[]string, word string) {
		if word != "" && !slices.Contains(*into, word) {
			*into = append(*into, words.one(word))
		}
	}
	for _, s := range card.Sectors {
		add(&p.Sectors, s)
	}
	for _, f := range card.Funders {
		if f.Organisation != "" {
			add(&p.Funders, f.Organisation)
		} else {
			add(&p.Funders, f.DisplayName)
		}
		add(&p.Programmes, f.Programme)
	}
	for _, x := range card.Partners {
		p.Partners = append(p.Partners, portfolio.Part{Organisation: words.one(x.Organisation)})
	}
	return p, nil
}
