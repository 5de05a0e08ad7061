package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
)

// The figures of I3S over its two years.
const (
	i3sBodies     = 44
	i3sFirms      = 35
	filieraFirms  = 30
	surveyed      = 41  // bodies of the CGM network assessed for DigiCompSoc
	networkSize   = 628 // cooperatives and social enterprises of CGM
	doImpactNames = 9
)

const (
	member   = cataloguev1.OrganisationKind_ORGANISATION_KIND_MEMBER
	supplier = cataloguev1.OrganisationKind_ORGANISATION_KIND_SUPPLIER
	network  = cataloguev1.OrganisationKind_ORGANISATION_KIND_NETWORK
	funder   = cataloguev1.OrganisationKind_ORGANISATION_KIND_FUNDER
	trainer  = cataloguev1.OrganisationKind_ORGANISATION_KIND_TRAINING_PROVIDER
	research = cataloguev1.OrganisationKind_ORGANISATION_KIND_RESEARCH_PARTNER
	public   = cataloguev1.OrganisationKind_ORGANISATION_KIND_PUBLIC_PARTNER
)

const (
	coopA       = cataloguev1.LegalForm_LEGAL_FORM_SOCIAL_COOPERATIVE_A
	consortium  = cataloguev1.LegalForm_LEGAL_FORM_CONSORTIUM
	association = cataloguev1.LegalForm_LEGAL_FORM_ASSOCIATION
	foundation  = cataloguev1.LegalForm_LEGAL_FORM_FOUNDATION
	enterprise  = cataloguev1.LegalForm_LEGAL_FORM_SOCIAL_ENTERPRISE
	company     = cataloguev1.LegalForm_LEGAL_FORM_COMPANY
	publicBody  = cataloguev1.LegalForm_LEGAL_FORM_PUBLIC_BODY
	university  = cataloguev1.LegalForm_LEGAL_FORM_RESEARCH_BODY
	otherForm   = cataloguev1.LegalForm_LEGAL_FORM_OTHER
)

var (
	torino  = place("IT", "IT-21", "ITC11")
	trento  = place("IT", "IT-32", "ITH20")
	roma    = place("IT", "IT-62", "ITI43")
	milano  = place("IT", "IT-25", "ITC4C")
	italia  = place("IT", "", "")
	belgium = place("BE", "", "")
	catalan = place("ES", "ES-CT", "ES51")
	sweden  = place("SE", "", "SE232")
	latvia  = place("LV", "", "LV")
	lietuva = place("LT", "", "LT")
)

func place(country, region, nuts string) *cataloguev1.Territory {
	return &cataloguev1.Territory{CountryCode: country, RegionCode: region, NutsCode: nuts}
}

// body is an organisation that the sources name, with the role that they give it.
type body struct {
	key  string
	name *typev1.LocalizedText
	form cataloguev1.LegalForm
	kind cataloguev1.OrganisationKind
	at   *cataloguev1.Territory
	role string
	// projects are the initiatives in which the sources name it.
	projects []string
	// attributes beside those, names and values in turn.
	more []string
}

const (
	i3s         = "i3s"
	doImpact    = "do-impact"
	positive    = "positive"
	digiCompSoc = "digicompsoc"
	pops        = "polito-per-il-sociale"
)

