package rpc

import (
	"context"
	"strings"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/search"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// SearchSource is the catalogue's database as the search index sees it.
type SearchSource struct{ DB *sqldb.DB }

// FollowSearch returns the loop that keeps a replica's index: it hears of what
// other replicas change by the catalogue's own events.
func FollowSearch(b *bus.Bus, index *search.Index) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		// First the events, then the database: what changes in between is noted.
		err := b.Watch(ctx, "catalogue", func(env *eventv1.Envelope, _ proto.Message) {
			if searchable(env.GetAggregate()) {
				index.Note(search.Change{Name: env.GetAggregate(), Event: env.GetAggregateVersion()})
			}
		})
		if err != nil {
			return err
		}
		return index.Run(ctx)
	}
}

// searchable reports whether the resource is of a kind that searches find.
func searchable(name string) bool {
	if _, ok := ids.Parse(organisationName, name); ok {
		return true
	}
	collection, _, _ := strings.Cut(name, "/")
	_, ok := domain.KindOfCollection(collection)
	return ok
}

// Keys implements search.Source.
func (s SearchSource) Keys(ctx context.Context, after string, limit int) ([]search.Key, error) {
	var out []search.Key
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		keys, err := store.PublishedKeys(ctx, tx, after, int64(limit))
		out = make([]search.Key, len(keys))
		for i, k := range keys {
			out[i] = search.Key(k)
		}
		return err
	})
	return out, err
}

// Load implements search.Source.
func (s SearchSource) Load(ctx context.Context, names []string) ([]search.Document, error) {
	var out []search.Document
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		found, err := loadPublished(ctx, tx, names)
		if err != nil {
			return err
		}
		out = make([]search.Document, 0, len(names))
		for _, o := range found.organisations {
			out = append(out, organisationDocument(o))
		}
		for _, e := range found.entries {
			out = append(out, entryDocument(e))
		}
		return nil
	})
	return out, err
}

// published is what a list of names stands for.
type published struct {
	organisations map[string]*domain.Organisation
	entries       map[string]*domain.Entry
}

// loadPublished reads those of the named organisations and entries that are
// published.
func loadPublished(ctx context.Context, tx *sqldb.Tx, names []string) (published, error) {
	var organisations, entries []string
	for _, name := range names {
		if _, ok := ids.Parse(organisationName, name); ok {
			organisations = append(organisations, name)
		} else {
			entries = append(entries, name)
		}
	}
	out := published{entries: make(map[string]*domain.Entry, len(entries))}
	var err error
	if out.organisations, err = store.OrganisationsByName(ctx, tx, organisations); err != nil {
		return out, err
	}
	for name, o := range out.organisations {
		if !o.Public() {
			delete(out.organisations, name)
		}
	}
	list, err := store.PublishedEntries(ctx, tx, entries)
	for _, e := range list {
		out.entries[e.Name] = e
	}
	return out, err
}

func organisationDocument(o *domain.Organisation) search.Document {
	p, t := &o.Profile, &o.Profile.Territory
	d := search.Document{
		Key:      search.Key{Name: o.Name, Version: o.Version, UpdateMicros: sqldb.Micros(o.UpdateTime)},
		Kind:     search.KindOrganisation,
		Audience: search.AudiencePublic, Organisation: o.Name,
		Titles: textsOf(p.DisplayName), Texts: textsOf(p.Description),
		Sectors: p.Sectors, LegalForm: p.LegalForm,
		Territories: append([]string{t.Country}, prefixes(t.NUTS)...),
	}
	if t.Region != "" {
		d.Regions = []string{t.Region}
	}
	if t.MunicipalityCode != "" {
		d.Territories = append(d.Territories, t.MunicipalityCode)
	}
	if t.Municipality != "" {
		d.Texts = append(d.Texts, search.Text{Language: p.DisplayName.LanguageCode, Text: t.Municipality})
	}
	return d
}

func entryDocument(e *domain.Entry) search.Document {
	c := &e.Card
	d := search.Document{
		Key:      search.Key{Name: e.Name, Version: e.Version, UpdateMicros: sqldb.Micros(e.UpdateTime)},
		Kind:     string(e.Body.Kind()),
		Audience: audienceOf(e), Organisation: e.Organisation,
		Titles: textsOf(c.Title), Texts: textsOf(c.Description),
		Category: c.Category, Sectors: c.Sectors, Tags: c.Tags,
	}
	for _, code := range c.Territories {
		country, _, regional := strings.Cut(code, "-")
		d.Territories = append(d.Territories, country)
		if regional {
			d.Regions = append(d.Regions, code)
		}
	}
	words := plainWords([]string{c.Category}, c.Sectors, c.Tags)
	switch b := e.Body.(type) {
	case *domain.Solution:
		words = append(words, plainWords(b.Technologies, b.TargetBeneficiaries, b.NeedCategories)...)
	case *domain.ServiceOffering:
		d.Texts = append(d.Texts, textsOf(b.Eligibility)...)
		words = append(words, plainWords(b.NeedCategories)...)
	case *domain.Need:
		d.Urgency = string(b.Urgency)
		d.Texts = append(d.Texts, textsOf(b.DesiredOutcome)...)
	case *domain.Idea:
		words = append(words, plainWords(b.TargetBeneficiaries)...)
	case *domain.JobProfile:
		for _, duty := range b.Duties {
			d.Texts = append(d.Texts, textsOf(duty)...)
		}
	case *domain.Event:
		words = append(words, plainWords(b.Themes, []string{b.Place})...)
	}
	if len(words) > 0 {
		d.Texts = append(d.Texts, search.Text{Language: c.Title.LanguageCode, Text: strings.Join(words, "\n")})
	}
	return d
}

// textsOf returns a text in all its languages.
func textsOf(t domain.LocalizedText) []search.Text {
	if t.IsZero() {
		return nil
	}
	out := []search.Text{{Language: t.LanguageCode, Text: t.Text}}
	for language, text := range t.Translations {
		out = append(out, search.Text{Language: language, Text: text})
	}
	return out
}

// plainWords returns the words among values that may be terms' resource names:
// what people tag a thing with is what they look for.
func plainWords(lists ...[]string) []string {
	var out []string
	for _, list := range lists {
		for _, v := range list {
			if _, isTerm := ids.Parse(termName, v); v != "" && !isTerm {
				out = append(out, v)
			}
		}
	}
	return out
}

// prefixes returns the NUTS code and all codes that contain it, but the country.
func prefixes(nuts string) []string {
	var out []string
	for n := 3; n <= len(nuts); n++ {
		out = append(out, nuts[:n])
	}
	return out
}
