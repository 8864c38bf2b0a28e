package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"portal.example/portal"
)

// Config says what a Client works on. The zero value of a number takes its
// default.
type Config struct {
	// Pool reaches the database as role portal_work, and not through a
	// pooler: River listens on a connection of it. It needs four connections
	// at least. It stays open when the client stops.
	Pool *pgxpool.Pool

	Orders      portal.OrderApprover // required, unless InsertOnly
	Housekeeper portal.Housekeeper   // required, unless InsertOnly
	// Standing works standing orders; nil leaves them to other nodes.
	Standing portal.StandingOrderRunner
	// Statements makes statements; nil leaves them to other nodes.
	Statements portal.StatementMaker
	// Mails are the mails to send, by Post; nil leaves them to other nodes.
	Mails portal.MailQueue
	Post  portal.Postman
	// Proof runs the price proof; nil leaves it to other nodes.
	Proof  portal.Prover
	Logger *slog.Logger // default slog.Default()

	// Clock reads erp.now() in the company's zone, by which what is nightly goes.
	// Nil: this process's clock, in UTC.
	Clock func(ctx context.Context) (time.Time, error)

	// InsertOnly makes a client that enqueues, and shows jobs to operators,
	// but works none: Start and Stop do nothing.
	InsertOnly bool

	// ApprovalWorkers is how many orders are decided at a time; default 4.
	ApprovalWorkers int

	// MailWorkers is how many mails are sent at a time, each of which holds a
	// connection of the pool for as long as the mail server takes; default 2.
	MailWorkers int

	// FetchCooldown is the least time between two fetches from a queue, so it
	// bounds throughput at workers per cooldown; default 10 ms, least 1 ms.
	FetchCooldown time.Duration
	// FetchPollInterval is how often a queue is looked at without being
	// woken; default 1 s. Not less than FetchCooldown.
	FetchPollInterval time.Duration

	// JobTimeout is how long a job may run before its context ends; default
	// 60 s. The invariants take longer and have 15 minutes.
	JobTimeout time.Duration
	// RescueAfter is how long a job may count as running before another node
	// takes it for one whose process was killed; default JobTimeout + 30 s,
	// and it must be above JobTimeout.
	RescueAfter time.Duration

	// EventRetention is how long the event log reaches back; default 72 h. A
	// page that was offline for longer reloads what it shows.
	EventRetention time.Duration
}

const (
	queueApproval  = "approval"
	queueStatement = "statement"
	queueMail      = "mail"
	// defaultWorkers is two, so that a nightly check that takes minutes does
	// not keep housekeeping waiting.
	defaultWorkers = 2

	softStop            = 10 * time.Second
	housekeepingEvery   = 10 * time.Minute
	standingEvery       = time.Minute
	statementEvery      = time.Minute
	statementRunEvery   = time.Hour
	remindersEvery      = 5 * time.Minute
	mailRetention       = 90 * 24 * time.Hour
	invariantsHour      = 3
	proofHour           = 4 // after the day's last invoices, and when the invariants are through
	completedRetention  = 72 * time.Hour
	unfinishedRetention = 30 * 24 * time.Hour
)

// Client enqueues jobs and works them. It is safe for concurrent use. Several
// clients on one database, in one process or in many, share the work: each job
// is worked by one, and one of them at a time, the leader, starts what is
// periodic.
type Client struct {
	river      *river.Client[pgx.Tx]
	pool       *pgxpool.Pool
	insertOnly bool
	atStart    []portal.JobArgs // enqueued by Start
	clock      *companyClock

	mu        sync.Mutex
	stopClock func() // nil: not running
}

