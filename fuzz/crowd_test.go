package fuzz

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchyard/engine"
	"switchyard/isolate"
)

// crowd is a run of many at once over one platform: writers, each the only one who changes
// what is in its namespace, rivals, who change the same scripts, and readers, who ask for
// anything. Now and then all of them hold still while the platform restarts.
type crowd struct {
	*world
	clock  atomic.Int64
	tapes  map[engine.Ref]*tape
	gate   sync.RWMutex // held for reading by whoever uses the platform, for writing by a restart
	done   chan struct{}
	failed sync.Once
	err    error
	asked  atomic.Int64
	resets atomic.Int64
}

// tape is who answered for one script, over time:
//
//	clock ──────────────────────────────────────────────────►
//	state 0 ─────────────────────┤
//	                   ├─────────────────────── state 1 ───
//	                   change     change
//	                   begins     acknowledged
//
// A request may be answered by every state that its own time overlaps, and, what one client
// has seen once, not by an earlier one later.
type tape struct {
	box    int // tenant of requests to it
	mu     sync.Mutex
	idle   sync.Cond // no change is under way
	busy   bool
	states []live
	from   []int64
	until  []int64 // 0: not over
}

var (
	crowdNamespaces = []string{"n0", "n1", "n2"}
	crowdNames      = []string{"a", "b"}
)

const rivalNamespace = "rivals"

func newCrowd(rt *isolate.Runtime, dir string, seed uint64, f fault) (*crowd, error) {
	w, err := newWorld(rt, dir, seed, true, append([]string{rivalNamespace}, crowdNamespaces...), f)
	if err != nil {
		return nil, err
	}
	w.crowded = true
	c := &crowd{world: w, tapes: map[engine.Ref]*tape{}, done: make(chan struct{})}
	for _, n := range crowdNamespaces {
		for _, name := range crowdNames {
			ref := engine.Ref{Namespace: n, Script: name}
			t := &tape{box: w.newTenant(ref), states: make([]live, 1), from: make([]int64, 1), until: make([]int64, 1)}
			t.idle.L = &t.mu
			w.ledger.mailbox(t.box)
			c.tapes[ref] = t
		}
	}
	return c, nil
}

// stop ends the run with what was found.
func (c *crowd) stop(err error) {
	c.failed.Do(func() {
		c.err = err
		close(c.done)
	})
}

func (c *crowd) over() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// change does op, which may change who answers for refs, in the writer's world.
func (c *crowd) change(w *world, op func() error, refs ...engine.Ref) error {
	c.gate.RLock()
	defer c.gate.RUnlock()
	began := c.clock.Add(1)
	for _, ref := range refs {
		t := c.tapes[ref]
		t.mu.Lock()
		t.busy = true
		t.mu.Unlock()
	}
	err := op()
	now := c.clock.Add(1)
	for _, ref := range refs {
		c.tapes[ref].record(w.liveAt(ref), began, now)
	}
	return err
}

func (t *tape) record(l live, began, now int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.until[len(t.until)-1] = now
	t.states, t.from, t.until = append(t.states, l), append(t.from, began), append(t.until, 0)
	t.busy = false
	t.idle.Broadcast()
}

