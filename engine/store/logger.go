package store

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// logger is Pebble's Logger, and where the store learns that Pebble can no longer write.
//
// Pebble does not survive a failed write of its log or its MANIFEST: it calls Fatalf, which
// must not return, or panics where deferred unlocks make the panic fatal. The process has
// requests to serve that need no disk. So neither Fatalf nor a failed operation of disk ever
// returns into Pebble: fail keeps the first error and makes the store refuse changes until a
// restart, and the goroutine is parked for good. Reads take none of the locks it may hold.
//
// For this to work every call into Pebble that writes goes through guard, which stops waiting
// for a parked goroutine.
type logger struct {
	out  *slog.Logger
	once sync.Once
	err  error         // set before dead is closed
	dead chan struct{} // closed when the database gave up

	corruptions, backgroundErrors atomic.Uint64
}

func newLogger(out *slog.Logger) *logger {
	return &logger{out: out, dead: make(chan struct{})}
}

// errStopped is wrapped by the error of a database that gave up.
var errStopped = errors.New("the database stopped writing, restart to go on")

func (l *logger) Infof(string, ...any) {} // flushes and compactions: of no interest

func (l *logger) Errorf(format string, args ...any) {
	l.out.Error("store: " + fmt.Sprintf(format, args...))
}

func (l *logger) Fatalf(format string, args ...any) {
	l.fail(fmt.Errorf(format, args...))
	park()
}

// park never returns.
func park() { select {} }

func (l *logger) fail(err error) {
	l.once.Do(func() {
		l.err = fmt.Errorf("%w: %w", errStopped, err)
		close(l.dead)
		l.out.Error("store: " + l.err.Error())
	})
}

// fatal returns what made the database give up, nil while it has not.
func (l *logger) fatal() error {
	select {
	case <-l.dead:
		return l.err
	default:
		return nil
	}
}

// guard calls f, which writes through Pebble, on a goroutine that it waits for, unless the
// database gives up: then that goroutine may be parked.
func (l *logger) guard(f func() error) error {
	outcome := make(chan error, 1)
	go func() { outcome <- f() }()
	select {
	case err := <-outcome:
		return err
	case <-l.dead:
		return l.err
	}
}

// events turns what Pebble reports into counters and log lines. Its own default would exit
// on corruption; ours leaves that to whoever asked for the record.
func (l *logger) events() pebble.EventListener {
	return pebble.EventListener{
		BackgroundError: func(err error) {
			l.backgroundErrors.Add(1)
			l.out.Warn("store: background work failed, it is retried", "error", err)
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			l.corruptions.Add(1)
			l.out.Error("store: corrupt data", "file", info.Path, "details", info.Details)
		},
	}
}
