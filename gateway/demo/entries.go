package demo

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
)

// The figures of I3S that the catalogue holds.
const (
	interviewed    = 16 // bodies whose needs were collected
	chainSolutions = 32
	collectedIdeas = 16
	singledOut     = 10 // ideas of the first year
	transformPaths = 6  // possible paths of digital transformation
	jobProfiles    = 10
)

const everybody = cataloguev1.EntryVisibility_ENTRY_VISIBILITY_PUBLIC

// entry is what the messages of all kinds of catalogue entries have.
type entry interface {
	proto.Message
	keyed
	GetName() string
	GetState() cataloguev1.EntryState
}

// shelf is a collection of entries: where it is, and how it is read.
type shelf[E entry] struct {
	path string
	page pageOf
	have func() []E
	make func() E
}

func shelfOf[E entry](path string, page pageOf, have func() []E, fresh func() E) shelf[E] {
	return shelf[E]{"/v1/" + path, page, have, fresh}
}

// The shelves; each call makes its own, as one reads its page into itself.
func needShelf() shelf[*cataloguev1.Need] {
	p := &cataloguev1.ListNeedsResponse{}
	return shelfOf("needs", p, p.GetNeeds, func() *cataloguev1.Need { return &cataloguev1.Need{} })
}

func solutionShelf() shelf[*cataloguev1.Solution] {
	p := &cataloguev1.ListSolutionsResponse{}
	return shelfOf("solutions", p, p.GetSolutions, func() *cataloguev1.Solution { return &cataloguev1.Solution{} })
}

func offeringShelf() shelf[*cataloguev1.ServiceOffering] {
	p := &cataloguev1.ListServiceOfferingsResponse{}
	return shelfOf("serviceOfferings", p, p.GetServiceOfferings, func() *cataloguev1.ServiceOffering { return &cataloguev1.ServiceOffering{} })
}

func ideaShelf() shelf[*cataloguev1.Idea] {
	p := &cataloguev1.ListIdeasResponse{}
	return shelfOf("ideas", p, p.GetIdeas, func() *cataloguev1.Idea { return &cataloguev1.Idea{} })
}

func profileShelf() shelf[*cataloguev1.JobProfile] {
	p := &cataloguev1.ListJobProfilesResponse{}
	return shelfOf("jobProfiles", p, p.GetJobProfiles, func() *cataloguev1.JobProfile { return &cataloguev1.JobProfile{} })
}

func eventShelf() shelf[*cataloguev1.Event] {
	p := &cataloguev1.ListEventsResponse{}
	return shelfOf("events", p, p.GetEvents, func() *cataloguev1.Event { return &cataloguev1.Event{} })
}

// read returns the scenario's entries on a shelf, by key.
func read[E entry](ctx context.Context, l *loader, s shelf[E]) (map[string]E, error) {
	all, err := list(ctx, l, s.path, "", s.page, s.have)
	return byKey(all), err
}

// fill creates and publishes the entries that are missing on a shelf, and
// returns the names of all that are wanted, by key.
func fill[E entry](ctx context.Context, l *loader, s shelf[E], want []E) (map[string]string, error) {
	have, err := read(ctx, l, s)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(want))
	err = each(ctx, want, func(ctx context.Context, i int, e E) error {
		key := e.GetAttributes()[demoKey]
		made, ok := have[key]
		if !ok {
			made = s.make()
			if err := l.post(ctx, s.path, s.path[4:]+"/"+key, e, made); err != nil {
				return err
			}
		}
		names[i] = made.GetName()
		if made.GetState() != cataloguev1.EntryState_ENTRY_STATE_DRAFT {
			return nil
		}
		return l.post(ctx, "/v1/"+made.GetName()+":publish", s.path[4:]+"/"+key+"/publish", nil, nil)
	})
	out := map[string]string{}
	for i, e := range want {
		out[e.GetAttributes()[demoKey]] = names[i]
	}
	return out, err
}

// entries fills all shelves.
func (l *loader) entries(ctx context.Context, w *world) (err error) {
	if w.needs, err = fill(ctx, l, needShelf(), needsOf(w.organisations)); err != nil {
		return err
	}
	if _, err = fill(ctx, l, solutionShelf(), solutionsOf(w.organisations)); err != nil {
		return err
	}
	if _, err = fill(ctx, l, offeringShelf(), offeringsOf(w.organisations)); err != nil {
		return err
	}
	if w.ideas, err = fill(ctx, l, ideaShelf(), ideasOf(w.organisations)); err != nil {
		return err
	}
	if _, err = fill(ctx, l, profileShelf(), profilesOf(w.organisations)); err != nil {
		return err
	}
	_, err = fill(ctx, l, eventShelf(), eventsOf(w.organisations))
	return err
}

