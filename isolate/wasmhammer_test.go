package isolate

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"
)

// TestWasmHammer runs calls of every kind at once, some of them killed or left by their client,
// and then wants everything back. Its seed is printed.
func TestWasmHammer(t *testing.T) {
	rt := wasmRuntime(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for _, c := range []struct {
		name, file string
		policy     Policy
	}{
		{"streaming, reuse", "guest/c/example.wasm", PolicyReuse},
		{"streaming, request", "guest/c/example.wasm", PolicyRequest},
		{"inline, reuse", "testdata/inline.wasm", PolicyReuse},
		{"inline, request", "testdata/inline.wasm", PolicyRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			spec := wasmSpec(readFile(t, c.file), c.policy)
			spec.MaxIsolates = 5
			p, err := rt.NewPool(context.Background(), spec)
			if err != nil {
				t.Fatal(err)
			}
			var group sync.WaitGroup
			for i := range 8 {
				h := &hammer{rng: rand.New(rand.NewPCG(seed, uint64(i))), pool: p, t: t}
				group.Go(h.run)
			}
			group.Wait()
			p.Close()
			waitFor(t, "the pool to drain", func() bool { return p.Stats() == PoolStats{} })
			waitFor(t, "its goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
		})
	}
}

type hammer struct {
	rng  *rand.Rand
	pool *Pool
	t    *testing.T
}

// hammerPaths are stories that end; what each may end with besides an answer is in expected.
var hammerPaths = []string{
	"/hello", "/hello", "/echo", "/length", "/mirror", "/stream", "/fetch", "/parallel", "/pass",
	"/upload", "/dispatch/customer", "/dispatch/ghost", "/sleep", "/throw", "/trap", "/spin", "/recurse", "/silent", "/count",
}

func (h *hammer) run() {
	for range 30 {
		h.call()
	}
}

func (h *hammer) call() {
	path := hammerPaths[h.rng.IntN(len(hammerPaths))]
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if h.rng.IntN(4) == 0 {
		time.AfterFunc(time.Duration(h.rng.IntN(20))*time.Millisecond, cancel)
	}
	done := make(chan struct{})
	c := &Call{
		Context: ctx, Host: new(world), Request: wasmRequest("POST", path, streamed(big[:h.rng.IntN(300_000)])),
		Limits: Limits{CPU: 30 * time.Millisecond, Wall: time.Duration(h.rng.IntN(2)*5) * time.Second},
		Done:   func(*Call, Usage) { close(done) },
	}
	r, err := h.pool.Invoke(c)
	switch {
	case err == nil && h.rng.IntN(3) == 0:
		r.Release() // a reader that goes early
	case err == nil:
		answerText(r)
	case !h.expected(err):
		h.t.Errorf("%s: %v", path, err)
	}
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		h.t.Errorf("%s was never done", path)
	}
}

func (h *hammer) expected(err error) bool {
	for _, known := range []error{ErrCPULimit, ErrCanceled, ErrStack, ErrTrap, ErrNoResponse} {
		if errors.Is(err, known) {
			return true
		}
	}
	thrown := (*Exception)(nil)
	return errors.As(err, &thrown)
}

// TestWasmClientGone ends calls that wait for what never comes.
func TestWasmClientGone(t *testing.T) {
	rt := wasmRuntime(t)
	for _, file := range []string{"guest/c/example.wasm", "testdata/inline.wasm"} {
		p := poolOf(t, rt, wasmSpec(readFile(t, file), PolicyReuse))
		for _, path := range []string{"/hang", "/hang/read", "/spin", "/length"} {
			t.Run(file+path, func(t *testing.T) { leaveWhile(t, p, path) })
		}
	}
}

// leaveWhile makes the client go while path runs.
func leaveWhile(t *testing.T, p *Pool, path string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	body := Body{}
	if path == "/length" {
		stalled := newStalled(ctx)
		body = Body{Stream: stalled, Length: -1}
	}
	start := time.Now()
	_, err := p.Invoke(&Call{Context: ctx, Host: new(world), Request: wasmRequest("GET", path, body)})
	if !errors.Is(err, ErrCanceled) {
		t.Errorf("error %v, want %v", err, ErrCanceled)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %v", d)
	}
}

// stalled is a body that sends nothing until its client leaves.
type stalled struct{ context.Context }

func newStalled(ctx context.Context) stalled { return stalled{ctx} }

func (s stalled) Read([]byte) (int, error) {
	<-s.Done()
	return 0, s.Err()
}

func (s stalled) Close() error { return nil }
