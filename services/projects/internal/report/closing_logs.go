package report

import "fmt"

// checks prints the quality checks of the deliverables.
func (c *Closing) checks(d *document) {
	l := c.Language
	d.heading(l.Pick("Controlli di qualità", "Quality checks"))
	t := table{columns: []column{{head: l.Pick("Prodotto", "Deliverable"), width: 44}, {head: l.Pick("Criterio", "Criterion"), width: 50},
		{head: l.Pick("Data", "Date"), width: 24}, {head: l.Pick("Rilievi", "Findings"), width: 32}, {head: l.Pick("Stato", "State"), width: 24}}}
	for _, x := range c.Checks {
		t.rows = append(t.rows, []string{x.Deliverable, x.Criterion, l.day(x.Date), x.Findings, l.word(x.State)})
	}
	d.table(t)
	d.none(len(c.Checks), l)
}

// logs prints the decisions that were taken and the changes that were approved.
func (c *Closing) logs(d *document) {
	l := c.Language
	d.heading(l.Pick("Decisioni", "Decisions"))
	t := table{columns: []column{{head: l.Pick("Data", "Date"), width: 24}, {head: l.Pick("Decisione", "Decision"), width: 54},
		{head: l.Pick("Esito", "Outcome"), width: 70}, {head: l.Pick("Stato", "State"), width: 26}}}
	for _, x := range c.Decisions {
		t.rows = append(t.rows, []string{l.day(x.Date), x.Title, x.Outcome, l.word(x.State)})
	}
	d.table(t)
	d.none(len(c.Decisions), l)
	d.heading(l.Pick("Modifiche approvate", "Approved changes"))
	t = table{columns: []column{{head: l.Pick("Modifica", "Change"), width: 50}, {head: l.Pick("Motivo", "Reason"), width: 52},
		{head: l.Pick("Giorni", "Days"), width: 16, right: true}, {head: l.Pick("Costo ", "Cost ") + c.Currency, width: 30, right: true}, {head: l.Pick("Stato", "State"), width: 26}}}
	for _, x := range c.Changes {
		t.rows = append(t.rows, []string{x.Title, x.Reason, fmt.Sprint(x.Days), l.number(x.Cost, 2), l.word(x.State)})
	}
	d.table(t)
	d.none(len(c.Changes), l)
}
