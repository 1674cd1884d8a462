//go:build linux && !plainmemory

package isolate

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/api"
	"golang.org/x/sys/unix"
)

// canaryMark begins every canary; the tenant's number and the planting's follow, 4 bytes each.
var canaryMark = []byte("\xc5\xec\x2e\x7e\xa5\x0f\x13\xd7")

const canaryBytes = 16

// aviary is what the canaries are kept by: which tenant had each isolate last, what it left there,
// and whether that isolate may ever be seen again.
type aviary struct {
	seed     uint64
	sabotage func(is *Isolate) // breaks what resets rely on; nil: nothing
	undead   bool              // breaks what isolates are discarded by

	planted, reuses, moved, scans, calls atomic.Int64
	mu                                   struct {
		sync.Mutex
		lives map[*Isolate]*life
		leak  error // the first one
	}
}

// life is of one isolate, and belongs to who has its turn.
type life struct {
	owner   *Pool
	memory  []byte // whole, whatever the isolate believes
	globals []api.MutableGlobal
	dirty   api.MutableGlobal
	places  []int // offsets in its memory at which something was planted
	unknown bool  // something lies elsewhere too
	tables  bool  // they were changed: none but its owner may have it
	retired bool
}

func newAviary(sabotage func(*Isolate)) *aviary {
	a := &aviary{seed: uint64(time.Now().UnixNano()), sabotage: sabotage}
	a.mu.lives = map[*Isolate]*life{}
	return a
}

func (a *aviary) leaked(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.leak == nil {
		a.mu.leak = fmt.Errorf(format, args...)
	}
}

// found is the first leak.
func (a *aviary) found() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.mu.leak
}

func (a *aviary) lifeOf(is *Isolate) (l *life, seen bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l, seen = a.mu.lives[is]; !seen {
		l = &life{memory: is.memory.bytes, globals: is.globals, dirty: is.dirty}
		a.mu.lives[is] = l
	}
	return l, seen
}

// sweep forgets closed isolates. Nothing may run.
func (a *aviary) sweep() {
	for is := range a.mu.lives {
		if is.instance == nil {
			delete(a.mu.lives, is)
		}
	}
}

// canaryGuest is a Pool's guest that looks through the isolate that it was given as the next tenant
// would, and then writes what a hostile one could, anywhere: a million times, because it runs no code
// for that; now and then it makes a real call instead. How isolates are reset, re-skinned, given up
// and kept is the real guest's and the Pool's.
type canaryGuest struct {
	*aviary
	pool   *Pool
	tenant uint32
	real   guest
	ends   []canaryEnd
	rng    func() *rand.Rand
}

func (g *canaryGuest) invoke(is *Isolate, c *Call) (*Response, error) {
	is.turn.Lock() // wasm calls do without
	l, seen := g.lifeOf(is)
	rng := g.rng()
	if seen {
		g.reuses.Add(1)
		g.inspect(is, l, rng)
	} else if g.sabotage != nil {
		g.sabotage(is)
	}
	clean := !seen || l.owner != g.pool || g.pool.spec.Policy == PolicyRequest
	l.owner = g.pool
	if clean && rng.IntN(64) == 0 {
		g.call(is, l, c, rng)
		return nil, ErrNoResponse
	}
	g.plant(is, l, rng)
	c.state.is, c.state.id = is, is.nextID()
	l.retired = g.end(is, l, rng)
	c.fail(ErrNoResponse)
	r, err := c.deliver()
	switch real := g.real.(type) {
	case jsGuest:
		real.leave(c)
	case *wasmGuest:
		is.turn.Unlock()
		real.leave(is, c)
	}
	return r, err
}