var named = []body{
	{"piemonte-innova", it("Fondazione Piemonte Innova"), foundation, network, torino, "Ideatrice e coordinatrice di I3S (già Torino Wireless); partner di DO Impact", []string{i3s, doImpact}, nil},
	{"torino-social-impact", it("Torino Social Impact"), otherForm, network, torino, "Programma Tech4Good; partner di DO Impact", []string{i3s, doImpact}, nil},
	{"camera-commercio-torino", it("Camera di commercio di Torino"), publicBody, public, torino, "Comitato per l'imprenditorialità sociale", []string{i3s}, nil},
	{"confcooperative-piemonte-nord", it("Confcooperative Piemonte Nord"), association, network, torino, "Ente di rappresentanza, con il proprio Innovation Manager", []string{i3s}, nil},
	{"legacoop-piemonte", it("Legacoop Piemonte"), association, network, torino, "Ente di rappresentanza, con il proprio Innovation Manager", []string{i3s}, nil},
	{"vol-to", it("Vol.To – Centro Servizi per il Volontariato"), association, network, torino, "Centro servizi; la sua piattaforma è il primo living lab", []string{i3s}, nil},
	{"links-foundation", it("LINKS Foundation"), foundation, research, torino, "Eroga servizi del progetto pilota", []string{i3s}, nil},
	{"unito", it("Università di Torino"), university, research, torino, "Infrastruttura HST – Human Science and Technologies; Research Meeting", []string{i3s}, nil},
	{"citta-torino", it("Città di Torino"), publicBody, public, torino, "Pubblica amministrazione al tavolo di lavoro", []string{i3s}, nil},
	{"tiresia", it("Tiresia – Politecnico di Milano"), university, research, milano, "Misurazione d'impatto con la Teoria del Cambiamento; partner di DO Impact", []string{i3s, doImpact}, nil},
	{"crescere-insieme", it("Crescere Insieme Cooperativa Sociale"), coopA, member, torino, "Living lab sulla simulazione di residenzialità", []string{i3s}, []string{"i3s_role", "ets"}},
	{"il-margine", it("Il Margine"), coopA, member, torino, "Living lab sulla simulazione di residenzialità", []string{i3s}, []string{"i3s_role", "ets"}},
	{"assiste", it("Assiste"), coopA, member, torino, "Living lab sulla presa in carico domiciliare", []string{i3s}, []string{"i3s_role", "ets"}},
	{"la-valdocco", it("La Valdocco"), coopA, member, torino, "Living lab sulla presa in carico domiciliare", []string{i3s}, []string{"i3s_role", "ets"}},
	{"politecnico-torino", it("Politecnico di Torino"), university, research, torino, "PoliTO per il Sociale: censimento delle attività, 89 rispondenti", []string{pops}, nil},

	{"diesis", text("en", "Diesis Network"), association, network, belgium, "Partner di DO Impact", []string{doImpact}, nil},
	{"cluster-digital", text("ca", "Cluster Digital de Catalunya"), association, network, catalan, "Partner di DO Impact", []string{doImpact}, nil},
	{"taula", text("ca", "Taula d’entitats del Tercer Sector Social"), association, network, catalan, "Partner di DO Impact", []string{doImpact}, nil},
	{"coompanion", text("sv", "Coompanion Göteborg", "en", "Coompanion Gothenburg"), otherForm, network, sweden, "Partner di DO Impact", []string{doImpact}, nil},
	{"seal", text("en", "Social Entrepreneurship Association of Latvia", "lv", "Latvijas Sociālās uzņēmējdarbības asociācija"), association, network, latvia, "Partner di DO Impact", []string{doImpact}, nil},
	{"lisva", text("en", "Lithuania Social Business Association", "lt", "Lietuvos socialinio verslo asociacija"), association, network, lietuva, "Partner di DO Impact", []string{doImpact}, nil},

	{"cedel", it("CEDEL"), coopA, trainer, roma, "Capofila di DigiCompSoc", []string{digiCompSoc}, nil},
	{"cgm", it("CGM"), consortium, network, italia, "Partner e facilitatore di processo di DigiCompSoc; rete di 628 cooperative e imprese sociali", []string{digiCompSoc}, []string{"network_size", fmt.Sprint(networkSize)}},
	{"elis-innovation-hub", it("ELIS Innovation Hub"), otherForm, supplier, roma, "Fornitore tecnologico di DigiCompSoc", []string{digiCompSoc}, nil},
	{"fondo-repubblica-digitale", it("Fondo per la Repubblica Digitale Impresa sociale"), enterprise, funder, italia, "Seleziona e sostiene DigiCompSoc con il bando “Digitale sociale”", []string{digiCompSoc}, nil},

	{"hit", it("Fondazione Hub Innovazione Trentino"), foundation, network, trento, "Organizza il workshop Tech for Social Impact", []string{positive}, nil},
	{"trentino-social-tank", it("Trentino Social Tank"), otherForm, network, trento, "Organizza il workshop Tech for Social Impact", []string{positive}, nil},
	{"unitn", it("Università di Trento"), university, research, trento, "Partecipa al workshop; ospita alla SOI – School of Innovation", []string{positive}, nil},
	{"fbk", it("FBK"), foundation, research, trento, "Partecipa al workshop", []string{positive}, nil},
	{"trentino-sviluppo", it("Trentino Sviluppo"), company, public, trento, "Partecipa al workshop", []string{positive}, nil},
	{"provincia-trento", it("Provincia Autonoma di Trento"), publicBody, public, trento, "Partecipa al workshop", []string{positive}, nil},
	{"federazione-cooperative", it("Federazione Trentina delle Cooperative"), association, network, trento, "Partecipa al workshop", []string{positive}, nil},
	{"caritro", it("Fondazione Caritro"), foundation, funder, trento, "Partecipa al workshop", []string{positive}, nil},
	{"consorzio-elis", it("Consorzio ELIS"), consortium, trainer, roma, "Partecipa al workshop", []string{positive}, nil},
	{"iprase", it("IPRASE"), publicBody, research, trento, "Partecipa al workshop", []string{positive}, nil},
	{"alpi", it("ALPI"), otherForm, member, trento, "Partecipa al workshop", []string{positive}, nil},
	{"la-coccinella", it("La Coccinella"), otherForm, member, trento, "Partecipa al workshop", []string{positive}, nil},
	{"cs4", it("CS4"), otherForm, member, trento, "Partecipa al workshop", []string{positive}, nil},
}

