package store

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// logger is Pebble's Logger. Pebble calls Fatalf where it cannot go on writing (a failed fsync
// of its log or its MANIFEST) and trusts it never to return. The process has requests to serve
// that need no disk, so instead of exiting, Fatalf keeps the first such error, which makes the
// store refuse changes until a restart, and ends the goroutine: unlike a loop that blocks for ever,
// Goexit runs the deferred unlocks, so reads go on.
//
// For this to be survivable every call into Pebble that writes is made on a goroutine that may
// end: Pebble's own, or one of guard.
type logger struct {
	out   *slog.Logger
	first atomic.Pointer[error]

	corruptions, backgroundErrors atomic.Uint64
}

func newLogger(out *slog.Logger) *logger { return &logger{out: out} }

// errStopped is wrapped by the error of a database that gave up.
var errStopped = errors.New("the database stopped writing, restart to go on")

func (l *logger) Infof(string, ...any) {} // flushes and compactions: of no interest

func (l *logger) Errorf(format string, args ...any) {
	l.out.Error("store: " + fmt.Sprintf(format, args...))
}

func (l *logger) Fatalf(format string, args ...any) {
	l.fail(fmt.Errorf("%w: %s", errStopped, fmt.Sprintf(format, args...)))
	runtime.Goexit()
}

func (l *logger) fail(err error) {
	if l.first.CompareAndSwap(nil, &err) {
		l.out.Error("store: " + err.Error())
	}
}

// fatal returns what made the database give up, nil while it has not.
func (l *logger) fatal() error {
	if p := l.first.Load(); p != nil {
		return *p
	}
	return nil
}

// guard calls f, which writes through Pebble, and survives Fatalf and panics in it. It waits
// for the goroutine that it starts.
func (l *logger) guard(f func() error) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		finished := false
		defer func() {
			if p := recover(); p != nil {
				l.fail(fmt.Errorf("%w: %v", errStopped, p))
			}
			if !finished {
				err = l.fatal()
			}
		}()
		err = f()
		finished = true
	}()
	<-done
	return err
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