func needKey(i int) string { return fmt.Sprintf("bisogno-%02d", i+1) }

// needsOf are the needs of the interviewed bodies: one each, sample bodies all.
func needsOf(organisations map[string]string) []*cataloguev1.Need {
	out := make([]*cataloguev1.Need, 0, interviewed)
	for i, t := range themes {
		urgency := []cataloguev1.NeedUrgency{
			cataloguev1.NeedUrgency_NEED_URGENCY_MEDIUM, cataloguev1.NeedUrgency_NEED_URGENCY_HIGH,
			cataloguev1.NeedUrgency_NEED_URGENCY_LOW, cataloguev1.NeedUrgency_NEED_URGENCY_CRITICAL,
		}[i%4]
		out = append(out, &cataloguev1.Need{
			Organisation: organisations[etsKey(i+1)], Title: it(t.need), Visibility: everybody, Category: t.category,
			Description: it("Bisogno di trasformazione digitale raccolto in intervista. " + t.outcome + "."), DesiredOutcome: it(t.outcome),
			Sectors: []string{t.sector}, Tags: append([]string{i3s}, t.tags...), Territories: []string{"IT-21"}, Urgency: urgency,
			Evidence: []*cataloguev1.NeedEvidence{{
				Kind: cataloguev1.EvidenceKind_EVIDENCE_KIND_INTERVIEW, Date: "2021-05-14",
				Note: fmt.Sprintf("Intervista campione %d di %d", i+1, interviewed), Source: "I3S, prima annualità",
			}},
			Constraints: &cataloguev1.NeedConstraints{BudgetCeiling: euros(int64(8000 + 500*i)), RequiredLanguages: []string{"it"}},
			Attributes:  sample(attributes(needKey(i), "initiative", i3s)),
		})
	}
	return out
}

// solutionsOf are the solutions of the chain: two firms have two, all others one.
func solutionsOf(organisations map[string]string) []*cataloguev1.Solution {
	out := make([]*cataloguev1.Solution, 0, chainSolutions)
	for i := range chainSolutions {
		t := themes[i%len(themes)]
		maturity := cataloguev1.SolutionMaturity_SOLUTION_MATURITY_MARKET
		if i >= len(themes) {
			maturity = cataloguev1.SolutionMaturity_SOLUTION_MATURITY_PILOT
		}
		out = append(out, &cataloguev1.Solution{
			Organisation: organisations[firmKey(i%filieraFirms+1)], Title: it(t.solutions[i/len(themes)]), Visibility: everybody,
			Description: it("Soluzione campione della Filiera Digital 4 Social. Risponde al bisogno: " + t.need + "."),
			Category:    t.category, NeedCategories: []string{t.category}, Sectors: []string{t.sector}, Tags: append([]string{i3s}, t.tags[:1+i/len(themes)]...),
			Territories: []string{"IT"}, Languages: []string{"it"}, Maturity: maturity,
			PriceModel: cataloguev1.PriceModel_PRICE_MODEL_SUBSCRIPTION, PriceFrom: euros(int64(1200 + 100*i)),
			Attributes: sample(attributes(fmt.Sprintf("soluzione-%02d", i+1), "initiative", i3s, "chain", "filiera-digital-4-social")),
		})
	}
	return out
}

func offeringsOf(organisations map[string]string) []*cataloguev1.ServiceOffering {
	out := make([]*cataloguev1.ServiceOffering, 0, len(offerings))
	for _, o := range offerings {
		out = append(out, &cataloguev1.ServiceOffering{
			Organisation: organisations[o.provider], Provider: organisations[o.provider], Title: it(o.title), Visibility: everybody,
			Description: it("Servizio del progetto pilota di I3S, partito il 6 febbraio 2023 per 15 ETS. L'assegnazione al singolo ente erogatore è campione."),
			Category:    o.categories[0], NeedCategories: o.categories, Tags: []string{i3s, "pilota"}, Territories: []string{"IT-21"}, Languages: []string{"it"},
			Availability: cataloguev1.OfferingAvailability_OFFERING_AVAILABILITY_OFFERED,
			Mode:         cataloguev1.OfferingMode(cataloguev1.OfferingMode_value["OFFERING_MODE_"+o.mode]),
			Eligibility:  it("ETS della provincia di Torino"),
			Attributes:   attributes(o.key, "initiative", i3s, "provider_is_sample", "true"),
		})
	}
	return out
}
