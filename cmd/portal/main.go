// Command portal is the customer portal of a wholesale distributor's ERP: one
// binary that serves it, works its jobs, migrates its database and shows it in
// a demonstration.
//
// Here flags and settings are read and everything is tied together; what the
// parts do is theirs.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

type commands struct {
	Demo    demoCommand    `cmd:"" help:"Show the portal: private PostgreSQL, a believable distributor, log-ins."`
	Serve   serveCommand   `cmd:"" help:"Serve the portal on the ERP's database."`
	Import  importCommand  `cmd:"" help:"Load a ledger."`
	Proof   proofCommand   `cmd:"" help:"Prove that prices, invoices and ledgers agree; ends with 1 if not."`
	Migrate migrateCommand `cmd:"" help:"Bring the database up to date: tables, functions, triggers, job queue."`
	Doctor  doctorCommand  `cmd:"" help:"Check settings, rights, triggers and invariants, and say what to do."`
	User    userCommand    `cmd:"" help:"Log-ins of customers and staff."`
	Bench   benchCommand   `cmd:"" help:"Measure a running portal. Writes to its database: not for production."`

	Log      string          `help:"How much to log: debug, info, warn, error." enum:"debug,info,warn,error" default:"info" env:"PORTAL_LOG"`
	LogForm  string          `name:"log-format" help:"text for people, json for machines." enum:"text,json" default:"text" env:"PORTAL_LOG_FORMAT"`
	Settings kong.ConfigFlag `name:"config" help:"Read settings from a JSON file; flags and environment win over it." type:"existingfile" env:"PORTAL_CONFIG"`
}

// database is the setting that every command on a database takes.
type database struct {
	URL string `name:"database-url" help:"The ERP's database: postgres://user@host/name, or a libpq keyword string." env:"DATABASE_URL,PORTAL_DATABASE_URL" required:"" placeholder:"URL"`
}

func main() {
	line, err := newCommandLine(os.Stdout, os.Stderr)
	if err == nil {
		err = hideSecrets(line.parser.Model, os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "portal:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(line.run(ctx, os.Args[1:]))
}

// run is main without the process: it returns the exit code.
func run(ctx context.Context, arguments []string, stdout, stderr io.Writer) int {
	line, err := newCommandLine(stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "portal:", err)
		return 2
	}
	return line.run(ctx, arguments)
}

// commandLine is the parser of the commands with what it fills.
type commandLine struct {
	cli            commands
	parser         *kong.Kong
	stdout, stderr io.Writer
	code           int // -1 until help was asked for and printed
}

func newCommandLine(stdout, stderr io.Writer) (*commandLine, error) {
	line := &commandLine{stdout: stdout, stderr: stderr, code: -1}
	var err error
	line.parser, err = kong.New(&line.cli,
		kong.Name("portal"),
		kong.Description("Customer portal of a wholesale distributor, on the ERP's own PostgreSQL."),
		kong.Configuration(kong.JSON),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.UsageOnError(),
		kong.Writers(stdout, stderr),
		kong.Exit(func(c int) { line.code = c }),
		kong.BindTo(stdout, (*io.Writer)(nil)),
	)
	return line, err
}

// run does what the arguments say, and returns the exit code.
func (line *commandLine) run(ctx context.Context, arguments []string) int {
	stderr := line.stderr
	if err := readSecretFiles(line.parser.Model); err != nil {
		fmt.Fprintln(stderr, "portal:", err)
		return 2
	}
	command, err := line.parser.Parse(arguments)
	if line.code >= 0 {
		return line.code
	}
	if err != nil {
		fmt.Fprintf(stderr, "portal: %v\n", err)
		fmt.Fprintln(stderr, "See portal --help, or portal <command> --help.")
		return 2
	}
	command.BindTo(ctx, (*context.Context)(nil))
	logger := newLogger(stderr, line.cli.Log, line.cli.LogForm)
	if err := command.Run(logger); err != nil && !(errors.Is(err, context.Canceled) && ctx.Err() != nil) {
		fmt.Fprintf(stderr, "portal: %v\n", err)
		return 1
	}
	return 0
}

func newLogger(w io.Writer, level, form string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // kong has checked it
	options := &slog.HandlerOptions{Level: l}
	if form == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
