// Command trama is the whole suite in one binary: `trama serve` runs every
// target in one process, `trama serve catalogue` runs one of them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/trama-suite/trama/services/platform/config"
)

// version is set by the build.
var version = "devel"

// globals are the settings that every command shares with the configuration
// file and the TRAMA_… variables. A flag wins over a variable, a variable over
// the file.
type globals struct {
	Config   string `help:"Configuration file (YAML)." type:"existingfile" placeholder:"FILE"`
	Data     string `help:"Folder for everything that is kept (TRAMA_DATA; default ./data)." placeholder:"DIR"`
	HTTP     string `help:"Address of the REST gateway (TRAMA_HTTP; default 127.0.0.1:8080)." name:"http" placeholder:"ADDR"`
	GRPC     string `help:"Address of the gRPC server (TRAMA_GRPC; default 127.0.0.1:9090)." name:"grpc" placeholder:"ADDR"`
	Database string `help:"postgres://… (TRAMA_DATABASE; default: SQLite in the data folder)." placeholder:"URL"`
	NATS     string `help:"nats://… (TRAMA_NATS; default: a NATS server in this process)." name:"nats" placeholder:"URL"`
}

// load reads the configuration: defaults, file, environment, flags.
func (g globals) load(targets []string) (config.Config, error) {
	flags := map[string]string{}
	for key, value := range map[string]string{
		"data": g.Data, "http": g.HTTP, "grpc": g.GRPC, "database": g.Database, "nats": g.NATS,
	} {
		if value != "" {
			flags[key] = value
		}
	}
	if len(targets) > 0 {
		flags["targets"] = strings.Join(targets, ",")
	}
	return config.Load(g.Config, os.Environ(), flags)
}

type cli struct {
	globals

	Serve   serveCommand   `cmd:"" help:"Runs targets; without any, the whole suite in one process."`
	Migrate migrateCommand `cmd:"" help:"Brings the databases up to date, and exits."`
	Token   tokenCommand   `cmd:"" help:"Mints a token of the local issuer."`
	Import  importCommand  `cmd:"" help:"Imports organisations, or existing projects, from tables through the REST API."`
	Demo    demoCommand    `cmd:"" help:"Loads the demonstration scenario through the REST API and prints a network report."`
	Rules   rulesCommand   `cmd:"" help:"Checks and explains funders' rule sets, offline."`
	Doctor  doctorCommand  `cmd:"" help:"Checks running processes; the exit status tells."`
	Version versionCommand `cmd:"" help:"Prints the version."`
}

func main() {
	var c cli
	parser := kong.Must(&c,
		kong.Name("trama"),
		kong.Description("The network platform of social-economy consortia: catalogue, matching, project lifecycle, training enrolment and impact measurement."),
		kong.UsageOnError(),
	)
	command, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(c.globals); err != nil {
		fmt.Fprintln(os.Stderr, "trama:", err)
		stop()
		os.Exit(1)
	}
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run() error {
	fmt.Println("trama", version)
	return nil
}
