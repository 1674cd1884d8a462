package fuzz

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchyard/engine"
	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// faults are platforms with something wrong; a run over one must say so. want is what the
// finding's text has in it.
var faults = []struct {
	name string
	want string
	make fault
}{
	{"answers go to somebody else", "", func(s system) system { return &swapper{system: s} }},
	{"a deploy is lost", "versions and the error", func(s system) system { return &forgetful{system: s} }},
	{"a deleted script still answers", "nobody is deployed", func(s system) system { return &undead{system: s, last: map[string]*isolate.Response{}} }},
	{"state outlives a request", "leak", func(s system) system { return &keeper{system: s} }},
	{"a refused upload is kept", "want a refusal", func(s system) system { return &lenient{system: s} }},
	{"a killed isolate is used again", "leak", func(s system) system { return &gravedigger{system: s} }},
}

// clone copies a response whose body is in memory, so that it can be given out again.
func clone(r *isolate.Response) *isolate.Response {
	return &isolate.Response{Head: bytes.Clone(r.Head), Body: isolate.Body{Bytes: bytes.Clone(r.Body.Bytes)}}
}

// swapper gives every 20th answer to whoever asks next.
type swapper struct {
	system
	calls atomic.Int64
	held  atomic.Pointer[isolate.Response]
}

func (s *swapper) Serve(ev *engine.Event) (*isolate.Response, error) {
	resp, err := s.system.Serve(ev)
	if err != nil || resp.Body.Stream != nil || resp.Head.Status() != 200 {
		return resp, err
	}
	if s.calls.Add(1)%20 == 0 {
		s.held.Store(clone(resp))
	} else if held := s.held.Swap(nil); held != nil {
		resp.Release()
		return held, nil
	}
	return resp, nil
}

// forgetful acknowledges every 6th deploy of a script that is there without making it.
type forgetful struct {
	system
	deploys int
}

func (s *forgetful) Deploy(ctx context.Context, ref engine.Ref, u engine.Upload) (engine.Script, error) {
	if s.deploys++; s.deploys%6 == 0 {
		list, _ := s.Scripts(ref.Namespace)
		for _, old := range list {
			if old.Ref == ref {
				old.Version.Number++
				return old, nil
			}
		}
	}
	return s.system.Deploy(ctx, ref, u)
}

// undead answers for those who are gone as they did when they lived.
type undead struct {
	system
	mu   sync.Mutex
	last map[string]*isolate.Response
}

func (s *undead) Serve(ev *engine.Event) (*isolate.Response, error) {
	resp, err := s.system.Serve(ev)
	s.mu.Lock()
	defer s.mu.Unlock()
	missing := errors.Is(err, engine.ErrWorkerNotFound) || err == nil && string(resp.Body.Bytes) == engine.ErrWorkerNotFound.Error()
	switch last := s.last[ev.Host]; {
	case missing && last != nil:
		return clone(last), nil
	case err == nil && resp.Body.Stream == nil && !missing:
		s.last[ev.Host] = clone(resp)
	}
	return resp, err
}

// keeper runs Workers that want a fresh state in isolates that keep it, and denies it.
type keeper struct{ system }

func (s *keeper) Deploy(ctx context.Context, ref engine.Ref, u engine.Upload) (engine.Script, error) {
	keep(&u)
	return s.system.Deploy(ctx, ref, u)
}

func (s *keeper) AddVersion(ctx context.Context, ref engine.Ref, u engine.Upload) (engine.Version, error) {
	keep(&u)
	return s.system.AddVersion(ctx, ref, u)
}

func (s *keeper) Edit(ctx context.Context, ref engine.Ref, edit func(*engine.Upload) error) (engine.Script, error) {
	return s.system.Edit(ctx, ref, func(u *engine.Upload) error {
		if len(u.CompatibilityFlags) > 0 {
			u.Policy, u.CompatibilityFlags = isolate.PolicyRequest, nil
		}
		u.Modules[0].Source = bytes.Replace(u.Modules[0].Source, []byte("hits = 1"), []byte("hits++"), 1)
		err := edit(u)
		keep(u)
		return err
	})
}

