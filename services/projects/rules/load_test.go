package rules

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"
)

// small is a set in which every kind of field stands.
const small = `id: trial
version: 1
title: {it: Prova, en: Trial}
funder: Nobody
programme: trials
effective_from: 2026-01-01
effective_to: 2026-12-31
sources:
  - {key: call, title: Call, url: https://example.org}
parameters:
  - {name: rate, title: {it: quota, en: share}, unit: percent, value: 12.5, source: call art. 1, verified: true}
  - {name: top, title: {it: tetto, en: ceiling}, unit: money, value: "1500.00", source: call art. 1, verified: true}
  - {name: until, title: {it: fine, en: end}, unit: date, value: 2026-12-31, source: call art. 1, verified: true}
categories:
  - {key: people, title: {it: persone, en: people}, takes: [STAFF], allowed: true, source: call art. 2, verified: true}
options:
  - {key: flat, title: {it: forfait, en: flat}, category: OFFICE, method: FLAT_RATE, base: STAFF, rate: rate, source: call, verified: true}
payments:
  - {key: advance, title: {it: anticipo, en: advance}, share: rate, of: grant, condition: {it: subito, en: at once}, source: call, verified: true}
facts:
  - {name: people_costs, value: budget.of(c.people)}
  - {name: unpaid, scope: claim, value: "sum(claim.lines.filter(l, !has(l.payment_date)).map(l, l.amount))"}
rules:
  - id: ceiling
    title: {it: "Al più {p.top|money}", en: "At most {p.top|money}"}
    scope: claim_line
    severity: block
    when: line.category == STAFF
    values:
      - {name: over, value: line.amount - p.top}
    check: line.amount <= p.top
    amount: over
    limit: p.top
    message:
      it: "{line.key} supera di {over|money}"
      en: "{line.key} is over by {over|money}"
    source: call art. 3
    verified: true
  - id: share
    title: {it: "quota {p.rate|percent}", en: "share {p.rate|percent}"}
    scope: budget
    severity: warn
    check: people_costs <= share(budget.amount, p.rate)
    message: {it: "troppo il {pct(people_costs, budget.amount)|percent}", en: "too much"}
    source: call art. 4
    verified: false
    note: not read
columns:
  - {key: n, header: {it: n, en: n}, unit: money, value: line.amount}
  - {key: paid, header: {it: pagato, en: paid}, when: has(line.payment_date), value: line.payment_date}
`