// sampleForms are the legal forms that sample bodies have in turn.
var sampleForms = []cataloguev1.LegalForm{
	coopA,
	cataloguev1.LegalForm_LEGAL_FORM_SOCIAL_COOPERATIVE_B,
	cataloguev1.LegalForm_LEGAL_FORM_VOLUNTEER_ORGANISATION,
	cataloguev1.LegalForm_LEGAL_FORM_SOCIAL_PROMOTION_ASSOCIATION,
	foundation,
	enterprise,
}

// organisationsOf returns all organisations of the scenario, those first that
// others name as their network.
func organisationsOf() []*cataloguev1.Organisation {
	var out []*cataloguev1.Organisation
	ets := 0
	for _, b := range named {
		if slices.Contains(b.more, "ets") {
			ets++
		}
		out = append(out, &cataloguev1.Organisation{
			DisplayName: b.name, Description: it(b.role), LegalForm: b.form, Kinds: []cataloguev1.OrganisationKind{b.kind}, Territory: b.at,
			Attributes: attributes(b.key, append([]string{"initiatives", strings.Join(b.projects, " ")}, b.more...)...),
		})
	}
	n := 0
	add := func(key, name, description string, form cataloguev1.LegalForm, kind cataloguev1.OrganisationKind, at *cataloguev1.Territory, more ...string) {
		n++
		out = append(out, &cataloguev1.Organisation{
			DisplayName: it(name), Description: it(description), LegalForm: form, Kinds: []cataloguev1.OrganisationKind{kind}, Territory: at,
			Identifiers: []*cataloguev1.Identifier{{Type: cataloguev1.IdentifierType_IDENTIFIER_TYPE_TAX_CODE, Value: taxCode(n)}},
			Contacts:    []*cataloguev1.Contact{{Label: "campione", Email: key + "@example.org"}},
			Attributes:  sample(attributes(key, more...)),
		})
	}
	for i := range i3sBodies - ets {
		add(etsKey(i+1), fmt.Sprintf("Ente campione %02d", i+1), "Voce campione: uno dei 44 ETS ingaggiati da I3S.",
			sampleForms[i%len(sampleForms)], member, torino, "initiatives", i3s, "i3s_role", "ets")
	}
	for i := range i3sFirms {
		more := []string{"initiatives", i3s, "i3s_role", "ict"}
		if i < filieraFirms {
			more = append(more, "chain", "filiera-digital-4-social")
		}
		add(firmKey(i+1), fmt.Sprintf("Impresa ICT campione %02d", i+1), "Voce campione: una delle 35 imprese ICT ingaggiate da I3S.",
			company, supplier, torino, more...)
	}
	for i := range surveyed {
		add(coopKey(i+1), fmt.Sprintf("Cooperativa campione %02d", i+1), "Voce campione: una delle 41 realtà della rete CGM coinvolte nella survey iniziale.",
			coopA, member, italia, "initiatives", digiCompSoc, "dcs_survey", "true")
	}
	for _, f := range sampleFunders {
		add(f.key, f.name, f.description, f.form, funder, torino)
	}
	return out
}

