package report

import (
	"strings"
	"time"
)

// words are the enum values of the proto, without their prefixes, as people read
// them: Italian, English.
var words = map[string][2]string{
	"INITIATION": {"Avvio", "Initiation"}, "PLANNING": {"Pianificazione", "Planning"}, "EXECUTION": {"Esecuzione", "Execution"},
	"CLOSING": {"Chiusura", "Closing"}, "CLOSED": {"Chiuso", "Closed"},
	"rfp": {"Dall'avvio alla pianificazione (RfP)", "From initiation to planning (RfP)"}, "rfe": {"Dalla pianificazione all'esecuzione (RfE)", "From planning to execution (RfE)"},
	"rfc": {"Dall'esecuzione alla chiusura (RfC)", "From execution to closing (RfC)"}, "close": {"Fine del progetto", "End of the project"},
	"PLANNED": {"Previsto", "Planned"}, "SUBMITTED": {"Consegnato", "Submitted"}, "ACCEPTED": {"Accettato", "Accepted"}, "RETURNED": {"Restituito", "Returned"},
	"OPEN": {"Aperto", "Open"}, "HAPPENED": {"Verificatosi", "Happened"}, "IN_PROGRESS": {"In corso", "In progress"}, "RESOLVED": {"Risolto", "Resolved"},
	"POSTPONED": {"Rinviato", "Postponed"}, "REJECTED": {"Respinto", "Rejected"},
	"STAFF": {"Personale", "Staff"}, "OFFICE": {"Ufficio e amministrazione", "Office and administration"}, "TRAVEL": {"Viaggi e soggiorno", "Travel and accommodation"},
	"EXTERNAL": {"Consulenze e servizi esterni", "External expertise and services"}, "EQUIPMENT": {"Attrezzature", "Equipment"},
	"INFRASTRUCTURE": {"Infrastrutture e lavori", "Infrastructure and works"}, "OTHER": {"Altri costi", "Other costs"},
	"REAL": {"Costo reale", "Real cost"}, "FLAT_RATE": {"Tasso forfettario", "Flat rate"}, "UNIT_COST": {"Costo unitario", "Unit cost"}, "LUMP_SUM": {"Somma forfettaria", "Lump sum"},
	"COMPLETED": {"Concluso", "Completed"}, "CANCELLED": {"Annullato", "Cancelled"},
	"DRAFT": {"Bozza", "Draft"}, "TAKEN": {"Presa", "Taken"}, "SUPERSEDED": {"Superata", "Superseded"},
	"APPROVED": {"Approvata", "Approved"}, "IMPLEMENTED": {"Attuata", "Implemented"}, "PASSED": {"Superato", "Passed"}, "FAILED": {"Non superato", "Failed"},
	"PROJECT_MANAGER": {"Responsabile di progetto", "Project manager"}, "ORGANISATION_ADMIN": {"Amministratore dell'ente", "Organisation admin"},
	"NETWORK_OPERATOR": {"Operatore di rete", "Network operator"}, "REGIONAL_OPERATOR": {"Operatore territoriale", "Regional operator"},
	"AVOID": {"Evitare", "Avoid"}, "REDUCE": {"Ridurre", "Reduce"}, "ACCEPT": {"Accettare", "Accept"}, "TRANSFER": {"Trasferire", "Transfer"},
}

// word is an enum's value for people; of one that has no word of its own, the
// value in lower case.
func (l Language) word(value string) string {
	if w, ok := words[value]; ok {
		return l.Pick(w[0], w[1])
	}
	if value == "" {
		return ""
	}
	s := strings.ReplaceAll(strings.ToLower(value), "_", " ")
	return strings.ToUpper(s[:1]) + s[1:]
}

// Word is an enum's value, without its prefix, for people.
func (l Language) Word(value string) string { return l.word(value) }

// day writes a day as people do: 31/01/2026.
func (l Language) day(iso string) string {
	t, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return iso // empty, or as it is
	}
	return t.Format("02/01/2006")
}

// moment writes an instant with its zone.
func (l Language) moment(t time.Time) string { return t.Format("02/01/2006 15:04 MST") }

// number writes a number with so many decimals and with its thousands apart.
func (l Language) number(n int64, digits int) string {
	s := fixed(n, digits, l.Pick(",", "."))
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, rest := s, ""
	if digits > 0 {
		whole, rest = s[:len(s)-digits-1], s[len(s)-digits-1:]
	}
	var b strings.Builder
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(l.Pick(".", ","))
		}
		b.WriteRune(c)
	}
	return sign + b.String() + rest
}

func joined(all []string) string { return strings.Join(all, ", ") }