func TestWhatIsWrongIsToldWithItsPlace(t *testing.T) {
	if _, err := Load([]byte(small)); err != nil {
		t.Fatal(err)
	}
	row := func(text string) int {
		before, _, ok := strings.Cut(small, text)
		if !ok {
			t.Fatalf("%q is not in the set", text)
		}
		return strings.Count(before, "\n") + 1
	}
	for name, c := range map[string]struct {
		old, new string
		line     int // 0 is that of old
		column   int
		path     string
		message  string
	}{
		"unknown key":              {"funder: Nobody", "funder: Nobody\nfonder: x", row("funder: Nobody") + 1, 1, "", `no field "fonder"`},
		"key twice":                {"version: 1", "version: 1\nversion: 2", row("version: 1") + 1, 1, "", `"version" is given twice`},
		"wrong shape":              {"version: 1", "version: [1]", 0, 10, "version", "must be a whole number"},
		"text for truth":           {"allowed: true", "allowed: si", 0, 0, "categories[0].allowed", "true or false"},
		"anchor":                   {"funder: Nobody", "funder: &a Nobody", 0, 9, "", "anchors"},
		"tag":                      {"funder: Nobody", "funder: !!str Nobody", 0, 9, "", "tags"},
		"no such day":              {"2026-12-31\nsources", "2026-02-30\nsources", row("effective_to"), 15, "effective_to", "must be a day"},
		"no id":                    {"id: trial", "id: Trial!", 0, 1, "id", "slug"},
		"dates the wrong way":      {"effective_to: 2026-12-31", "effective_to: 2025-12-31", 1, 1, "effective_to", "before effective_from"},
		"rule twice":               {"id: share", "id: ceiling", row("- id: share"), 5, "rules[1].id", "given twice"},
		"no source":                {"source: call art. 3", "source: ''", row("- id: ceiling"), 5, "rules[0].source", "must be given"},
		"unknown source":           {"source: call art. 3", "source: law art. 3", row("- id: ceiling"), 5, "rules[0].source", `"law" is not the key`},
		"unverified without note":  {"    note: not read\n", "", row("- id: share"), 5, "rules[1].note", "could not be checked"},
		"no verified":              {"    verified: false\n", "", row("- id: share"), 5, "rules[1].verified", "true or false"},
		"no message":               {`en: "too much"`, `en: ""`, row("- id: share"), 5, "rules[1].message.en", "must be given"},
		"unknown scope":            {"scope: budget", "scope: world", row("- id: share"), 5, "rules[1].scope", "none of"},
		"unknown category":         {"takes: [STAFF]", "takes: [STUFF]", row("takes:"), 5, "categories[0].takes", "STUFF"},
		"three decimals":           {"value: 12.5", "value: 12.555", row("12.5"), 5, "parameters[0].value", "two decimals"},
		"negative figure":          {"value: 12.5", "value: -1", row("12.5"), 5, "parameters[0].value", "0 or more"},
		"rate that is none":        {"rate: rate", "rate: top", row("rate: rate"), 5, "options[0].rate", "percent"},
		"fact like a word":         {"name: people_costs, value", "name: share, value", row("people_costs, value"), 5, "facts[0].name", "not be one of the language's own"},
		"value like a fact":        {"name: over,", "name: unpaid,", row("name: over"), 9, "rules[0].values[0].name", "a fact already"},
		"does not parse":           {"check: line.amount <= p.top", "check: line.amount <=", 0, 26, "rules[0].check", "Syntax error"},
		"unknown variable":         {"check: line.amount <= p.top", "check: line.amount <= tops", 0, 27, "rules[0].check", "undeclared reference to 'tops'"},
		"unknown figure":           {"check: line.amount <= p.top", "check: line.amount <= p.tip", 0, 27, "rules[0].check", "there is no parameter tip"},
		"unknown field":            {"check: line.amount <= p.top", "check: line.amont <= p.top", 0, 16, "rules[0].check", "undefined field 'amont'"},
		"wrong type":               {"check: line.amount <= p.top", "check: line.amount", 0, 12, "rules[0].check", "gives a number; it must give a truth value"},
		"mixed types":              {"check: line.amount <= p.top", "check: line.amount <= p.until", 0, 24, "rules[0].check", "no matching overload"},
		"decimal number":           {"check: line.amount <= p.top", "check: line.amount <= int(1.5)", 0, 0, "rules[0].check", "decimal numbers"},
		"clock":                    {"check: line.amount <= p.top", "check: timestamp('2026-01-01T00:00:00Z') == timestamp('2026-01-01T00:00:00Z')", 0, 0, "rules[0].check", "undeclared reference to 'timestamp'"},
		"regular expression":       {"check: line.amount <= p.top", "check: line.key.matches('(a+)+')", 0, 0, "rules[0].check", "undeclared reference to 'matches'"},
		"line of another scope":    {"check: people_costs <=", "check: line.amount <=", row("check: people_costs"), 12, "rules[1].check", "undeclared reference to 'line'"},
		"fact of a claim":          {"check: people_costs <=", "check: unpaid <=", row("check: people_costs"), 12, "rules[1].check", "undeclared reference to 'unpaid'"},
		"money that is none":       {"{over|money}\"\n      en", "{line.key|money}\"\n      en", row("it: \"{line.key}"), 0, "rules[0].message.it", "gives a text"},
		"lonely brace":             {`en: "too much"`, `en: "too } much"`, 0, 0, "rules[1].message.en", "a brace stands alone"},
		"hole that is wrong":       {`en: "too much"`, `en: "too {much}"`, 0, 0, "rules[1].message.en", "undeclared reference to 'much'"},
		"unit of a date":           {"{key: paid, header", "{key: paid, unit: money, header", row("key: paid"), 5, "columns[1].unit", "only a number"},
		"walk for every line":      {"check: line.amount <= p.top", "check: claim.lines.all(l, l.amount <= p.top)", 0, 12, "rules[0].check", "make a fact"},
		"walk within a walk":       {"value: budget.of(c.people)", "value: 'budget.lines.all(a, budget.lines.all(b, a.key != b.key)) ? 1 : 0'", 0, 0, "facts[0].value", "a walk over a list within a walk"},
		"walk of a walk of a walk": {"value: budget.of(c.people)", "value: 'sum(budget.lines.map(a, sum(budget.lines.map(b, sum(budget.lines.map(d, a.amount * b.amount * d.amount))))))'", 0, 0, "facts[0].value", "a walk over a list within a walk"},
	} {
		t.Run(name, func(t *testing.T) {
			source := strings.Replace(small, c.old, c.new, 1)
			if source == small {
				t.Fatal("nothing was changed")
			}
			start := time.Now()
			_, err := Load([]byte(source))
			problems, ok := errors.AsType[Problems](err)
			if !ok || len(problems) == 0 {
				t.Fatalf("got %v", err)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("took %s to refuse", took)
			}
			if c.line == 0 {
				c.line = row(c.old)
			}
			for _, p := range problems {
				if p.Line == c.line && (c.column == 0 || p.Column == c.column) && p.Path == c.path && strings.Contains(p.Message, c.message) {
					return
				}
			}
			t.Errorf("want %d:%d: %s: …%s…; got\n%s", c.line, c.column, c.path, c.message, problems.Error())
		})
	}
}

