package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"switchyard/isolate"
)

// pools keeps the versions that are ready to run: made at deploy time, or from the store at a
// version's first request after a start, and put away again when too many are kept.
//
//	cold ──first request──► building ──► loaded ──too many, replaced, deleted──► retired
//	  ▲                        │ failed
//	  └──── back-off ends ─────┘ (requests until then get the same error at once)
type pools struct {
	runtime           runtime
	recipe            func(v *version, frozen []byte) (*recipe, error) // of frozen where it is not nil
	freezer           freezer
	thawed, evaluated atomic.Uint64 // cold starts from a snapshot, and from modules
	logger            *slog.Logger
	max               int
	builds            chan struct{} // one element a version being made for a request
	deploys           chan struct{} // one element a version being made for a deploy: they cannot hold up requests
	closing           context.Context
	cancel            context.CancelFunc
	building          sync.WaitGroup // goroutines of flights; close waits for them

	mu struct {
		sync.Mutex
		loaded   map[*version]struct{}
		flights  map[*version]*flight
		prepared map[string]*loaded // made by a deploy that is being written, by version id
		closed   bool
	}
}

// recipe is what a version is made from.
type recipe struct {
	spec     isolate.Spec
	targets  []target
	limits   isolate.Limits // loaded.limits
	egress   *EgressPolicy  // loaded.egress
	defaults *isolate.Limits
	observed observed
}

// flight is one version being made for the requests that wait for it.
type flight struct {
	done   chan struct{}
	loaded *loaded // nil without err: the version is not wanted any more
	err    error
}

// failure is why a version could not be made, and how long that is taken for granted.
type failure struct {
	err   error
	until time.Time
	delay time.Duration
}

const (
	concurrentBuilds = 2
	maxFlights       = 4096
	firstBackOff     = time.Second
	lastBackOff      = time.Minute
)

func newPools(rt runtime, r func(*version, []byte) (*recipe, error), most int, logger *slog.Logger) *pools {
	p := &pools{runtime: rt, recipe: r, logger: logger, max: most}
	p.builds = make(chan struct{}, concurrentBuilds)
	p.deploys = make(chan struct{}, concurrentBuilds)
	p.closing, p.cancel = context.WithCancel(context.Background())
	p.mu.loaded = map[*version]struct{}{}
	p.mu.flights = map[*version]*flight{}
	p.mu.prepared = map[string]*loaded{}
	return p
}

// load returns v ready to run, making it first when it is cold. It returns nil without an
// error when v was replaced meanwhile.
func (p *pools) load(ctx context.Context, v *version) (*loaded, error) {
	f, err := p.join(v)
	if err != nil {
		return nil, err
	}
	select {
	case <-f.done:
		return f.loaded, f.err
	case <-ctx.Done():
		return nil, isolate.ErrCanceled
	}
}

// join finds the flight of v, or starts one.
func (p *pools) join(v *version) (*flight, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := v.loaded.Load(); l != nil {
		return landed(l), nil
	}
	if !v.script.state.Load().wants(v) {
		return landed(nil), nil
	}
	if f := p.mu.flights[v]; f != nil {
		return f, nil
	}
	if failed := v.failure.Load(); failed != nil && time.Now().Before(failed.until) {
		return nil, failed.err
	}
	if p.mu.closed {
		return nil, ErrUnavailable
	}
	if len(p.mu.flights) >= maxFlights {
		return nil, isolate.ErrBusy
	}
	f := &flight{done: make(chan struct{})}
	p.mu.flights[v] = f
	p.building.Add(1)
	go p.fly(v, f)
	return f, nil
}

func landed(l *loaded) *flight {
	f := &flight{done: make(chan struct{}), loaded: l}
	close(f.done)
	return f
}

// fly is a flight's goroutine. join starts it, it ends by itself, close waits for it.
func (p *pools) fly(v *version, f *flight) {
	defer p.building.Done()
	l, evaluated, err := p.build(v)
	p.mu.Lock()
	delete(p.mu.flights, v)
	wanted := v.script.state.Load().wants(v) && !p.mu.closed
	var victims []*loaded
	switch {
	case err != nil && wanted && deleted(err):
		f.err = ErrWorkerNotFound
	case err != nil && wanted:
		f.err = err
		p.failed(v, err)
	case err == nil && wanted:
		f.loaded = l
		v.failure.Store(nil)
		victims = p.installLocked(v, l)
	case err == nil:
		victims = append(victims, l)
	}
	p.mu.Unlock()
	close(f.done)
	if f.loaded != nil && evaluated {
		p.freezer.keep(v.id, l)
	}
	retireAll(victims)
}