// New makes a client; Start begins the work.
func New(config Config) (*Client, error) {
	if config.Pool == nil {
		return nil, errors.New("jobs: no pool")
	}
	logger := cmp.Or(config.Logger, slog.Default())
	clock := &companyClock{read: config.Clock, logger: logger}
	rc := &river.Config{Schema: Schema, Logger: slog.New(quiet{logger.Handler()})}
	if !config.InsertOnly {
		if config.Orders == nil || config.Housekeeper == nil {
			return nil, errors.New("jobs: no approver of orders, or no housekeeper")
		}
		rc = workConfig(config, logger, clock)
	}
	client, err := river.NewClient(riverpgxv5.New(config.Pool), rc)
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	c := &Client{river: client, pool: config.Pool, insertOnly: config.InsertOnly, clock: clock}
	if !c.insertOnly && config.Statements != nil {
		// what a killed process was at; the leader that does what is periodic
		// may have been that process, and is followed only after a while
		c.atStart = append(c.atStart, portal.StatementArgs{})
	}
	return c, nil
}

func workConfig(c Config, logger *slog.Logger, clock *companyClock) *river.Config {
	cooldown := cmp.Or(c.FetchCooldown, 10*time.Millisecond)
	timeout := cmp.Or(c.JobTimeout, time.Minute)

	workers := river.NewWorkers()
	river.AddWorker(workers, &approvalWorker{orders: c.Orders, logger: logger})
	river.AddWorker(workers, &settleWorker{housekeeper: c.Housekeeper})
	river.AddWorker(workers, &housekeepingWorker{housekeeper: c.Housekeeper, logger: logger,
		retention: cmp.Or(c.EventRetention, 72*time.Hour)})
	river.AddWorker(workers, &invariantsWorker{housekeeper: c.Housekeeper, logger: logger})

	queues := map[string]river.QueueConfig{
		river.QueueDefault: {MaxWorkers: defaultWorkers},
		queueApproval:      {MaxWorkers: cmp.Or(c.ApprovalWorkers, 4)},
	}
	periodics := []*river.PeriodicJob(nil)
	if c.Standing != nil {
		river.AddWorker(workers, &standingWorker{standing: c.Standing, logger: logger})
		periodics = append(periodics, periodic(portal.StandingOrdersArgs{}, river.PeriodicInterval(standingEvery), true))
	}
	if c.Statements != nil {
		river.AddWorker(workers, &statementWorker{statements: c.Statements, logger: logger})
		river.AddWorker(workers, &statementRunWorker{statements: c.Statements, logger: logger})
		// making a paper is computing: one a core
		queues[queueStatement] = river.QueueConfig{MaxWorkers: runtime.NumCPU()}
		periodics = append(periodics, periodic(portal.StatementArgs{}, river.PeriodicInterval(statementEvery), false),
			periodic(portal.StatementRunArgs{}, river.PeriodicInterval(statementRunEvery), true))
	}
	if c.Mails != nil && c.Post != nil {
		river.AddWorker(workers, &mailWorker{mails: c.Mails, post: c.Post, logger: logger})
		river.AddWorker(workers, &passwordResetWorker{mails: c.Mails, logger: logger})
		river.AddWorker(workers, &remindersWorker{mails: c.Mails, logger: logger})
		queues[queueMail] = river.QueueConfig{MaxWorkers: cmp.Or(c.MailWorkers, 2)}
		periodics = append(periodics, periodic(portal.CutoffRemindersArgs{}, river.PeriodicInterval(remindersEvery), true))
	}

	if c.Proof != nil {
		river.AddWorker(workers, &proofWorker{proof: c.Proof, logger: logger})
		periodics = append(periodics, nightly(portal.PriceProofArgs{}, &daily{hour: proofHour, clock: clock}))
	}

	return &river.Config{
		Schema:  Schema,
		Logger:  slog.New(quiet{logger.Handler()}),
		Workers: workers,
		Queues:  queues,
		PeriodicJobs: append(periodics,
			periodic(portal.HousekeepingArgs{}, river.PeriodicInterval(housekeepingEvery), true),
			nightly(portal.InvariantsArgs{}, &daily{hour: invariantsHour, clock: clock}),
		),
		FetchCooldown:               cooldown,
		FetchPollInterval:           max(cmp.Or(c.FetchPollInterval, time.Second), cooldown),
		JobTimeout:                  timeout,
		RescueStuckJobsAfter:        cmp.Or(c.RescueAfter, timeout+30*time.Second),
		SoftStopTimeout:             softStop,
		RetryPolicy:                 retry{},
		ErrorHandler:                &failures{logger},
		JobStuckHandler:             stuck(logger),
		CompletedJobRetentionPeriod: completedRetention,
		CancelledJobRetentionPeriod: unfinishedRetention,
		DiscardedJobRetentionPeriod: unfinishedRetention,
		// REINDEX is for the owner of an index, which portal_work is not.
		ReindexerIndexNames: []string{},
	}
}

