package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRulesCommand: what the author of a rule set types. Nothing needs to run.
func TestRulesCommand(t *testing.T) {
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run := func(args ...string) (string, bool) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, program, append([]string{"rules"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err == nil
	}
	write := func(name, text string) string {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	out, ok := run("list")
	if !ok || !strings.Contains(out, "erdf-interreg-2021-27") || strings.Count(out, "\n") < 6 {
		t.Fatalf("list: %v %s", ok, out)
	}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		id := strings.Fields(line)[0]
		if out, ok := run("explain", id); !ok || !strings.Contains(out, "Rules\n") {
			t.Errorf("explain %s: %v %s", id, ok, out)
		}
	}
	if out, ok := run("explain", "--lang", "en", "horizon-europe"); !ok || !strings.Contains(out, "Indirect costs are a flat rate of 25\u00a0% = each budget line (blocks)") {
		t.Errorf("explain: %v %s", ok, out)
	}
	if out, ok := run("explain", "nothing"); ok || !strings.Contains(out, "rules list") {
		t.Errorf("explain of nothing: %v %s", ok, out)
	}

	set := `id: bando
version: 1
title: {it: Bando, en: Call}
funder: Fondazione
effective_from: 2026-01-01
sources: [{key: call, title: Bando}]
rules:
  - id: euro
    title: {it: In euro, en: In euro}
    scope: project
    severity: block
    check: project.currency == "EUR"
    message: {it: "È in {project.currency}", en: "It is in {project.currency}"}
    source: call art. 1
    verified: true
`
	good := write("good.yaml", set)
	bad := write("bad.yaml", strings.Replace(set, "project.currency ==", "project.curency ==", 1)+"surprise: 1\n")
	worse := write("worse.yaml", strings.Replace(set, "project.currency ==", "project.curency ==", 1))
	if out, ok := run("check", good); !ok || !strings.Contains(out, "bando version 1 compiles: 1 rules") {
		t.Errorf("check: %v %s", ok, out)
	}
	if out, ok := run("check", good, bad, worse); ok || !strings.Contains(out, "bad.yaml:16:1: there is no field \"surprise\"") ||
		!strings.Contains(out, "worse.yaml:12:19: rules[0].check: undefined field 'curency'") || !strings.Contains(out, "2 of 3") {
		t.Errorf("check: %v %s", ok, out)
	}
	claim := write("claim.yaml", "project: {currency: SEK}\n")
	if out, ok := run("check", good, "--claim", claim); ok || !strings.Contains(out, "BLOCK euro (project): È in SEK [Bando art. 1]") {
		t.Errorf("check of a claim: %v %s", ok, out)
	}
	if out, ok := run("check", good, "--claim", write("odd.yaml", "project: {currency: 1, euro: 2}\n")); ok || !strings.Contains(out, "odd.yaml:1:24: project: there is no field \"euro\"") {
		t.Errorf("check of a wrong claim: %v %s", ok, out)
	}
}