// keep changes the upload's policy, hides its count of requests, and marks it.
func keep(u *engine.Upload) {
	if u.Policy == isolate.PolicyRequest {
		u.Policy, u.CompatibilityFlags = isolate.PolicyReuse, []string{"fresh"}
		u.Modules[0].Source = bytes.Replace(u.Modules[0].Source, []byte("hits++"), []byte("hits = 1"), 1)
	}
}

func (s *keeper) Content(ref engine.Ref) (main string, modules []isolate.Module, err error) {
	main, modules, err = s.system.Content(ref)
	for i, m := range modules {
		modules[i].Source = bytes.Replace(m.Source, []byte("hits = 1"), []byte("hits++"), 1)
	}
	return main, modules, err
}

func (s *keeper) Versions(ref engine.Ref) ([]engine.Version, error) {
	list, err := s.system.Versions(ref)
	for i := range list {
		if len(list[i].CompatibilityFlags) > 0 {
			list[i].Policy = isolate.PolicyRequest
		}
	}
	return list, err
}

// lenient says of what was refused that it went well.
type lenient struct{ system }

func (s *lenient) Deploy(ctx context.Context, ref engine.Ref, u engine.Upload) (engine.Script, error) {
	got, err := s.system.Deploy(ctx, ref, u)
	if refused(err) {
		return engine.Script{}, nil
	}
	return got, err
}

// gravedigger tells the next one who asks a host what the request before it left when it was
// killed, as an isolate would that went on after a kill.
type gravedigger struct {
	system
	mu   sync.Mutex
	left map[string]string // host → canary of the killed request
}

func (s *gravedigger) Serve(ev *engine.Event) (*isolate.Response, error) {
	c := string(ev.Request.Head.Headers().Get("x-canary"))
	killing := bytes.Contains(ev.Request.Head.URL(), []byte("/spin"))
	resp, err := s.system.Serve(ev)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == nil {
		s.left = map[string]string{}
	}
	switch {
	case killing:
		s.left[ev.Host] = c
	case err == nil && resp.Head.Status() == 200 && s.left[ev.Host] != "":
		resp.Head = abi.AppendHeader(bytes.Clone(resp.Head), 0, "x-left", s.left[ev.Host])
	}
	return resp, err
}

// TestFindsFaults: the runs that find nothing would find something.
func TestFindsFaults(t *testing.T) {
	rt := needRuntime(t)
	for i, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			w, err := newWorld(rt, t.TempDir(), uint64(i), i%2 == 0, sequenceNamespaces, f.make)
			if err != nil {
				t.Fatal(err)
			}
			steps, err := sequence(w, 30*time.Second)
			if err == nil {
				t.Fatalf("nothing was found in %d operations", steps)
			}
			finding, _, _ := strings.Cut(err.Error(), "\nthe operations before:")
			if !strings.Contains(finding, f.want) {
				t.Fatalf("another thing was found than %q: %s", f.want, finding)
			}
			t.Logf("after %d operations: %.300s", steps, finding)
		})
	}
}

// hasty acknowledges a deletion before it is made.
type hasty struct {
	system
	late sync.WaitGroup
}

func (s *hasty) DeleteScript(ctx context.Context, ref engine.Ref) error {
	s.late.Go(func() {
		time.Sleep(20 * time.Millisecond)
		s.system.DeleteScript(ctx, ref)
	})
	return nil
}

func (s *hasty) Close() error {
	s.late.Wait()
	return s.system.Close()
}

// TestCrowdFindsFaults is TestFindsFaults for many at once.
func TestCrowdFindsFaults(t *testing.T) {
	rt := needRuntime(t)
	for name, f := range map[string]fault{
		"answers go to somebody else":      func(s system) system { return &swapper{system: s} },
		"a deletion is acknowledged early": func(s system) system { return &hasty{system: s} },
	} {
		t.Run(name, func(t *testing.T) {
			c, err := newCrowd(rt, t.TempDir(), 1, f)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.run(1, 30*time.Second); err == nil {
				t.Fatalf("nothing was found in %d requests", c.asked.Load())
			} else {
				t.Logf("after %d requests: %.300v", c.asked.Load(), err)
			}
		})
	}
}
