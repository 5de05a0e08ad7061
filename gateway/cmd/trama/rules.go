package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/trama-suite/trama/services/projects/rules"
)

// rulesCommand works with funders' rule sets, offline.
type rulesCommand struct {
	Check   rulesCheckCommand   `cmd:"" help:"Compiles rule sets and tells what is wrong, by line and column; the exit status tells."`
	Explain rulesExplainCommand `cmd:"" help:"Says in words what a rule set holds: rules, figures, sources."`
	List    rulesListCommand    `cmd:"" help:"Lists the rule sets that come with the program."`
}

type rulesCheckCommand struct {
	Files []string `arg:"" name:"file" help:"Rule sets (YAML or JSON)." type:"existingfile"`
	Claim string   `help:"Facts of a claim (YAML or JSON): evaluates the rule sets over them and prints the findings." type:"existingfile" placeholder:"FILE"`
	Lang  string   `help:"Language of the findings." enum:"it,en" default:"it"`
}

// Run checks the files. Problems and blocking findings make it fail.
func (c rulesCheckCommand) Run() error {
	var in rules.Input
	if c.Claim != "" {
		source, err := readDocument(c.Claim)
		if err != nil {
			return err
		}
		if in, err = rules.LoadInput(source); err != nil {
			printProblems(c.Claim, err)
			return fmt.Errorf("%s cannot be read", c.Claim)
		}
	}
	wrong, blocked := 0, 0
	for _, file := range c.Files {
		source, err := readDocument(file)
		if err != nil {
			return err
		}
		set, err := rules.Load(source)
		if err != nil {
			printProblems(file, err)
			wrong++
			continue
		}
		fmt.Printf("%s: %s version %d compiles: %d rules\n", file, set.ID(), set.Version(), len(set.Document().Rules))
		if c.Claim == "" {
			continue
		}
		report, err := set.Evaluate(in)
		if err != nil {
			return err
		}
		if err := c.print(os.Stdout, report); err != nil {
			return err
		}
		if report.Blocked() {
			blocked++
		}
	}
	switch {
	case wrong > 0:
		return fmt.Errorf("%d of %d rule sets do not compile", wrong, len(c.Files))
	case blocked > 0:
		return fmt.Errorf("%d of %d rule sets block the claim", blocked, len(c.Files))
	}
	return nil
}

// print writes the findings, then each rule with what it did.
func (c rulesCheckCommand) print(w io.Writer, report rules.Report) error {
	for _, f := range report.Findings {
		where := string(f.Scope)
		if f.Key != "" {
			where += " " + f.Key
		}
		if _, err := fmt.Fprintf(w, "  %s %s (%s): %s [%s]\n", strings.ToUpper(string(f.Severity)), f.Rule, where, say(f.Message, c.Lang), f.Source); err != nil {
			return err
		}
		for _, v := range f.Trace {
			if _, err := fmt.Fprintf(w, "      %s = %s\n", v.Name, v.Value); err != nil {
				return err
			}
		}
	}
	table := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	for _, o := range report.Outcomes {
		if _, err := fmt.Fprintf(table, "  %s\tlooked at %d\tapplied to %d\tbroken %d\n", o.Rule, o.Looked, o.Applied, o.Broken); err != nil {
			return err
		}
	}
	return table.Flush()
}

type rulesExplainCommand struct {
	What string `arg:"" name:"set" help:"A file, or the id of a set that comes with the program."`
	Lang string `help:"Language." enum:"it,en" default:"it"`
}

// Run prints a set in words.
func (c rulesExplainCommand) Run() error {
	set, ok := rules.ShippedSet(c.What)
	if !ok {
		source, err := readDocument(c.What)
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%s is no file, and no set that comes with the program: see trama rules list", c.What)
		}
		if err != nil {
			return err
		}
		if set, err = rules.Load(source); err != nil {
			printProblems(c.What, err)
			return fmt.Errorf("%s does not compile", c.What)
		}
	}
	var b strings.Builder
	c.write(&b, set)
	_, err := os.Stdout.WriteString(b.String())
	return err
}

func (c rulesExplainCommand) write(b *strings.Builder, set *rules.Set) {
	e := set.Explain()
	fmt.Fprintf(b, "%s (%s, version %d, in force from %s)\n", say(e.Title, c.Lang), set.ID(), set.Version(), set.EffectiveFrom())
	if note := say(e.Note, c.Lang); note != "" {
		fmt.Fprintf(b, "%s\n", note)
	}
	for _, part := range []struct {
		title string
		items []rules.Item
	}{
		{"Figures", e.Figures}, {"Cost categories", e.Categories}, {"Simplified cost options", e.Options},
		{"Payments", e.Payments}, {"Withholdings", e.Withholdings}, {"Rules", e.Rules}, {"Columns of the report", e.Columns},
	} {
		if len(part.items) == 0 {
			continue
		}
		fmt.Fprintf(b, "\n%s\n", part.title)
		for _, i := range part.items {
			fmt.Fprintf(b, "  %s: %s", i.Key, say(i.Title, c.Lang))
			if value := say(i.Value, c.Lang); value != "" {
				fmt.Fprintf(b, " = %s", value)
			}
			switch {
			case part.title == "Rules" && i.Blocking:
				b.WriteString(" (blocks)")
			case part.title == "Rules":
				b.WriteString(" (warns)")
			case part.title == "Cost categories" && !i.Allowed:
				b.WriteString(" (not allowed)")
			}
			b.WriteByte('\n')
			if i.Source != "" {
				fmt.Fprintf(b, "      %s\n", i.Source)
			}
			if !i.Verified {
				fmt.Fprintf(b, "      not verified: %s\n", i.Remark)
			}
		}
	}
	b.WriteString("\nSources\n")
	for _, s := range e.Sources {
		fmt.Fprintf(b, "  %s\n", s)
	}
}

type rulesListCommand struct{}

// Run lists the shipped sets.
func (rulesListCommand) Run() error {
	table := tabwriter.NewWriter(os.Stdout, 2, 0, 2, ' ', 0)
	for _, s := range rules.AllShipped() {
		if _, err := fmt.Fprintln(table, s.Set.ID()+"\t"+strconv.FormatInt(s.Set.Version(), 10)+"\t"+string(s.Set.EffectiveFrom())+"\t"+s.Set.Title().IT); err != nil {
			return err
		}
	}
	return table.Flush()
}

// readDocument reads a file, and no more of it than a document may have.
func readDocument(file string) (source []byte, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, rules.MaxSource+1))
}

// printProblems writes what is wrong as file:line:column, as editors read it.
func printProblems(file string, err error) {
	problems, ok := errors.AsType[rules.Problems](err)
	if !ok {
		fmt.Fprintf(os.Stderr, "%s: %v\n", file, err)
		return
	}
	for _, p := range problems {
		fmt.Fprintf(os.Stderr, "%s:%s\n", file, p)
	}
}

func say(t rules.Text, lang string) string {
	if lang == "en" {
		return t.EN
	}
	return t.IT
}