func TestDocumentsThatAreNone(t *testing.T) {
	for name, source := range map[string]string{
		"empty": "", "space": " \n", "text": "ciao", "list": "- a", "two": "id: a\n---\nid: b", "bytes": "\x00\xff",
		"bomb":      "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]",
		"deep":      strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000),
		"long":      "id: " + strings.Repeat("x", MaxSource),
		"unclosed":  "id: {",
		"many":      "rules: [" + strings.Repeat("{},", 60_000) + "{}]",
		"long rule": strings.Replace(small, "check: line.amount <= p.top", "check: line.amount <= "+strings.Repeat("1 + ", 2_000)+"1", 1),
		"deep rule": strings.Replace(small, "check: line.amount <= p.top", "check: line.amount <= "+strings.Repeat("(", 900)+"1"+strings.Repeat(")", 900), 1),
	} {
		start := time.Now()
		set, err := Load([]byte(source))
		if problems, ok := errors.AsType[Problems](err); !ok || set != nil || len(problems) == 0 || len(problems) > maxProblems {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: took %s to refuse", name, took)
		}
	}
}

// TestJSONIsReadToo: a rule set may be JSON.
func TestJSONIsReadToo(t *testing.T) {
	set, err := Load([]byte(`{"id": "json", "version": 2, "title": {"it": "a", "en": "b"}, "funder": "f", "effective_from": "2026-01-01",
	"sources": [{"key": "call", "title": "Call"}],
	"rules": [{"id": "r", "title": {"it": "a", "en": "b"}, "scope": "project", "severity": "warn", "check": "project.currency == \"EUR\"",
	"message": {"it": "a", "en": "b"}, "source": "call", "verified": true}]}`))
	if err != nil || set.ID() != "json" || set.Version() != 2 {
		t.Error(set, err)
	}
}

// TestWhatWouldLoopIsStopped: an expression that the estimate let through by
// mistake is stopped after so many items, each time at the same.
func TestWhatWouldLoopIsStopped(t *testing.T) {
	env, err := cel.NewCustomEnv(append(language(), cel.Variable("claim", claimType))...)
	if err != nil {
		t.Fatal(err)
	}
	ast, issues := env.Compile("claim.lines.all(a, claim.lines.all(b, a.amount == b.amount))")
	if issues.Err() != nil {
		t.Fatal(issues.Err())
	}
	program, err := env.Program(ast, cel.InterruptCheckFrequency(maxRounds))
	if err != nil {
		t.Fatal(err)
	}
	lines := make([]object[claimLineData], 5_000)
	for i := range lines {
		lines[i].kind = claimLineType
	}
	vars := &scopeVars{claim: &object[claimData]{claimType, claimData{lines: listOf(lines)}}, facts: map[string]ref.Val{}}
	start := time.Now()
	_, err = (&compiled{program: program, walks: true}).eval(vars)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint(maxRounds)) || time.Since(start) > 2*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
}