// deleted reports whether err is that of a version that the store has no more: its script is
// being deleted, and will be gone from the catalog in a moment.
func deleted(err error) bool {
	return errors.Is(err, ErrVersionNotFound) || errors.Is(err, ErrScriptNotFound)
}

func (p *pools) failed(v *version, err error) {
	delay := firstBackOff
	if last := v.failure.Load(); last != nil {
		delay = min(2*last.delay, lastBackOff)
	}
	v.failure.Store(&failure{err, time.Now().Add(delay), delay})
	p.logger.Warn("engine: version cannot be loaded", "script", v.script.ref().String(), "version", v.id, "error", err, "retry", delay)
}

// make makes a version ready to run, when it gets a place in turn.
func (p *pools) make(ctx context.Context, turn chan struct{}, r *recipe) (*loaded, error) {
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var made pool = noWorker{}
	var err error
	if r.spec.Main != "" {
		made, err = p.runtime.NewPool(ctx, &r.spec)
	}
	if err != nil {
		return nil, err
	}
	return &loaded{pool: made, targets: r.targets, limits: r.limits, egress: r.egress, defaults: r.defaults, memory: r.spec.Memory, observed: r.observed}, nil
}

// installLocked makes l what v runs in, and returns what has to go for it: more than one while the
// versions' snapshots take too much memory, so that they get fewer with each that comes.
func (p *pools) installLocked(v *version, l *loaded) (victims []*loaded) {
	if !l.settle(v.script.terms.Load()) { // its memory changed meanwhile: the next request makes it again
		return append(victims, l)
	}
	v.loaded.Store(l)
	p.mu.loaded[v] = struct{}{}
	excess := len(p.mu.loaded) - p.max
	if p.runtime.Crowded() {
		excess = max(excess, goWhenCrowded)
	}
	for range excess {
		oldest := p.oldestLocked(v)
		if oldest == nil {
			break
		}
		victims = append(victims, p.removeLocked(oldest))
	}
	return victims
}

const goWhenCrowded = 2

// oldestLocked is the version but for v that was used the longest time ago.
func (p *pools) oldestLocked(v *version) (oldest *version) {
	for o := range p.mu.loaded {
		if o != v && (oldest == nil || o.loaded.Load().used.Load() < oldest.loaded.Load().used.Load()) {
			oldest = o
		}
	}
	return oldest
}

func retireAll(list []*loaded) {
	for _, l := range list {
		l.retire()
	}
}

func (p *pools) removeLocked(v *version) *loaded {
	delete(p.mu.loaded, v)
	return v.loaded.Swap(nil)
}

// prepare keeps what a deploy has made until its version is published, or forget.
func (p *pools) prepare(versionID string, l *loaded) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.prepared[versionID] = l
}

// forget drops what was prepared for a version that was not published.
func (p *pools) forget(versionID string) {
	p.mu.Lock()
	l := p.mu.prepared[versionID]
	delete(p.mu.prepared, versionID)
	p.mu.Unlock()
	if l != nil {
		l.retire()
	}
}

// adopt gives v what was prepared for it, if anything was. now is the number of the latest
// request, so that it does not look long unused.
func (p *pools) adopt(v *version, now uint64) {
	p.mu.Lock()
	l := p.mu.prepared[v.id]
	delete(p.mu.prepared, v.id)
	var victims []*loaded
	if l != nil {
		l.used.Store(now)
		victims = p.installLocked(v, l)
	}
	p.mu.Unlock()
	retireAll(victims)
}

// retire puts v away. Calls inside it end as they would.
func (p *pools) retire(v *version) {
	p.mu.Lock()
	l := p.removeLocked(v)
	p.mu.Unlock()
	if l != nil {
		l.retire()
	}
}

// settle makes what is loaded of s go by its terms. A version whose memory they change is put away.
func (p *pools) settle(s *script) {
	var victims []*loaded
	p.mu.Lock()
	for _, v := range s.state.Load().versions() {
		if l := v.loaded.Load(); l != nil && !l.settle(s.terms.Load()) {
			victims = append(victims, p.removeLocked(v))
		}
	}
	p.mu.Unlock()
	retireAll(victims)
}

func (p *pools) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.mu.loaded)
}

// calls is how many calls there are inside the pools, those that have answered included.
func (p *pools) calls() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for v := range p.mu.loaded {
		if l := v.loaded.Load(); l != nil {
			n += l.pool.Stats().Calls
		}
	}
	return n
}

// close lets nothing be made any more and puts everything away.
func (p *pools) close() {
	p.mu.Lock()
	p.mu.closed = true
	p.mu.Unlock()
	p.cancel()
	p.building.Wait()
	p.mu.Lock()
	var all []*loaded
	for v := range p.mu.loaded {
		all = append(all, p.removeLocked(v))
	}
	p.mu.Unlock()
	retireAll(all)
}
