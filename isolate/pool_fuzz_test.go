package isolate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// modelPool is what a Pool must be like: no isolate has two calls, one is warm only if it had a call
// of this Pool before, and none that was killed or evicted comes back.
type modelPool struct {
	*Pool
	busy []*Isolate       // acquired and not given back
	had  map[*Isolate]int // calls since it became one of this Pool
}

// FuzzPool lets sequences of acquire, call, kill, reset, evict and close run on two Pools that share
// four isolates, and compares each step with a model. A byte is a step: Pool, operation, which call.
func FuzzPool(f *testing.F) {
	f.Add([]byte{0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11, 0, 0, 1, 1})
	f.Add([]byte{0, 0, 0, 0, 0, 1, 1, 4, 4, 6, 6, 8, 9, 2, 12, 0, 13, 1})
	f.Add([]byte("acquire, call, kill, evict and close"))
	f.Fuzz(func(t *testing.T, steps []byte) {
		rt := fuzzRuntime(t)
		first, second := newModelPool(t, rt, PolicyReuse), newModelPool(t, rt, PolicyRequest)
		pools := []*modelPool{first, second}
		for _, b := range steps[:min(len(steps), 200)] {
			pools[b&1].step(t, int(b>>1)%6)
			pools[b&1].check(t)
		}
		for _, m := range pools {
			m.end(t)
		}
		if n := rt.Stats(); n.Isolates != 0 || n.Reckoned != 0 {
			t.Fatalf("after the Pools were closed there is %+v", n)
		}
	})
}

var fuzzRuntimeOnce = sync.OnceValues(func() (*Runtime, error) { return NewRuntime(Options{most: 4}) })

// fuzzRuntime has room for so few isolates that Pools take each other's.
func fuzzRuntime(t testing.TB) *Runtime {
	rt, err := fuzzRuntimeOnce()
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

func newModelPool(t testing.TB, rt *Runtime, policy Policy) *modelPool {
	t.Helper()
	spec := wasmSpec(readFile(t, "testdata/canary.wasm"), policy)
	spec.MaxIsolates = 3
	p, err := rt.NewPool(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return &modelPool{Pool: p, had: map[*Isolate]int{}}
}

func (m *modelPool) step(t *testing.T, op int) {
	switch op {
	case 0:
		m.take(t)
	case 1, 2, 3: // a call that answers, one that is killed, one that traps
		m.use(t, op)
	case 4:
		if is := m.giveUp(); is != nil { // evicted
			if slices.Contains(m.busy, is) {
				t.Fatal("an isolate with a call was evicted")
			}
			delete(m.had, is)
			is.close()
		}
	case 5:
		m.Close()
	}
}

// take acquires an isolate unless that would wait.
func (m *modelPool) take(t *testing.T) {
	if len(m.busy) == m.spec.MaxIsolates {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // where it had to wait after all
	c := &Call{Context: ctx, Request: wasmRequest("GET", "/", Body{})}
	is, err := m.acquire(c)
	switch {
	case m.mu.closed:
		if !errors.Is(err, ErrClosed) {
			t.Fatalf("a closed Pool gave an isolate: %v", err)
		}
	case errors.Is(err, ErrNoRoom), errors.Is(err, ErrCanceled): // the other Pool has them
	case err != nil:
		t.Fatal(err)
	case slices.Contains(m.busy, is):
		t.Fatal("an isolate was given to two calls")
	case is.dead || is.from != m.snapshot:
		t.Fatal("a dead or foreign isolate was given out")
	case c.Isolate == Warm && m.had[is] == 0:
		t.Fatal("an isolate that had no call is warm")
	default:
		if c.Isolate != Warm {
			delete(m.had, is)
		}
		m.busy = append(m.busy, is)
	}
}

// use lets the isolate that was acquired first run a call that ends as op says.
func (m *modelPool) use(t *testing.T, op int) {
	if len(m.busy) == 0 {
		return
	}
	is := m.busy[0]
	m.busy = m.busy[1:]
	c := &Call{Context: context.Background(), Host: new(fakeHost), Request: wasmRequest("POST", fmt.Sprint("/take/", "ast"[op-1:op]), Body{})}
	if op == 2 {
		c.Limits.CPU = 100 * time.Microsecond
	}
	c.begin(m.Pool)
	r, err := m.guest.invoke(is, c)
	if want := [...]error{nil, ErrCPULimit, ErrTrap}[op-1]; !errors.Is(err, want) {
		t.Fatalf("the call ended with %v, want %v", err, want)
	}
	m.had[is]++
	if err != nil || m.mu.closed {
		delete(m.had, is)
	}
	if err == nil {
		r.Release()
	}
}

// check compares counts. Isolates that the other Pool took leave no trace here but in Idle.
func (m *modelPool) check(t *testing.T) {
	s := m.Stats()
	if s.Calls != len(m.busy) || s.Isolates != s.Idle+len(m.busy) || s.Idle > len(m.had) || s.Isolates > m.spec.MaxIsolates || s.Waiting != 0 {
		t.Fatalf("%+v with %d calls and %d isolates that had one", s, len(m.busy), len(m.had))
	}
}

// end gives everything back and closes.
func (m *modelPool) end(t *testing.T) {
	for len(m.busy) > 0 {
		m.use(t, 1)
	}
	m.Close()
	if !m.mu.drained || m.Stats() != (PoolStats{}) {
		t.Fatalf("after Close: %+v", m.Stats())
	}
}