// between returns the states that a request of that time may have met, from the floor on, and
// the index of the first.
func (t *tape) between(began, ended int64, floor int) ([]live, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.busy {
		t.idle.Wait()
	}
	first, last := -1, -1
	for i := floor; i < len(t.states); i++ {
		if t.from[i] <= ended && (t.until[i] == 0 || t.until[i] >= began) {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	return t.states[first : last+1], first
}

// write is a writer's goroutine: run starts it and waits for it.
func (c *crowd) write(namespace string, seed uint64) error {
	w := &world{platform: c.platform, model: newModel(), r: rand.New(rand.NewPCG(seed, 2)), ledger: c.ledger, entry: true, counts: c.counts}
	w.namespaces[namespace] = true
	all := []engine.Ref{{Namespace: namespace, Script: crowdNames[0]}, {Namespace: namespace, Script: crowdNames[1]}}
	for !c.over() {
		ref := all[w.r.IntN(2)]
		op := func() error { return w.deploy(ref) }
		refs := []engine.Ref{ref}
		switch n := w.r.IntN(20); {
		case n < 3:
			op = func() error { return w.share(ref) }
		case n < 5:
			op = func() error { return w.edit(ref, false) }
		case n == 5 || w.scripts[ref] != nil && len(w.scripts[ref].versions) > maxVersions:
			op = func() error { return w.deleteScript(ref) }
		case n == 6:
			op = func() error { return w.deployBad(ref) }
		case n == 7:
			op, refs = func() error { return w.deleteNamespace(namespace) }, all
		case n == 8:
			op = func() error { return w.addVersion(ref) }
		}
		if !w.namespaces[namespace] {
			op = func() error { return w.createNamespace(namespace) }
		}
		if err := c.change(w, op, refs...); err != nil {
			return w.explain(fmt.Errorf("writer of %s: %w", namespace, err))
		}
		if err := c.compare(w, namespace); err != nil {
			return w.explain(fmt.Errorf("writer of %s: %w", namespace, err))
		}
		time.Sleep(time.Duration(w.r.IntN(40)) * time.Millisecond)
	}
	return nil
}

// compare holds a writer's namespace, which nobody else changes, against its model.
func (c *crowd) compare(w *world, namespace string) error {
	c.gate.RLock()
	defer c.gate.RUnlock()
	if !w.namespaces[namespace] {
		_, err := w.Scripts(namespace)
		return expect(err, engine.ErrNamespaceNotFound)
	}
	return w.checkScripts(w.system, namespace)
}

// asked is one request of a reader, to be judged once the changes beside it are acknowledged.
type asked struct {
	ref          engine.Ref
	q            *request
	o            outcome
	began, ended int64
}

// read is a reader's goroutine: run starts it and waits for it.
func (c *crowd) read(seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 3))
	floors := map[engine.Ref]int{}
	for !c.over() {
		var burst []asked
		for range 1 + r.IntN(16) {
			burst = append(burst, c.askOne(r))
		}
		for i := range burst {
			if err := c.judgeOne(&burst[i], floors); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *crowd) askOne(r *rand.Rand) asked {
	ref := engine.Ref{Namespace: crowdNamespaces[r.IntN(3)], Script: crowdNames[r.IntN(2)]}
	a := asked{ref: ref, q: c.drawRequest(r, ref, live{tenant: c.tapes[ref].box})}
	c.gate.RLock()
	defer c.gate.RUnlock()
	a.began = c.clock.Add(1)
	a.o = c.ask(a.q)
	a.ended = c.clock.Add(1)
	return a
}

// judgeOne judges one answer, and raises the reader's floor to what it has seen.
func (c *crowd) judgeOne(a *asked, floors map[engine.Ref]int) error {
	c.asked.Add(1)
	states, first := c.tapes[a.ref].between(a.began, a.ended, floors[a.ref])
	i, err := c.judge(a.q, a.o, states...)
	switch {
	case err != nil:
		return fmt.Errorf("a request that met %d states: %w", len(states), err)
	case a.q.failed(a.o, isolate.ErrReset):
		c.resets.Add(1)
	case !a.q.gone(a.o):
		floors[a.ref] = first + i
	}
	return nil
}

// rival is a goroutine that changes scripts which others change too, so that it can tell only
// what may not go wrong: run starts it and waits for it.
func (c *crowd) rival(seed uint64) error {
	w := &world{platform: c.platform, model: newModel(), r: rand.New(rand.NewPCG(seed, 4)), ledger: c.ledger, entry: true, counts: c.counts}
	for !c.over() {
		ref := engine.Ref{Namespace: rivalNamespace, Script: crowdNames[w.r.IntN(2)]}
		if err := c.quarrel(w, ref); err != nil && !errors.Is(err, engine.ErrScriptNotFound) && !errors.Is(err, engine.ErrVersionNotFound) {
			return fmt.Errorf("rivals of %v: %w", ref, err)
		}
		time.Sleep(time.Duration(w.r.IntN(80)) * time.Millisecond)
	}
	return nil
}

func (c *crowd) quarrel(w *world, ref engine.Ref) error {
	c.gate.RLock()
	defer c.gate.RUnlock()
	u := w.newVersion(w.newTenant(ref)).upload()
	switch w.r.IntN(6) {
	case 0:
		return w.DeleteScript(background, ref)
	case 1:
		_, err := w.AddVersion(background, ref, u)
		return err
	case 2:
		_, err := w.Edit(background, ref, func(old *engine.Upload) error { *old = u; return nil })
		return err
	case 3:
		versions, err := w.Versions(ref)
		if err == nil {
			_, err = w.AddDeployment(background, ref, []engine.Share{{Version: versions[len(versions)-1].ID, Percent: 100}}, nil)
		}
		return err
	default:
		_, err := w.Deploy(background, ref, u)
		return err
	}
}

// settled checks what the rivals left: numbers without a gap or a double, and a deployment of
// versions that are there.
func (c *crowd) settled() error {
	scripts, err := c.Scripts(rivalNamespace)
	if err != nil {
		return err
	}
	for _, s := range scripts {
		versions, err := c.Versions(s.Ref)
		if err != nil {
			return err
		}
		known := map[string]bool{}
		for i, v := range versions {
			if known[v.ID] = true; v.Number != len(versions)-i {
				return fmt.Errorf("%v: version %d of %d has the number %d", s.Ref, len(versions)-i, len(versions), v.Number)
			}
		}
		for _, sh := range s.Deployment.Shares {
			if !known[sh.Version] {
				return fmt.Errorf("%v: its traffic goes to %s, which is not one of its versions", s.Ref, sh.Version)
			}
		}
	}
	return nil
}

// disturb restarts the platform now and then; run starts it and waits for it.
func (c *crowd) disturb() error {
	for {
		select {
		case <-c.done:
			return nil
		case <-time.After(700 * time.Millisecond):
		}
		c.gate.Lock()
		err := c.restart()
		if err == nil {
			err = c.settled()
		}
		c.gate.Unlock()
		if err == nil {
			err = c.watch.found()
		}
		if err != nil {
			return err
		}
	}
}

// run lets all of them loose for a while, or until something is found.
func (c *crowd) run(seed uint64, d time.Duration) error {
	var all sync.WaitGroup
	start := func(f func() error) {
		all.Go(func() {
			if err := f(); err != nil {
				c.stop(err)
			}
		})
	}
	for i, n := range crowdNamespaces {
		start(func() error { return c.write(n, seed+uint64(i)) })
	}
	for i := range 8 {
		start(func() error { return c.read(seed + uint64(i)) })
	}
	for i := range 2 {
		start(func() error { return c.rival(seed + uint64(i)) })
	}
	start(c.disturb)
	timer := time.AfterFunc(d, func() { c.stop(nil) })
	all.Wait()
	timer.Stop()
	return errors.Join(c.err, c.settled(), c.close(), c.watch.found())
}

// TestCrowd: whoever asks while others deploy, delete, kill and restart gets an answer that
// was right at some moment while it waited.
func TestCrowd(t *testing.T) {
	rt := needRuntime(t)
	eachSeed(t, 2*time.Second, []uint64{1}, func(t *testing.T, seed uint64, d time.Duration) {
		dir := t.TempDir()
		before := measure(t, rt)
		c, err := newCrowd(rt, dir, seed, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.run(seed, d); err != nil {
			t.Fatal(err)
		}
		before.check(t, rt, dir)
		t.Logf("%d requests, %d of them reset by a neighbour's kill, %d uploads", c.asked.Load(), c.resets.Load(), c.counts.uploads.Load())
	})
}