// inspect is the next owner's look at all that there is.
func (g *canaryGuest) inspect(is *Isolate, l *life, rng *rand.Rand) {
	if l.retired || is.instance == nil {
		g.leaked("an isolate is used again that had to be discarded")
		return
	}
	moved := l.owner != g.pool
	if moved {
		g.moved.Add(1)
	}
	if is.from != g.pool.snapshot {
		g.leaked("the isolate is not a clone of its pool's snapshot")
	}
	if !moved && g.pool.spec.Policy == PolicyReuse {
		return // all that it finds is its own
	}
	if l.tables {
		g.leaked("an isolate whose tables were changed is used again")
	}
	for _, at := range l.places {
		if bytes.Equal(l.memory[at:at+len(canaryMark)], canaryMark) {
			g.leaked("a canary of tenant %d is readable at %d by tenant %d", binary.LittleEndian.Uint32(l.memory[at+8:]), at, g.tenant)
		}
	}
	l.places = l.places[:0]
	for i, v := range l.globals {
		if v.Get() != is.from.globals[i] {
			g.leaked("global %s is %#x, in the snapshot it is %#x", is.module.rewritten.Globals[i], v.Get(), is.from.globals[i])
		}
	}
	if moved && (is.names != nil || len(is.log.line) > 0 || is.stack != [4]uint64{}) {
		g.leaked("the host kept another tenant's names, log or arguments")
	}
	if l.unknown || rng.IntN(512) == 0 {
		l.unknown = false
		g.scans.Add(1)
		if at := bytes.Index(l.memory, canaryMark); at >= 0 {
			g.leaked("tenant %d finds a canary at %d, where none was planted", g.tenant, at)
		}
	}
}

// plant writes canaries into pages of the snapshot, behind it, at both ends of the reservation, into
// every global and what the host keeps; and has some of it paged out.
func (g *canaryGuest) plant(is *Isolate, l *life, rng *rand.Rand) {
	mem := l.memory
	most := 1 + rng.IntN(6)
	if rng.IntN(100) == 0 {
		most = 400 // more regions than one scan finds
	}
	for range most {
		at := rng.IntN(len(mem) - canaryBytes)
		switch rng.IntN(8) {
		case 0:
			at = len(mem) - canaryBytes - rng.IntN(pageSize-canaryBytes)
		case 1:
			at = rng.IntN(pageSize)
		case 2, 3, 4:
			at = rng.IntN(is.from.image.size - canaryBytes)
		}
		copy(mem[at:], canaryMark)
		binary.LittleEndian.PutUint32(mem[at+8:], g.tenant)
		binary.LittleEndian.PutUint32(mem[at+12:], uint32(g.planted.Add(1)))
		l.places = append(l.places, at)
		if page := at &^ (pageSize - 1); rng.IntN(16) == 0 {
			unix.Madvise(mem[page:page+pageSize], unix.MADV_PAGEOUT)
		}
	}
	for i, v := range l.globals {
		v.Set(is.from.globals[i] ^ 0x5eca7e)
	}
	if is.pages != nil {
		is.pages.Set(uint64(len(mem) / wasmPage)) // it grew to its maximum
	}
	is.stack = [4]uint64{uint64(g.tenant) + 1, 2, 3, 4}
	is.log.line = append(is.log.line[:0], canaryMark...)
	is.names = new(nameCache)
}

// end lets the tenant's call end, and says whether the isolate must not be seen again. How a guest's
// end makes its isolate dead, only real calls show.
func (g *canaryGuest) end(is *Isolate, l *life, rng *rand.Rand) (retired bool) {
	switch rng.IntN(24) {
	case 0: // killed, trapped, host panic, abandoned
		is.dead = !g.undead
		return true
	case 1: // known when the isolate is reset, or becomes another's
		if l.dirty != nil {
			l.dirty.Set(1)
			l.tables = true
		}
	}
	return false
}

// canaryReuses is how many reuses a canary test makes.
func canaryReuses(t *testing.T) int64 {
	n, err := strconv.ParseInt(os.Getenv("SWITCHYARD_CANARY"), 10, 64)
	if err != nil {
		n = 20_000
	}
	if testing.Short() || raceEnabled {
		n = min(n, 2_000)
	}
	return n
}

// tenants are Pools of both policies and kinds whose guests are canaries. The wasm ones share a
// module, as tenants with the same upload do.
func (a *aviary) tenants(t *testing.T, rt *Runtime, kind string) []*Pool {
	var pools []*Pool
	for i := range 6 {
		spec, _ := tenant(i)
		spec.Modules[0].Source = append(spec.Modules[0].Source[:bytes.Index(spec.Modules[0].Source, []byte("let n"))], canaryScript...)
		if kind == "wasm" {
			spec = wasmSpec(readFile(t, "testdata/canary.wasm"), PolicyReuse)
			spec.Memory = 2 << 20
		}
		spec.Policy, spec.Suspended = Policy(i%2), 1 // planting is too rude for a call beside it
		p := poolOf(t, rt, spec)
		var lock sync.Mutex
		source := rand.New(rand.NewPCG(a.seed, uint64(i)))
		fresh := func() *rand.Rand {
			lock.Lock()
			defer lock.Unlock()
			return rand.New(rand.NewPCG(source.Uint64(), 1))
		}
		p.guest = &canaryGuest{aviary: a, pool: p, tenant: uint32(i), real: p.guest, ends: canaryEnds[kind], rng: fresh}
		pools = append(pools, p)
	}
	return pools
}

