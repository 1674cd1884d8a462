package fuzz

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"

	"switchyard/engine"
	"switchyard/isolate"
)

// world is one run: a platform, its model, and what has been numbered so far.
type world struct {
	*platform
	*model
	r        *rand.Rand
	ledger   *ledger
	entry    bool
	crowded  bool // others are in the same isolates: a kill may take a request with it
	counts   *counters
	lastOps  []string // the latest operations, for the report of a finding
	requests int
}

// counters number tenants, uploads and requests through one run.
type counters struct{ tenants, uploads, requests atomic.Int64 }

// newWorld opens a platform of the seed in dir.
func newWorld(rt *isolate.Runtime, dir string, seed uint64, entry bool, namespaces []string, f fault) (*world, error) {
	l := newLedger()
	w := &world{model: newModel(), r: rand.New(rand.NewPCG(seed, 1)), ledger: l, entry: entry, counts: &counters{}}
	var err error
	if w.platform, err = openPlatform(rt, dir, entry, f, &watch{ledger: l}); err != nil {
		return nil, err
	}
	for _, n := range namespaces {
		if err := w.createNamespace(n); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	if entry {
		if _, err := w.Deploy(context.Background(), dispatcherRef, dispatcherUpload(namespaces)); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	return w, nil
}

// note keeps the operation for the report of a finding.
func (w *world) note(format string, args ...any) {
	if len(w.lastOps) == 25 {
		w.lastOps = append(w.lastOps[:0], w.lastOps[1:]...)
	}
	w.lastOps = append(w.lastOps, fmt.Sprintf(format, args...))
}

// explain adds to a finding what led to it.
func (w *world) explain(err error) error {
	return fmt.Errorf("%w\nthe operations before:\n  %s", err, strings.Join(w.lastOps, "\n  "))
}

// newVersion draws an upload for the tenant.
func (w *world) newVersion(tenant int) *version {
	return &version{tenant: tenant, serial: int(w.counts.uploads.Add(1)), fresh: w.r.IntN(3) == 0, wasm: w.r.IntN(3) == 0}
}

// newTenant numbers who is about to own ref.
func (w *world) newTenant(ref engine.Ref) int {
	tenant := int(w.counts.tenants.Add(1))
	w.ledger.name(tenant, ref.String())
	return tenant
}

// hostOf returns the host name that leads to ref, and whether the dispatch Worker is asked on
// the way. A plain Worker is reached by its route only; without one nobody is.
func (w *world) hostOf(ref engine.Ref) (host string, caught bool) {
	switch {
	case ref.Namespace == "":
		_, routed := w.routes[patternOf(ref.Script)]
		return ref.Script + ".plain.test", w.entry && !routed
	case w.entry:
		return ref.Script + "." + ref.Namespace + ".test", true
	}
	return ref.Script + ".test", false
}

func patternOf(script string) string { return script + ".plain.test/*" }

// liveAt returns who answers at ref's host.
func (w *world) liveAt(ref engine.Ref) live {
	if _, routed := w.routes[patternOf(ref.Script)]; ref.Namespace == "" && !routed {
		return live{}
	}
	return w.scripts[ref].live()
}

// drawRequest makes a request for whoever answers at ref.
func (w *world) drawRequest(r *rand.Rand, ref engine.Ref, l live) *request {
	host, caught := w.hostOf(ref)
	q := newRequest(r, host, canary{l.tenant, 'r', int(w.counts.requests.Add(1))})
	q.caught = caught
	return q
}

// judge decides whether o can be the outcome of q, given who was live while it ran, the
// earliest first. It returns the index of the first that it fits.
func (w *world) judge(q *request, o outcome, states ...live) (int, error) {
	if _, mortal := kindOf(q.path); mortal && q.path != "memory" { // a guest that catches an allocation's failure lives on
		w.ledger.bury(q.canary.number, "/"+q.path)
	}
	var failed error
	for i, l := range states {
		err := w.match(q, o, l)
		if err == nil {
			return i, nil
		}
		failed = errors.Join(failed, err)
	}
	return 0, fmt.Errorf("%s (request %v, socket %v, cancel %v, part %d): %v\n%w", q.url(), q.canary, q.http, q.cancel, q.part, o, failed)
}

func (w *world) match(q *request, o outcome, l live) error {
	if q.gone(o) {
		return nil
	}
	if w.crowded && (q.failed(o, isolate.ErrReset) || q.path == "stream" && o.torn != nil) {
		return nil
	}
	if len(l.versions) == 0 {
		if q.failed(o, engine.ErrWorkerNotFound) {
			return nil
		}
		return errors.New("nobody is deployed there: want Worker not found")
	}
	if errs, _ := kindOf(q.path); errs != nil {
		for _, err := range errs {
			if q.failed(o, err) {
				return w.checkFault(q, o)
			}
		}
		return fmt.Errorf("want one of the errors %v", errs)
	}
	for _, v := range l.versions {
		if o.mark == v.mark() {
			if err := w.ledger.check(o.header+o.body, v, q.canary.number); err != nil {
				return err
			}
			return q.check(o, v)
		}
	}
	return fmt.Errorf("answered by %q, want one of %d versions of tenant %d", o.mark, len(l.versions), l.tenant)
}

// checkFault looks for what is not this request's own in what a failure says.
func (w *world) checkFault(q *request, o outcome) error {
	text := o.header + o.body
	if o.err != nil {
		text += o.err.Error()
	}
	for _, c := range canariesIn(text) {
		if c != q.canary {
			return fmt.Errorf("leak: the failure of %v shows %v", q.canary, c)
		}
	}
	return nil
}
