package engine

import (
	"fmt"
	goruntime "runtime"
	"sync"
	"testing"
	"time"

	"switchyard/engine/store"
)

// fillStore writes n scripts of one version each, as deploys would have.
func fillStore(t testing.TB, dir string, n int) {
	st, err := store.Open(store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	source := []byte("say hello")
	hash, err := st.PutBlob(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	changes := []store.Change{store.PutNamespace(now, store.Namespace{ID: newID(), Name: "production", Created: now, Modified: now})}
	ns := changes[0].Namespace.ID
	for i := range n {
		s := store.Script{ID: newID(), NamespaceID: ns, Name: fmt.Sprint("s", i), Created: now, Modified: now, NextVersion: 2}
		v := store.Version{
			ID: newID(), ScriptID: s.ID, NamespaceID: ns, Number: 1, Created: now, Main: "index.js", Policy: "reuse",
			Modules: []store.Module{{Name: "index.js", Kind: "es", Hash: hash, Size: int64(len(source))}},
		}
		d := store.Deployment{ID: newID(), ScriptID: s.ID, NamespaceID: ns, Created: now, Shares: []store.Share{{Version: v.ID, Percent: 100}}}
		changes = append(changes, store.PutScript(now, s), store.AddVersion(now, v), store.AddDeployment(now, d))
		if len(changes) > 3000 || i == n-1 {
			if err := st.Apply(t.Context(), changes...); err != nil {
				t.Fatal(err)
			}
			changes = changes[:0]
		}
	}
}

// BenchmarkOpen is a start with many scripts: how long, and what one of them costs in memory.
func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := b.TempDir()
			fillStore(b, dir, n)
			for b.Loop() {
				before := heap()
				p := openPlatform(b, func(o *Options) { o.Dir = dir })
				b.ReportMetric(float64(heap()-before)/float64(n), "B/script")
				p.want(fmt.Sprintf("http://s%d.test/", n-1), "hello")
				if err := p.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func heap() uint64 {
	var m goruntime.MemStats
	goruntime.GC()
	goruntime.GC()
	goruntime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestOpenManyScripts(t *testing.T) {
	dir := t.TempDir()
	fillStore(t, dir, 2000)
	p := openPlatform(t, func(o *Options) { o.Dir = dir })
	p.want("http://s1999.test/", "hello")
	if scripts, err := p.Scripts("production"); err != nil || len(scripts) != 2000 {
		t.Errorf("%d scripts, %v", len(scripts), err)
	}
	if n := p.rt.builds(); n != 1 {
		t.Errorf("%d versions were made, want the one that was asked for", n)
	}
}

func TestScriptTable(t *testing.T) {
	table := newScriptTable(scriptName)
	model := map[string]*script{}
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				name := fmt.Sprint("s", i%500)
				if s := table.get(name); s != nil && s.name != name {
					t.Errorf("%s leads to %s", name, s.name)
				}
			}
		})
	}
	for i := range 3000 {
		s := &script{name: fmt.Sprint("s", i*7%500)}
		if i%3 == 2 {
			if old := model[s.name]; old != nil {
				table.remove(old)
				delete(model, s.name)
			}
			table.remove(s) // another script of the same name: nothing
			continue
		}
		table.put(s)
		model[s.name] = s
	}
	close(done)
	readers.Wait()
	for i := range 500 {
		if name := fmt.Sprint("s", i); table.get(name) != model[name] {
			t.Errorf("%s is not what it was last put as", name)
		}
	}
	if all := table.all(); len(all) != len(model) || table.size.Load() != int64(len(model)) {
		t.Errorf("%d scripts, size %d, want %d", len(all), table.size.Load(), len(model))
	}
}
