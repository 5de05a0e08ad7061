package demo

// theme is a kind of need that the interviewed bodies have, with what answers
// it. The sources give the themes, not the single needs: those are samples.
type theme struct {
	category string
	need     string // title of the need
	outcome  string // what the body wants to reach
	sector   string
	tags     []string
	// solutions that sample firms of the chain offer for it.
	solutions [2]string
}

var themes = []theme{
	{"assistenza domiciliare", "Pianificare la presa in carico domiciliare", "Turni e visite in un solo calendario, consultabile da casa dell'assistito", "servizi sociosanitari", []string{"turni", "mobile"}, [2]string{"Calendario delle visite domiciliari e dei turni", "Diario dell'assistenza domiciliare su mobile"}},
	{"volontariato", "Incrociare domanda e offerta di volontariato", "Chi vuole fare volontariato trova l'associazione che lo cerca", "volontariato", []string{"bacheca", "matching"}, [2]string{"Bacheca del volontariato con matching tra associazioni", "Registro dei volontari e delle disponibilità"}},
	{"simulazione", "Simulare l'inserimento di persone fragili in nuovi ambienti", "Anziani e minori conoscono la nuova casa prima di entrarci", "servizi sociosanitari", []string{"realtà virtuale", "digital twin"}, [2]string{"Visita in realtà virtuale di residenze e comunità", "Digital twin di una struttura residenziale"}},
	{"cartella sociale", "Condividere la cartella sociale tra operatori", "Un'unica cartella aggiornata per ogni persona seguita", "servizi sociali", []string{"cartella", "interoperabilità"}, [2]string{"Cartella sociale condivisa", "Piano educativo individuale digitale"}},
	{"cybersecurity", "Mettere in sicurezza reti e dati", "Conoscere i rischi e chiudere i più gravi entro l'anno", "trasversale", []string{"sicurezza", "assessment"}, [2]string{"Protezione gestita di postazioni e posta", "Copie di sicurezza cifrate in cloud"}},
	{"privacy", "Adeguare archiviazione e trattamento dei dati al GDPR", "Registro dei trattamenti e archivi in ordine", "trasversale", []string{"gdpr", "archiviazione"}, [2]string{"Registro dei trattamenti guidato", "Archivio documentale con tempi di conservazione"}},
	{"competenze digitali", "Alfabetizzare al digitale chi lavora nei servizi", "Tutto il personale usa con sicurezza gli strumenti di base", "formazione", []string{"alfabetizzazione", "laboratori"}, [2]string{"Pillole di competenze digitali per operatori", "Autovalutazione delle competenze digitali"}},
	{"office automation", "Ridurre il lavoro d'ufficio ripetitivo", "Moduli e comunicazioni partono da soli", "trasversale", []string{"office 365", "automazione"}, [2]string{"Flussi di approvazione e moduli digitali", "Segreteria digitale per associazioni"}},
	{"analisi dei dati", "Leggere i dati dei servizi in un cruscotto", "Indicatori dei servizi aggiornati ogni settimana", "trasversale", []string{"power bi", "cruscotti"}, [2]string{"Cruscotto dei servizi alla persona", "Raccolta e pulizia dei dati dei servizi"}},
	{"gestione progetti", "Gestire e rendicontare i progetti finanziati", "Scadenze, attività e spese di ogni progetto sotto controllo", "trasversale", []string{"rendicontazione", "scadenze"}, [2]string{"Gestione di progetti finanziati con più partner", "Timesheet e rendicontazione delle spese"}},
	{"impatto sociale", "Misurare l'impatto dei servizi", "Indicatori scelti con la Teoria del Cambiamento", "trasversale", []string{"indicatori", "teoria del cambiamento"}, [2]string{"Indicatori e questionari d'impatto", "Bilancio sociale guidato"}},
	{"raccolta fondi", "Raccogliere fondi e seguire i donatori", "Donatori informati e donazioni regolari", "trasversale", []string{"donatori", "pagamenti"}, [2]string{"Gestione dei donatori", "Pagine di donazione e 5 per mille"}},
	{"comunicazione", "Coinvolgere la comunità locale", "Chi abita nel quartiere conosce e frequenta le attività", "cultura e comunità", []string{"community", "calendario"}, [2]string{"Community engagement di quartiere", "Calendario pubblico delle attività"}},
	{"risorse umane", "Inserire giovani con competenze digitali", "Almeno una figura digitale in organico", "trasversale", []string{"recruiting", "giovani"}, [2]string{"Selezione di profili digitali per il sociale", "Gestione del personale e delle competenze"}},
	{"processi", "Ottimizzare processi, sistemi e persone", "Meno passaggi tra la richiesta e il servizio", "trasversale", []string{"processi", "service design"}, [2]string{"Mappatura e misura dei processi", "Sportello digitale del servizio"}},
	{"finanziamenti", "Trovare bandi per l'innovazione digitale", "Ogni mese i bandi adatti, con le scadenze", "trasversale", []string{"bandi", "scadenze"}, [2]string{"Segnalazione di bandi su misura", "Scrittura guidata di proposte di progetto"}},
}

