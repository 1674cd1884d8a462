package fuzz

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"switchyard/engine"
)

var (
	sequenceNamespaces = []string{"production", "staging"}
	userNames          = []string{"a", "b", "c"}
	plainNames         = []string{"p", "q"}
)

// drawRef draws a script, there or not.
func (w *world) drawRef() engine.Ref {
	if w.r.IntN(5) == 0 {
		return engine.Ref{Script: plainNames[w.r.IntN(len(plainNames))]}
	}
	return engine.Ref{
		Namespace: sequenceNamespaces[w.r.IntN(5)/4], // one is used more than the other
		Script:    userNames[w.r.IntN(len(userNames))],
	}
}

// maxVersions keeps histories short, so that comparing them stays cheap.
const maxVersions = 10

// operations are what a sequence is made of.
var operations = []struct {
	weight int
	do     func(w *world) error
}{
	{64, (*world).askSome},
	{9, func(w *world) error { return w.deploy(w.drawRef()) }},
	{3, func(w *world) error { return w.addVersion(w.drawRef()) }},
	{3, func(w *world) error { return w.edit(w.drawRef(), w.r.IntN(4) == 0) }},
	{4, func(w *world) error { return w.deployBad(w.drawRef()) }},
	{7, func(w *world) error { return w.share(w.drawRef()) }},
	{2, func(w *world) error { return w.deleteScript(w.drawRef()) }},
	{2, (*world).changeNamespace},
	{3, (*world).changeRoute},
	{2, (*world).restartAll},
}

// askSome sends a few requests, one after the other, to one script.
func (w *world) askSome() error {
	ref := w.drawRef()
	if ref.Namespace == "staging" && !w.entry { // nothing leads there
		ref.Namespace = "production"
	}
	for range 1 + w.r.IntN(4) {
		l := w.liveAt(ref)
		q := w.drawRequest(w.r, ref, l)
		w.note("ask %s, socket %v, cancel %v, part %d", q.url(), q.http, q.cancel, q.part)
		w.requests++
		if _, err := w.judge(q, w.ask(q), l); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) changeNamespace() error {
	name := sequenceNamespaces[w.r.IntN(2)]
	if !w.namespaces[name] || w.r.IntN(3) == 0 {
		return w.createNamespace(name)
	}
	return w.deleteNamespace(name)
}

func (w *world) changeRoute() error {
	name := plainNames[w.r.IntN(2)]
	if w.r.IntN(3) == 0 {
		return w.deleteRoute(patternOf(name))
	}
	if w.r.IntN(5) == 0 { // a pattern that leads elsewhere is not ours to ask
		return w.putRoute("other.test/*", name)
	}
	return w.putRoute(patternOf(name), name)
}

// step makes one operation, and compares.
func (w *world) step() error {
	total := 0
	for _, op := range operations {
		total += op.weight
	}
	at := w.r.IntN(total)
	for _, op := range operations {
		if at -= op.weight; at < 0 {
			if err := op.do(w); err != nil {
				return err
			}
			break
		}
	}
	for ref, s := range w.scripts {
		if len(s.versions) >= maxVersions {
			if err := w.deleteScript(ref); err != nil {
				return err
			}
		}
	}
	if err := w.check(w.system); err != nil {
		return err
	}
	if s := w.scripts[w.drawRef()]; s != nil {
		if err := s.checkContent(w.system); err != nil {
			return err
		}
	}
	return w.watch.found()
}

// sequence runs one seed for a while, or until something is found.
func sequence(w *world, d time.Duration) (steps int, err error) {
	for end := time.Now().Add(d); err == nil && time.Now().Before(end); steps++ {
		err = w.step()
	}
	if err != nil {
		err = w.explain(fmt.Errorf("step %d: %w", steps, err))
	}
	return steps, errors.Join(err, w.close())
}

// TestSequence: one operation after the other; after each the platform equals the model.
func TestSequence(t *testing.T) {
	rt := needRuntime(t)
	eachSeed(t, 1800*time.Millisecond, []uint64{1, 2, 3}, func(t *testing.T, seed uint64, d time.Duration) {
		dir := t.TempDir()
		before := measure(t, rt)
		w, err := newWorld(rt, dir, seed, seed%2 == 0, sequenceNamespaces, nil)
		if err != nil {
			t.Fatal(err)
		}
		steps, err := sequence(w, d)
		if err != nil {
			t.Fatal(err)
		}
		before.check(t, rt, dir)
		t.Logf("%d operations, %d requests, %d uploads", steps, w.requests, w.counts.uploads.Load())
	})
}