func periodic(args portal.JobArgs, schedule river.PeriodicSchedule, atStart bool) *river.PeriodicJob {
	return river.NewPeriodicJob(schedule,
		func() (river.JobArgs, *river.InsertOpts) { return args, options(args) },
		&river.PeriodicJobOpts{ID: args.Kind(), RunOnStart: atStart})
}

// nightly enqueues a job once a day. River allows a constructor to say that there
// is nothing to enqueue.
func nightly(args portal.JobArgs, when *daily) *river.PeriodicJob {
	return river.NewPeriodicJob(when, func() (river.JobArgs, *river.InsertOpts) {
		if !when.due(time.Now()) {
			return nil, nil
		}
		return args, options(args)
	}, &river.PeriodicJobOpts{ID: args.Kind()})
}

// Start begins to work jobs, and fails at once if the database cannot be
// reached. When it returns, the client is listening for new jobs. The end of
// ctx begins the same stop as Stop does. To start twice is no error.
func (c *Client) Start(ctx context.Context) error {
	if c.insertOnly {
		return nil
	}
	if err := c.startClock(ctx); err != nil {
		return fmt.Errorf("jobs: read the company's clock: %w", err)
	}
	if err := c.river.Start(ctx); err != nil {
		c.endClock()
		return fmt.Errorf("jobs: start: %w", err)
	}
	for _, args := range c.atStart {
		if _, err := c.Enqueue(ctx, args); err != nil {
			return err
		}
	}
	return nil
}

// startClock reads the company's clock, and again each minute until endClock.
func (c *Client) startClock(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopClock != nil {
		return nil
	}
	if err := c.clock.refresh(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.clock.run(ctx)
	}()
	c.stopClock = func() { cancel(); <-ended }
	return nil
}

func (c *Client) endClock() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopClock != nil {
		c.stopClock()
		c.stopClock = nil
	}
}

// Stop takes no new jobs, waits for those at work, and cancels what has not
// finished after 10 seconds; such jobs are worked again elsewhere. It returns
// early only when ctx ends, with its error, and may then be called again. To
// stop twice, or what was never started, is no error.
func (c *Client) Stop(ctx context.Context) error {
	if c.insertOnly {
		return nil
	}
	c.endClock()
	if err := c.river.Stop(ctx); err != nil {
		return fmt.Errorf("jobs: stop: %w", err)
	}
	return nil
}

// Enqueue adds a job and reports whether it did: one of the same kind and
// arguments that is there already is not doubled. An order's approval counts
// as there for three days after it was done, the others until they are done.
func (c *Client) Enqueue(ctx context.Context, args portal.JobArgs) (added bool, err error) {
	result, err := c.river.Insert(ctx, args, options(args))
	if err != nil {
		return false, fmt.Errorf("jobs: enqueue %s: %w", args.Kind(), err)
	}
	return !result.UniqueSkippedAsDuplicate, nil
}

// quiet leaves out what River says at Info: its start, its stop and a count of
// jobs every few seconds.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level != slog.LevelInfo && q.Handler.Enabled(ctx, level)
}

func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