func etsKey(n int) string  { return fmt.Sprintf("ente-campione-%02d", n) }
func firmKey(n int) string { return fmt.Sprintf("impresa-campione-%02d", n) }
func coopKey(n int) string { return fmt.Sprintf("cooperativa-campione-%02d", n) }

// notListed keeps what bulk imports bring out of a list of organisations.
var notListed = `kinds:"ORGANISATION_KIND_` + strings.Join([]string{
	"MEMBER", "SUPPLIER", "NETWORK", "FUNDER", "TRAINING_PROVIDER", "RESEARCH_PARTNER", "PUBLIC_PARTNER",
}, `" OR kinds:"ORGANISATION_KIND_`) + `"`

// listOrganisations returns the scenario's organisations that are there, by key.
func (l *loader) listOrganisations(ctx context.Context) (map[string]*cataloguev1.Organisation, error) {
	page := &cataloguev1.ListOrganisationsResponse{}
	all, err := list(ctx, l, "/v1/organisations", notListed, page, page.GetOrganisations)
	return byKey(all), err
}

// keyed is whatever has attributes.
type keyed interface{ GetAttributes() map[string]string }

// byKey returns what belongs to the scenario, by its key.
func byKey[E keyed](items []E) map[string]E {
	out := map[string]E{}
	for _, e := range items {
		if key := e.GetAttributes()[demoKey]; key != "" {
			out[key] = e
		}
	}
	return out
}

// organisations creates and publishes the organisations that are missing.
func (l *loader) organisations(ctx context.Context, w *world) error {
	have, err := l.listOrganisations(ctx)
	if err != nil {
		return err
	}
	want := organisationsOf()
	names := make([]string, len(want))
	load := func(from, to int, parent string) error {
		return each(ctx, want[from:to], func(ctx context.Context, i int, o *cataloguev1.Organisation) error {
			key := o.GetAttributes()[demoKey]
			if o.GetAttributes()["dcs_survey"] == "true" {
				o.ParentNetwork = parent
			}
			made := have[key]
			if made == nil {
				made = &cataloguev1.Organisation{}
				if err := l.post(ctx, "/v1/organisations", "organisation/"+key, o, made); err != nil {
					return err
				}
			}
			names[from+i] = made.GetName()
			if made.GetState() != cataloguev1.OrganisationState_ORGANISATION_STATE_DRAFT {
				return nil
			}
			return l.post(ctx, "/v1/"+made.GetName()+":publish", "organisation/"+key+"/publish", nil, nil)
		})
	}
	if err := load(0, len(named), ""); err != nil {
		return err
	}
	cgm := slices.IndexFunc(want, func(o *cataloguev1.Organisation) bool { return o.GetAttributes()[demoKey] == "cgm" })
	if err := load(len(named), len(want), names[cgm]); err != nil {
		return err
	}
	for i, o := range want {
		w.organisations[o.GetAttributes()[demoKey]] = names[i]
	}
	return nil
}