// offering is a service of the I3S pilot. The sources name the services and the
// bodies among which they were distributed, not who gave which: that part is a
// sample.
type offering struct {
	key, title, provider string
	mode                 string
	categories           []string
}

var offerings = []offering{
	{"consulenza-organizzazione", "Consulenza sull'organizzazione dei servizi", "confcooperative-piemonte-nord", "CONSULTING", []string{"processi", "assistenza domiciliare"}},
	{"ottimizzazione-processi", "Ottimizzazione di processi, sistemi e persone", "links-foundation", "CONSULTING", []string{"processi"}},
	{"service-design", "Service design", "links-foundation", "CONSULTING", []string{"processi", "volontariato"}},
	{"ottimizzazione-servizi", "Ottimizzazione dei servizi attualmente attivi", "legacoop-piemonte", "CONSULTING", []string{"assistenza domiciliare", "cartella sociale"}},
	{"alfabetizzazione-base", "Laboratori di alfabetizzazione digitale di base", "confcooperative-piemonte-nord", "LAB", []string{"competenze digitali"}},
	{"office-automation", "Introduzione all'Office Automation e a Office 365", "legacoop-piemonte", "COURSE", []string{"office automation", "competenze digitali"}},
	{"power-bi", "Introduzione a Microsoft Power BI", "piemonte-innova", "COURSE", []string{"analisi dei dati"}},
	{"power-apps", "Introduzione a Microsoft Power Apps", "piemonte-innova", "COURSE", []string{"office automation"}},
	{"power-platform-azure", "Introduzione a Power Platform e Azure", "piemonte-innova", "COURSE", []string{"analisi dei dati", "office automation"}},
	{"mentoring-ict", "Mentoring su temi ICT", "piemonte-innova", "MENTORING", []string{"processi", "simulazione"}},
	{"mentoring-finanziamenti", "Mentoring sulle opportunità finanziate per l'innovazione digitale", "piemonte-innova", "MENTORING", []string{"finanziamenti", "gestione progetti"}},
	{"assessment-cybersecurity", "Assessment sulla cybersecurity", "links-foundation", "ASSESSMENT", []string{"cybersecurity"}},
	{"assessment-gdpr", "Assessment sul GDPR", "legacoop-piemonte", "ASSESSMENT", []string{"privacy"}},
	{"recruiting", "Recruiting e inserimento di giovani profili digitali", "confcooperative-piemonte-nord", "RECRUITING", []string{"risorse umane"}},
	{"tesisti-phd", "Collaborazione con tesisti e PhD", "links-foundation", "RECRUITING", []string{"risorse umane", "impatto sociale"}},
}
