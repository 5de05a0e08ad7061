package demo

import (
	"context"
	"fmt"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
)

// livingLab is an idea that the second year of I3S carried on.
type livingLab struct {
	key, title, description string
	// project that it has become, empty where it stays a path.
	project string
}

// projectsFromLabs is how many living labs have become projects.
const projectsFromLabs = 2

var livingLabs = []livingLab{
	{"ll-vol-to", "Reingegnerizzazione della piattaforma “Vol.To – Volontariato Torino”", "Incrociare domanda e offerta di volontariato e servizi per il sociale: bacheca e calendario ridisegnati, presentazione delle associazioni, pagina del volontario, matching tra associazioni, carrello dei servizi, community engagement, formazione di base, forum.", projectVolTo},
	{"ll-simulazione", "Modelli di simulazione e gaming di soluzioni di residenzialità e di servizi per persone fragili", "Digital Twin e Virtual Reality per simulare l'inserimento di persone fragili in case di cura, comunità e strutture ricettive.", projectVR},
	{"ll-domiciliare", "Reingegnerizzazione dei servizi di presa in carico domiciliare", "Migliorare l'esperienza degli utilizzatori e le modalità di erogazione: un trasferimento tecnologico low tech, con una tavola rotonda con la PA.", ""},
}

func ideaKey(i int) string {
	if i < len(livingLabs) {
		return livingLabs[i].key
	}
	return fmt.Sprintf("idea-%02d", i+1)
}

// ideasOf is the bank of ideas: the three of the living labs, and samples for
// those that the sources only count.
func ideasOf(organisations map[string]string) []*cataloguev1.Idea {
	out := make([]*cataloguev1.Idea, 0, collectedIdeas)
	for i := range collectedIdeas {
		idea := &cataloguev1.Idea{
			Organisation: organisations["piemonte-innova"], Visibility: everybody, Tags: []string{i3s, "banca delle idee"}, Territories: []string{"IT-21"},
			Attributes: attributes(ideaKey(i), "initiative", i3s),
		}
		if i < singledOut {
			idea.Attributes["singled_out"] = "true"
		}
		if i < len(livingLabs) {
			idea.Title, idea.Description = it(livingLabs[i].title), it(livingLabs[i].description)
		} else {
			t := themes[i%len(themes)]
			idea.Attributes = sample(idea.Attributes)
			idea.Title = it(fmt.Sprintf("Idea campione %02d: %s", i+1, t.category))
			idea.Description, idea.Category = it("Voce campione della Banca delle idee. "+t.outcome+"."), t.category
		}
		out = append(out, idea)
	}
	return out
}

// ideasAdvance moves the ideas on: six to a path of transformation, of which
// two have become projects.
func (l *loader) ideasAdvance(ctx context.Context, w *world) error {
	have, err := read(ctx, l, ideaShelf())
	if err != nil {
		return err
	}
	for i := range transformPaths {
		key := ideaKey(i)
		if have[key].GetStage() == cataloguev1.IdeaStage_IDEA_STAGE_IDEA {
			req := &cataloguev1.AdvanceIdeaRequest{Stage: cataloguev1.IdeaStage_IDEA_STAGE_PATH, Reason: "Tra i 6 possibili percorsi di trasformazione digitale della prima annualità"}
			if err := l.post(ctx, "/v1/"+w.ideas[key]+":advance", "idea/"+key+"/path", req, nil); err != nil {
				return err
			}
		}
		if i >= len(livingLabs) || livingLabs[i].project == "" || have[key].GetStage() == cataloguev1.IdeaStage_IDEA_STAGE_PROJECT {
			continue
		}
		req := &cataloguev1.AdvanceIdeaRequest{Stage: cataloguev1.IdeaStage_IDEA_STAGE_PROJECT, Project: w.projects[livingLabs[i].project], Reason: "Living lab della seconda annualità, progetto in realizzazione"}
		if err := l.post(ctx, "/v1/"+w.ideas[key]+":advance", "idea/"+key+"/project", req, nil); err != nil {
			return err
		}
	}
	return nil
}

// profile is an innovative social job profile. The sources give the number and
// the areas; the titles are samples.
type profile struct {
	title string
	area  cataloguev1.JobArea
	duty  string
}

const (
	operations     = cataloguev1.JobArea_JOB_AREA_OPERATIONS
	knowledge      = cataloguev1.JobArea_JOB_AREA_KNOWLEDGE
	communication  = cataloguev1.JobArea_JOB_AREA_COMMUNICATION
	sustainability = cataloguev1.JobArea_JOB_AREA_SUSTAINABILITY
)

var profiles = []profile{
	{"Coordinatore digitale dei servizi", operations, "Ridisegna con gli operatori i flussi dei servizi"},
	{"Facilitatore della presa in carico digitale", operations, "Accompagna assistiti e famiglie nell'uso degli strumenti"},
	{"Addetto all'automazione dei processi", operations, "Costruisce moduli e flussi con strumenti low code"},
	{"Data steward del sociale", knowledge, "Cura qualità e protezione dei dati dei servizi"},
	{"Innovation manager di ETS", knowledge, "Guida l'open innovation dentro e fuori l'organizzazione"},
	{"Formatore digitale di operatori", knowledge, "Progetta formazione breve sui casi del lavoro quotidiano"},
	{"Community manager sociale", communication, "Anima comunità e volontari, in rete e di persona"},
	{"Narratore d'impatto", communication, "Racconta dati e storie a soci, donatori e territorio"},
	{"Analista d'impatto sociale", sustainability, "Misura il cambiamento con indicatori condivisi"},
	{"Progettista di sostenibilità digitale", sustainability, "Tiene insieme bandi, conti e transizione digitale"},
}

func profilesOf(organisations map[string]string) []*cataloguev1.JobProfile {
	out := make([]*cataloguev1.JobProfile, 0, len(profiles))
	for i, p := range profiles {
		out = append(out, &cataloguev1.JobProfile{
			Organisation: organisations["piemonte-innova"], Title: it(p.title), Visibility: everybody, Area: p.area,
			Description: it("Titolo campione di una delle dieci social job description di I3S."), Duties: []*typev1.LocalizedText{it(p.duty)}, Tags: []string{i3s},
			Attributes: sample(attributes(fmt.Sprintf("profilo-%02d", i+1), "initiative", i3s)),
		})
	}
	return out
}