// fly makes calls, some at a time, until there were so many reuses or a leak was found.
func (a *aviary) fly(pools []*Pool, reuses int64) error {
	for batch := uint64(0); a.reuses.Load() < reuses && a.found() == nil; batch++ {
		var all sync.WaitGroup
		for n := range 3 {
			all.Go(func() {
				rng := rand.New(rand.NewPCG(a.seed, batch<<8|uint64(n)|1<<63))
				for range 200 {
					p := pools[rng.IntN(len(pools))]
					for range 1 + rng.IntN(4) {
						c := &Call{Context: context.Background(), Host: new(fakeHost), Request: testRequest("GET", "http://a.test/", "")}
						if _, err := p.Invoke(c); !errors.Is(err, ErrNoResponse) && !errors.Is(err, ErrNoRoom) {
							a.leaked("a call ended with %v", err)
						}
					}
				}
			})
		}
		all.Wait()
		a.sweep()
	}
	return a.found()
}

// canaryRuntime has room for so few isolates that tenants take each other's.
func canaryRuntime(t *testing.T, method resetMethod) *Runtime {
	return smallRuntime(t, Options{most: 4, Memory: 16 << 20, reset: method, Logger: slog.New(slog.DiscardHandler)})
}

// TestCanary: nothing that one tenant wrote anywhere is there for the next one, through resets,
// re-skins, kills and evictions. SWITCHYARD_CANARY is how many reuses it makes (make canary).
func TestCanary(t *testing.T) {
	for _, kind := range []string{"wasm", "js"} {
		t.Run(kind, func(t *testing.T) {
			eachMethod(t, func(t *testing.T, method resetMethod) {
				a := newAviary(nil)
				t.Logf("seed %d", a.seed)
				want := canaryReuses(t) / 2
				if method != pagemap.method {
					want /= 20 // those are for old kernels, and slow
				}
				if err := a.fly(a.tenants(t, canaryRuntime(t, method), kind), want); err != nil {
					t.Errorf("after %d reuses: %v", a.reuses.Load(), err)
				}
				t.Logf("%d reuses, %d of them by another tenant; %d canaries, %d real calls, %d scans of all memory",
					a.reuses.Load(), a.moved.Load(), a.planted.Load(), a.calls.Load(), a.scans.Load())
				if a.moved.Load() == 0 || want >= 5_000 && (a.scans.Load() == 0 || a.calls.Load() == 0) { // one in 512 and in 64
					t.Error("the canary tried too little")
				}
			})
		})
	}
}

// TestCanaryDies: the same test finds an isolate core that is broken in one place.
func TestCanaryDies(t *testing.T) {
	if raceEnabled {
		t.Skip("TestCanary is the same")
	}
	if pagemap.method != resetScan {
		t.Skip(pagemap.err)
	}
	for _, c := range []struct {
		name     string
		sabotage func(is *Isolate)
		undead   bool
	}{
		{"the last page is not reset", func(is *Isolate) { is.memory.bytes = is.memory.bytes[:len(is.memory.bytes)-pageSize] }, false},
		{"only the snapshot's size is reset", func(is *Isolate) { is.memory.bytes = is.memory.bytes[:is.from.image.size] }, false},
		{"a global is not restored", func(is *Isolate) { is.globals = is.globals[:len(is.globals)-1] }, false},
		{"changed tables go unnoticed", func(is *Isolate) { is.dirty = nil }, false},
		{"a dead isolate is kept", func(is *Isolate) {}, true},
	} {
		for _, kind := range []string{"wasm", "js"} {
			if kind == "js" && strings.Contains(c.name, "tables") {
				continue // the engine's never change
			}
			t.Run(kind+"/"+c.name, func(t *testing.T) {
				a := newAviary(c.sabotage)
				a.undead = c.undead
				t.Logf("seed %d", a.seed)
				pools := a.tenants(t, canaryRuntime(t, resetScan), kind)
				if err := a.fly(pools, 20_000); err == nil {
					t.Errorf("not found in %d reuses", a.reuses.Load())
				} else {
					t.Logf("found after %d reuses: %v", a.reuses.Load(), err)
				}
			})
		}
	}
}
