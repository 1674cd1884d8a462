package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"switchyard/engine/store"
	"switchyard/engine/trace"
	"switchyard/isolate"
)

// Options configure an Engine. Dir and Runtime are required.
type Options struct {
	Dir     string // data directory
	Runtime *isolate.Runtime
	Derived *store.Derived // what the Runtime keeps; the engine removes what is unused. Default: none.
	Egress  Egress         // Default: every fetch that would leave the platform fails.

	Entry     string // plain Worker that gets what no route claims. Default: the built-in dispatcher does.
	Namespace string // the built-in dispatcher's. Default: "production".
	// Fallback lets the built-in dispatcher answer for an entry Worker that failed (fallback.go). Default: the failure is the answer.
	Fallback bool

	// Limits hold for a user Worker's call where neither its dispatch nor its script sets one.
	// Default: 50 ms of CPU time, 50 subrequests, 64 KiB of log.
	Limits isolate.Limits
	// PlainLimits are the same for plain Workers, which are the operator's own.
	// Default: 30 s of CPU time, 10,000 subrequests, 1 MiB of log.
	PlainLimits isolate.Limits

	// CacheBytes bounds what the Cache API keeps in memory for all scripts, ScriptCacheBytes what it keeps for one.
	// Default: 64 MiB, 8 MiB.
	CacheBytes, ScriptCacheBytes int64
	// JournalBytes bounds what is kept in memory about the latest calls of all scripts, ScriptJournalBytes about those of
	// one. Default: 32 MiB, 1 MiB.
	JournalBytes, ScriptJournalBytes int

	// AssetCacheBytes bounds what of static assets is kept in memory. Default: 64 MiB.
	AssetCacheBytes int64
	// UsageFlush is how often what was spent is written down, and how much of it a killed process
	// loses. Default: 2 s.
	UsageFlush time.Duration
	// KeepMinutes, KeepHours and KeepDays are how long usage is known by the minute, the hour and
	// the day. Default: 48 h, 62 days, 400 days.
	KeepMinutes, KeepHours, KeepDays time.Duration
	MetricScripts                    int // scripts that /metrics names, the busiest. Default: none.

	// AuditAge and AuditEntries bound the audit log. Default: 90 days, a million entries.
	AuditAge     time.Duration
	AuditEntries int

	MaxLoaded int           // versions kept ready to run. Default: 1000.
	Log       func(LogLine) // takes guests' log lines. Default: stderr, at most 1000 lines a second.
	Logger    *slog.Logger  // the engine's own. Default: slog.Default().

	runtime runtime          // a test's in place of Runtime
	now     func() time.Time // a test's clock for usage and quotas
}

