package ingress

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchyard/engine"
	"switchyard/isolate"
)

// payload is one raw message of a corpus.
type payload struct {
	ID, Title, Hex, Type, Meta string
	Reject                     bool
	Expect                     [][2]int // h1spec: ranges of status; -1 is none
}

func (p payload) key() string { return p.ID + " " + p.Title }

func corpus(t *testing.T, name string) (all []payload) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "http1", name+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the payloads of %s are not on this machine", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// exceptions reads testdata/corpus.txt: the payloads that we answer otherwise than the corpus
// says, each under the reason why.
func exceptions(t *testing.T) map[string]bool {
	t.Helper()
	raw, err := os.ReadFile("testdata/corpus.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for l := range strings.Lines(string(raw)) {
		if l = strings.TrimSpace(l); l != "" && l[0] != '#' {
			known[l] = false
		}
	}
	return known
}

// replay sends every payload to a server of its own worker and gives check the reply and how
// many requests reached the handler.
func replay(t *testing.T, all []payload, check func(p payload, r reply, calls int)) {
	next := make(chan payload)
	var workers sync.WaitGroup
	for range 16 {
		var calls atomic.Int64
		_, addr := start(t, func(ev *engine.Event) (*isolate.Response, error) {
			calls.Add(1)
			return mirror(ev)
		}, func(o *Options) {
			o.HeaderTimeout, o.BodyTimeout, o.IdleTimeout = 200*time.Millisecond, 200*time.Millisecond, 200*time.Millisecond
		})
		workers.Go(func() {
			for p := range next {
				raw, err := hex.DecodeString(p.Hex)
				if err != nil {
					t.Error(p.key(), err)
					continue
				}
				calls.Store(0)
				r := send(t, addr, string(raw), 2*time.Second)
				check(p, r, int(calls.Load()))
			}
		})
	}
	for _, p := range all {
		next <- p
	}
	close(next)
	workers.Wait()
}

// checkSane holds for every payload: what comes back is whole responses, at most one a
// request, and none after one that closes.
func checkSane(t *testing.T, p payload, r reply, calls int) {
	if len(r.rest) > 0 {
		t.Errorf("%s: garbage came back: %q", p.key(), r.rest)
	}
	refused := 0
	for i, resp := range r.responses {
		if resp.StatusCode >= 400 {
			refused++
		}
		if resp.Close && i < len(r.responses)-1 {
			t.Errorf("%s: a response follows one that closes\n%s", p.key(), r.raw)
		}
	}
	if refused > 1 || r.finals()-refused > calls {
		t.Errorf("%s: %d responses, %d of them refusals, to %d requests", p.key(), r.finals(), refused, calls)
	}
	if !r.closed {
		t.Errorf("%s: the connection stayed open", p.key())
	}
}

// accepted reports whether every request of the payload got a 200.
func accepted(r reply) bool {
	for _, resp := range r.responses {
		if resp.StatusCode >= 400 {
			return false
		}
	}
	return r.finals() > 0
}

func TestCorpora(t *testing.T) {
	known := exceptions(t)
	var mu sync.Mutex
	differs := func(p payload, format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		if _, ok := known[p.key()]; !ok {
			t.Errorf("%s: "+format, append([]any{p.key()}, args...)...)
		}
		known[p.key()] = true
	}
	replay(t, corpus(t, "garden"), func(p payload, r reply, calls int) {
		checkSane(t, p, r, calls)
		if accepted(r) {
			differs(p, "is accepted\n%s", r.raw)
		}
	})
	replay(t, corpus(t, "llhttp"), func(p payload, r reply, calls int) {
		checkSane(t, p, r, calls)
		if p.Reject && accepted(r) {
			differs(p, "is accepted\n%s", r.raw)
		}
		// Most fixtures that llhttp accepts have no Host, which we require, or stop half-way.
		raw, _ := hex.DecodeString(p.Hex)
		hasHost := strings.Contains(strings.ToLower(string(raw)), "\nhost:")
		if s := r.status(); !p.Reject && p.Meta == "request" && hasHost && s >= 400 && s != 408 {
			differs(p, "is refused with %d", s)
		}
	})
	for key, used := range known {
		if !used {
			t.Errorf("testdata/corpus.txt: %q is no exception", key)
		}
	}
}

func TestH1Spec(t *testing.T) {
	replay(t, corpus(t, "h1spec"), func(p payload, r reply, calls int) {
		checkSane(t, p, r, calls)
		for _, want := range p.Expect {
			if s := r.status(); s >= want[0] && s <= want[1] || want[0] == -1 && (s == 0 || s == 408) {
				return
			}
		}
		t.Errorf("%s: status %d, want one of %v\n%s", p.key(), r.status(), p.Expect, r.raw)
	})
}
