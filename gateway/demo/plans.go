package demo

import (
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// The scenario's projects.
const (
	projectI3S   = "progetto-i3s"
	projectDCS   = "progetto-digicompsoc"
	projectVR    = "progetto-realta-virtuale"
	projectVolTo = "progetto-vol-to"
	projectMatch = "progetto-da-abbinamento"
)

const (
	low    = projectsv1.Level_LEVEL_LOW
	medium = projectsv1.Level_LEVEL_MEDIUM
	high   = projectsv1.Level_LEVEL_HIGH
)

// plans are carried out in their order. Of I3S and DigiCompSoc people, roles,
// years and outcomes are the sources'; amounts, and days that they do not give,
// are samples. Every day is past, so that no figure depends on when it is read.
var plans = []plan{i3sPlan, dcsPlan, vrPlan, volToPlan, matchPlan}

var i3sPlan = plan{
	key: projectI3S, lead: "piemonte-innova", title: "I3S – Innovazione digitale per il terzo settore", acronym: "I3S",
	start: "2020-10-01", end: "2023-03-31", territory: "it-21", sectors: []string{"terzo-settore"}, sample: true,
	objectives: []string{
		"Accompagnare l'innovazione digitale per nuovi modelli di sostenibilità",
		"Accelerare la consapevolezza e la capacità di governare la trasformazione digitale",
		"Consolidare le attività di networking tra ETS e ICT",
	},
	funder:   &projectsv1.Funder{DisplayName: "Camera di commercio di Torino (contributo campione)", Organisation: "camera-commercio-torino", Programme: "Tech4Good – Torino Social Impact", Grant: euros(180_000)},
	partners: []string{"torino-social-impact", "confcooperative-piemonte-nord", "legacoop-piemonte", "vol-to", "links-foundation"},
	stakeholders: []*projectsv1.Stakeholder{
		{DisplayName: "Comitato per l'imprenditorialità sociale", Interest: high, Influence: high, Engagement: "Stakeholder Group"},
		{DisplayName: "Città di Torino e ASL", Interest: medium, Influence: high, Engagement: "Tavolo di lavoro"},
	},
	risks: []*projectsv1.Risk{{Title: it("Gli ETS non hanno tempo per la co-progettazione"), Probability: 3, Impact: 4, Response: projectsv1.RiskResponse_RISK_RESPONSE_REDUCE, ResponseText: "Incontri brevi, presso gli enti"}},
	tasks: []job{
		{key: "mappature", title: "Mappatura di fornitori, servizi e bisogni", organisation: "piemonte-innova", from: "2020-10-01", days: 180, percent: 100},
		{key: "filiera", title: "Attivazione della Filiera Digital 4 Social", organisation: "piemonte-innova", after: "mappature", days: 60, percent: 100},
		{key: "living-lab", title: "Tre living lab", organisation: "piemonte-innova", after: "filiera", days: 250, percent: 100},
		{key: "pilota", title: "Progetto pilota: servizi di accompagnamento per 15 ETS", organisation: "links-foundation", from: "2023-02-06", days: 35, percent: 100},
	},
	deliverables: []deliverable{
		{"schede", "Schede di dettaglio dei fornitori di soluzioni", "piemonte-innova", "2021-09-30", true},
		{"use-case", "Use case e requisiti funzionali della piattaforma Vol.To", "vol-to", "2022-12-31", true},
		{"job-description", "Dieci social job description in quattro aree", "piemonte-innova", "2023-03-14", true},
		{"modello", "Modello e metodologia per replicabilità e scalabilità", "piemonte-innova", "2023-03-31", true},
	},
	lines: []line{
		{"personale", "piemonte-innova", "Coordinamento e living lab (importo campione)", projectsv1.CostCategory_COST_CATEGORY_STAFF, euros(120_000), []expense{{"I3S-001", "2021-09-30", "Prima annualità", cents(58_214_50)}, {"I3S-002", "2023-03-20", "Seconda annualità", cents(60_102_35)}}},
		{"servizi", "links-foundation", "Servizi di accompagnamento del pilota (importo campione)", projectsv1.CostCategory_COST_CATEGORY_EXTERNAL, euros(60_000), []expense{{"I3S-003", "2023-03-24", "Servizi per 15 ETS", cents(59_870_00)}}},
	},
	lessons: i3sLessons,
	to:      projectsv1.Phase_PHASE_CLOSED,
}

// i3sLessons are the recommendations with which I3S ended.
var i3sLessons = lessonsFrom("Raccomandazioni a conclusione del progetto I3S", [][2]string{
	{"Innovation management", "Investire in competenze di innovation management, provando ad attrarre personale giovane e qualificato"},
	{"Figure ibride", "Sviluppare nuove figure professionali ibride (umanistiche e politecniche)"},
	{"Change management", "Formare all'innovazione, all'approccio strategico e al change management"},
	{"Competenze di tutto il personale", "Formare e aggiornare le competenze di tutto il personale in ottica digitale, con strumenti operativi basici ma aggiornati"},
	{"Open Innovation", "Favorire Open Innovation con gruppi di scambio, all'interno e all'esterno dell'organizzazione"},
	{"Soluzioni longeve", "Investire su soluzioni tecnologiche moderne, di nuova concezione e longeve"},
	{"Oltre la rete consueta", "Comparare esperienze fuori dalla consueta rete di attori"},
})

func lessonsFrom(happened string, items [][2]string) []lesson {
	var out []lesson
	for _, i := range items {
		out = append(out, lesson{title: i[0], context: "Esperienza biennale con 44 ETS e 35 imprese ICT", happened: happened, recommendation: i[1]})
	}
	return out
}

// dcsPlan is under way, with one task late and one budget line overspent.
var dcsPlan = plan{
	key: projectDCS, lead: "cedel", title: "DigiCompSoc – Competenze digitali per l'economia sociale", acronym: "DigiCompSoc",
	start: "2025-05-05", end: "2026-10-30", territory: "IT", sectors: []string{"economia-sociale"}, sample: true,
	objectives: []string{
		"Formare 300 operatori sociali di cooperative A tra OSS, educatori, operatori, coordinatori, responsabili e dirigenti",
		"Sviluppare una piattaforma digitale (DCS) per gestione, rendicontazione e misurazione dell'impatto dei progetti",
	},
	funder:   &projectsv1.Funder{DisplayName: "Fondo per la Repubblica Digitale Impresa sociale", Organisation: "fondo-repubblica-digitale", Programme: "Bando “Digitale sociale” (importo campione)", Grant: euros(400_000)},
	partners: []string{"cgm", "elis-innovation-hub"},
	stakeholders: []*projectsv1.Stakeholder{
		{DisplayName: "Cooperative della rete CGM", Interest: high, Influence: medium, Engagement: "Focus group e survey con 41 realtà"},
		{DisplayName: "Fondo per la Repubblica Digitale", Interest: high, Influence: high, Engagement: "Rendicontazione"},
		{DisplayName: "Operatori sociali in formazione", Interest: medium, Influence: low, Engagement: "Webinar e percorsi"},
	},
	risks: []*projectsv1.Risk{
		{Title: it("Rigidità dello strumento, principale ostacolo all'adozione"), Probability: 4, Impact: 4, Response: projectsv1.RiskResponse_RISK_RESPONSE_REDUCE, ResponseText: "Co-progettazione partecipata e training di adozione"},
		{Title: it("Sovrapposizione con le attività ordinarie"), Probability: 3, Impact: 3, Response: projectsv1.RiskResponse_RISK_RESPONSE_ACCEPT, ResponseText: "Calendari flessibili, ingresso in itinere"},
	},
	tasks: []job{
		{key: "formazione", title: "Formazione di 300 operatori", organisation: "cedel"},
		{key: "oss", title: "Percorso OSS, educatori e operatori", organisation: "cedel", parent: "formazione", from: "2025-06-19", days: 75, percent: 100},
		{key: "coordinatori", title: "Percorso coordinatori e responsabili di area", organisation: "cgm", parent: "formazione", from: "2025-12-01", days: 90, percent: 100},
		{key: "dcs", title: "Piattaforma DCS", organisation: "elis-innovation-hub"},
		{key: "co-design", title: "Workshop di co-progettazione e focus group", organisation: "cgm", parent: "dcs", from: "2025-07-11", days: 30, percent: 100},
		{key: "prototipo", title: "Validazione del prototipo e test guidati", organisation: "elis-innovation-hub", parent: "dcs", after: "co-design", days: 20, percent: 100},
		{key: "mock-up", title: "Presentazione del mock-up", organisation: "elis-innovation-hub", parent: "dcs", after: "prototipo", days: 10, percent: 100},
		{key: "adozione", title: "Adozione: formazione e accompagnamento delle organizzazioni", organisation: "cgm", parent: "dcs", from: "2026-01-12", days: 60, percent: 55},
	},
	deliverables: []deliverable{
		{"survey", "Esiti di survey e assessment con 41 realtà", "cgm", "2025-06-30", true},
		{"mock-up", "Mock-up della piattaforma DCS", "elis-innovation-hub", "2025-10-22", true},
		{"calendario", "Calendario delle edizioni 1–8 OSS ed educatori", "cedel", "2025-06-19", true},
	},
	lines: []line{
		{"docenze", "cedel", "Docenze e tutoraggio (importo campione)", projectsv1.CostCategory_COST_CATEGORY_STAFF, euros(160_000), []expense{
			{"DCS-001", "2025-09-30", "Docenze edizioni 1–4", cents(41_250_00)}, {"DCS-002", "2025-12-15", "Docenze edizioni 5–8", cents(39_875_40)}, {"DCS-003", "2026-03-31", "Percorso coordinatori", cents(22_400_00)}}},
		{"piattaforma", "elis-innovation-hub", "Sviluppo della piattaforma DCS (importo campione)", projectsv1.CostCategory_COST_CATEGORY_EXTERNAL, euros(180_000), []expense{
			{"DCS-004", "2025-10-22", "Prototipo e mock-up", cents(88_000_00)}, {"DCS-005", "2026-02-27", "Prima versione", cents(51_340_75)}}},
		{"facilitazione", "cgm", "Facilitazione di processo (importo campione)", projectsv1.CostCategory_COST_CATEGORY_STAFF, euros(45_000), []expense{
			{"DCS-006", "2025-12-19", "Co-progettazione e adozione", cents(31_780_10)}}},
		{"viaggi", "cgm", "Viaggi e incontri in presenza (importo campione)", projectsv1.CostCategory_COST_CATEGORY_TRAVEL, euros(15_000), []expense{
			{"DCS-007", "2025-07-31", "Workshop dell'11 luglio", cents(6_412_80)}, {"DCS-008", "2025-11-05", "Evento del 22 ottobre a Roma", cents(9_930_25)}}},
	},
	lessons: []lesson{{"Strumenti che si piegano", "Survey e assessment con 41 realtà della rete", "La rigidità degli strumenti è risultata il principale ostacolo all'adozione", "Co-progettare con chi userà lo strumento e accompagnarne l'adozione"}},
	to:      projectsv1.Phase_PHASE_EXECUTION,
}

var vrPlan = plan{
	key: projectVR, lead: "piemonte-innova", title: "Realtà virtuale a supporto dei soggetti fragili", start: "2023-04-01", end: "2023-10-31", territory: "it-21",
	sectors: []string{"servizi-sociosanitari"}, sample: true, objectives: []string{"Simulare l'inserimento di persone fragili in nuovi ambienti con Digital Twin e Virtual Reality"},
	funder:       &projectsv1.Funder{DisplayName: "Bando valutato positivamente (importo campione)", Grant: euros(40_000)},
	partners:     []string{"crescere-insieme", "il-margine"},
	stakeholders: []*projectsv1.Stakeholder{{DisplayName: "Famiglie di anziani e di minori con patologie specifiche", Interest: high, Influence: low, Engagement: "Prove sul campo"}},
	tasks:        []job{{key: "modello", title: "Modello di simulazione", organisation: "piemonte-innova", from: "2023-04-03", days: 60, percent: 100}},
	lines:        []line{{"modello", "piemonte-innova", "Sviluppo del modello (importo campione)", projectsv1.CostCategory_COST_CATEGORY_EXTERNAL, euros(40_000), []expense{{"VR-001", "2023-07-14", "Primo prototipo", cents(12_500_00)}}}},
	to:           projectsv1.Phase_PHASE_EXECUTION,
}

var volToPlan = plan{
	key: projectVolTo, lead: "vol-to", title: "Nuova piattaforma Vol.To – Volontariato Torino", start: "2023-01-09", end: "2024-12-31", territory: "it-21",
	sectors: []string{"volontariato"}, sample: true, objectives: []string{"Trasformare i dati in contenuti: bacheca, calendario, pagina delle associazioni, matching, carrello dei servizi, forum"},
	funder:   &projectsv1.Funder{DisplayName: "Risorse proprie (importo campione)", Grant: euros(25_000)},
	partners: []string{"piemonte-innova"},
	tasks:    []job{{key: "requisiti", title: "Use case e requisiti funzionali", organisation: "vol-to", from: "2023-01-09", days: 40, percent: 100}},
	lines:    []line{{"sviluppo", "vol-to", "Sviluppo (importo campione)", projectsv1.CostCategory_COST_CATEGORY_EXTERNAL, euros(25_000), nil}},
	to:       projectsv1.Phase_PHASE_PLANNING,
}

// matchPlan is opened from the accepted match of the first need.
var matchPlan = plan{
	key: projectMatch, match: needKey(0), title: "Presa in carico domiciliare pianificata (progetto campione)", start: "2023-09-01", end: "2024-06-30",
	to: projectsv1.Phase_PHASE_INITIATION,
}