func (o Options) withDefaults() Options {
	if o.runtime == nil {
		o.runtime = isolates{o.Runtime}
	}
	if o.now == nil {
		o.now = time.Now
	}
	if o.Egress == nil {
		o.Egress = noEgress{}
	}
	if o.Log == nil {
		o.Log = NewLogWriter(os.Stderr, 1000).Write
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Namespace = cmp.Or(o.Namespace, "production")
	o.CacheBytes = cmp.Or(o.CacheBytes, 64<<20)
	o.ScriptCacheBytes = cmp.Or(o.ScriptCacheBytes, 8<<20)
	o.AssetCacheBytes = cmp.Or(o.AssetCacheBytes, 64<<20)
	o.UsageFlush = cmp.Or(o.UsageFlush, 2*time.Second)
	o.KeepMinutes = cmp.Or(o.KeepMinutes, 48*time.Hour)
	o.KeepHours = cmp.Or(o.KeepHours, 62*24*time.Hour)
	o.KeepDays = cmp.Or(o.KeepDays, 400*24*time.Hour)
	o.JournalBytes = cmp.Or(o.JournalBytes, 32<<20)
	o.ScriptJournalBytes = cmp.Or(o.ScriptJournalBytes, 1<<20)
	o.MaxLoaded = cmp.Or(o.MaxLoaded, 1000)
	o.AuditAge = cmp.Or(o.AuditAge, 90*24*time.Hour)
	o.AuditEntries = cmp.Or(o.AuditEntries, 1_000_000)
	o.Limits = defaulted(o.Limits, &isolate.Limits{CPU: 50 * time.Millisecond, Subrequests: 50, LogBytes: 64 << 10})
	o.PlainLimits = defaulted(o.PlainLimits, &isolate.Limits{CPU: 30 * time.Second, Subrequests: maxSubrequests, LogBytes: 1 << 20})
	return o
}

// Engine is a whole platform without its sockets. Its methods may be called from many
// goroutines. Locks, in the order in which they are taken:
//
//	keyLock (one script, "namespaces", "plans" or "tokens"; then "routes") → namespace.commit → accounting.writing
//	→ publishing → pools.mu, accounting.mu
//
// Serve takes none of them on its way to a version that is loaded and was called before.
type Engine struct {
	store       *store.Store
	derived     *store.Derived // nil: none
	catalog     *catalog
	pools       *pools
	cache       *cache
	tails       *trace.Tails
	journal     *trace.Journal
	consumers   *consumers
	limiters    *limiters
	kv          *kv
	analytics   *analytics
	assets      *assets
	usage       *accounting
	egress      Egress
	host        isolate.Host
	output      func(LogLine)
	logger      *slog.Logger
	entry       string
	dispatch    string // the built-in dispatcher's namespace
	limits      isolate.Limits
	plainLimits isolate.Limits

	tokens     tokenBook
	auditing   auditLimits
	locks      keyLock
	publishing sync.Mutex // editions of the catalog, microseconds each
	requests   atomic.Uint64
	fallback   bool
	fellBack   atomic.Uint64
	closed     atomic.Bool
	collector  collector
}

// Open opens the platform in o.Dir, which is made when it is missing. Nothing is compiled:
// a version is loaded by its first request. Errors name the directory or the record.
func Open(o Options) (*Engine, error) {
	if o.Dir == "" || o.Runtime == nil && o.runtime == nil {
		panic("BUG: engine.Open without Dir or Runtime")
	}
	o = o.withDefaults()
	if err := checkOptions(&o); err != nil {
		return nil, err
	}
	e := &Engine{
		derived: o.Derived, egress: o.Egress, output: o.Log, logger: o.Logger, entry: o.Entry, dispatch: o.Namespace,
		fallback: o.Fallback, limits: o.Limits, plainLimits: o.PlainLimits, auditing: auditLimits{o.AuditAge, o.AuditEntries},
	}
	e.host = host{e}
	e.tails, e.journal, e.consumers = trace.NewTails(), trace.NewJournal(o.JournalBytes, o.ScriptJournalBytes), newConsumers(e)
	e.cache = newCache(o.CacheBytes, o.ScriptCacheBytes)
	e.limiters = newLimiters()
	e.pools = newPools(o.runtime, e.recipe, o.MaxLoaded, o.Logger)
	var err error
	if e.store, err = store.Open(store.Options{Dir: o.Dir, Late: e.publish, Logger: o.Logger}); err != nil {
		return nil, err
	}
	if e.assets, err = newAssets(e.store, o.AssetCacheBytes); err != nil {
		return nil, errors.Join(err, e.store.Close())
	}
	e.pools.freezer = freezer{e.store, e.derived, o.Logger}
	if e.catalog, err = restore(e.store, &e.tokens); err != nil {
		return nil, errors.Join(fmt.Errorf("data directory %s: %w", o.Dir, err), e.store.Close())
	}
	if e.usage, err = e.openUsage(&o); err != nil {
		return nil, errors.Join(fmt.Errorf("data directory %s: %w", o.Dir, err), e.store.Close())
	}
	e.kv = newKV(e.store, e.catalog.kv)
	e.analytics = newAnalytics(e.store, o.Logger)
	e.startCollector()
	return e, nil
}

// openUsage continues the books, and lets plans and namespaces count from what they say.
func (e *Engine) openUsage(o *Options) (*accounting, error) {
	a, err := openAccounting(e.store, o)
	if err != nil {
		return nil, err
	}
	for p := range e.catalog.periods() {
		if err := a.recall(context.Background(), p); err != nil {
			return nil, err
		}
	}
	e.usage = a
	e.resettler(func(s *script) []string { return s.state.Load().record.Tags }).all()
	a.start()
	return a, nil
}

func checkOptions(o *Options) error {
	if o.Entry != "" {
		if err := checkName("entry", o.Entry); err != nil {
			return err
		}
	}
	return checkName("namespace", o.Namespace)
}

// Drain waits until no call runs any more, what they do after their responses included, or ctx ends.
func (e *Engine) Drain(ctx context.Context) error {
	for e.pools.calls() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(drainPoll):
		}
	}
	return nil
}

const drainPoll = 5 * time.Millisecond

// Close stops loading, lets calls that run end, and closes the store. Ingress and control
// listener must have stopped: calls that come later fail.
func (e *Engine) Close() error {
	if e.closed.Swap(true) {
		return nil
	}
	e.collector.close()
	e.tails.Close()
	e.consumers.close()
	e.pools.close()
	e.usage.close()
	e.analytics.close()
	return e.store.Close()
}

// Ready returns nil when requests can be served.
func (e *Engine) Ready() error {
	if e.closed.Load() {
		return fmt.Errorf("%w: the engine is closed", ErrUnavailable)
	}
	return nil
}

// noEgress is the Egress of a platform without one.
type noEgress struct{}

var errNoEgress = errors.New("This server does not let requests out.")

func (noEgress) Fetch(_ context.Context, _ string, _ []*EgressPolicy, req *isolate.Request) (*isolate.Response, error) {
	req.Release()
	return nil, errNoEgress
}
