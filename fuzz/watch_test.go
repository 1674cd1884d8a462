package fuzz

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"switchyard/engine"
)

// watch reads everything that the platform writes while a run lasts, and keeps the first
// thing that is wrong with it.
type watch struct {
	ledger *ledger
	owners sync.Map // script id of connections → namespace/script of the canaries that left on them

	mu struct {
		sync.Mutex
		finding error
	}
}

func (w *watch) report(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.finding == nil {
		w.mu.finding = err
	}
}

// found returns the first finding.
func (w *watch) found() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.finding
}

// guestLine is the engine's Options.Log. The dispatch Worker sees every tenant's errors.
func (w *watch) guestLine(line engine.LogLine) {
	w.checkBug(string(line.Text))
	if line.Ref != dispatcherRef {
		if err := w.ledger.checkLine(line.Ref.String(), string(line.Text)); err != nil {
			w.report(err)
		}
	}
}

// Write takes the platform's own log.
func (w *watch) Write(line []byte) (int, error) {
	w.checkBug(string(line))
	return len(line), nil
}

func (w *watch) checkBug(line string) {
	if strings.Contains(line, "BUG:") || strings.Contains(line, "panic") {
		w.report(fmt.Errorf("the log says: %s", line))
	}
}

// fetched checks that what leaves on one script's connections is of that script only.
func (w *watch) fetched(script, url string) {
	for _, c := range canariesIn(url) {
		ref := w.ledger.ref(c.tenant)
		if owner, _ := w.owners.LoadOrStore(script, ref); owner != ref {
			w.report(fmt.Errorf("leak: %v of %s left on the connections of %v", c, ref, owner))
		}
	}
}

func TestWatch(t *testing.T) {
	l := newLedger()
	l.name(1, "production/a")
	w := &watch{ledger: l}
	w.guestLine(engine.LogLine{Ref: engine.Ref{Namespace: "production", Script: "a"}, Text: []byte("_t1r2_")})
	if err := w.found(); err != nil {
		t.Errorf("its own canary: %v", err)
	}
	for _, line := range []engine.LogLine{
		{Ref: engine.Ref{Namespace: "production", Script: "b"}, Text: []byte("x_t1r2_x")},
		{Ref: engine.Ref{Script: "c"}, Text: []byte("BUG: x")},
	} {
		w := &watch{ledger: l}
		if w.guestLine(line); w.found() == nil {
			t.Errorf("%v %q: nothing was found", line.Ref, line.Text)
		}
	}
}
