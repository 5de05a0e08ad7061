// Package rules reads and evaluates the rule sets of funders. A rule set is a
// document in YAML, versioned data and not code: figures with their sources,
// and rules as CEL expressions over the facts of a project, its budget and a
// claim. The package does no I/O and has no clock: the same set and the same
// facts give the same report.
package rules
