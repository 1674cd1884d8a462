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
	owners sync.Map // tenant of a canary → script id whose connections its fetches used

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

// fetched checks that what tenant sends leaves on the connections of one script only.
func (w *watch) fetched(script, url string) {
	for _, c := range canariesIn(url) {
		if owner, _ := w.owners.LoadOrStore(c.tenant, script); owner != script {
			w.report(fmt.Errorf("leak: %v left on the connections of script %s, before on those of %s", c, script, owner))
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
