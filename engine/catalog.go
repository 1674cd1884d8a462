package engine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"switchyard/engine/store"
	"switchyard/engine/trace"
)

// catalog is what is deployed, as requests need it: names, ids and who receives traffic. All
// else (bindings, modules, history) stays in the store until somebody asks, so that a script
// nobody calls costs a few hundred bytes. Readers take no lock: every pointer leads to a value
// that is never changed again.
//
//	catalog ─► namespace ─► scriptTable ─► script ─► scriptState ─► share ─► version ─► loaded
//	(by name)               (by name)                (one swap is a deploy)            (its pool)
type catalog struct {
	plain      *namespace // of the Workers outside every namespace
	namespaces atomic.Pointer[map[string]*namespace]
	routes     atomic.Pointer[routeTable]
	plans      atomic.Pointer[planTable]
	kv         *kvTable
}

// namespace is a dispatch namespace with its scripts, or with id "" the plain Workers.
type namespace struct {
	id      string
	record  atomic.Pointer[store.Namespace]
	scripts *scriptTable // by name
	byID    *scriptTable
	terms   atomic.Pointer[namespaceTerms] // nil: it limits nothing
	nobody  atomic.Pointer[account]        // of requests for scripts that are not there; nil before the first
	totals  sums                           // of what its Workers spent since the start; accounting.mu guards it
	watch   trace.Watch                    // of whoever tails all of it

	// commit is held for reading while a change of one of its scripts is written and published,
	// for writing while the namespace itself is dropped.
	commit struct {
		sync.RWMutex
		gone bool
	}
}

// script is a script from its first upload to its deletion. Another one of the same name later
// is another script.
type script struct {
	id        string
	name      string
	namespace *namespace
	state     atomic.Pointer[scriptState]
	terms     atomic.Pointer[terms]
	account   atomic.Pointer[account] // nil before its first call
	watch     trace.Watch             // of whoever tails it
}

func newScript(id, name string, n *namespace) *script {
	s := &script{id: id, name: name, namespace: n}
	s.terms.Store(noTerms)
	return s
}

// scriptState is a script at one moment.
type scriptState struct {
	record     store.Script
	newest     *version
	deployment *store.Deployment // the newest; nil until something is deployed
	shares     []share           // who receives traffic by it; empty after deletion too
}

// share is a version's part of the traffic.
type share struct {
	version *version
	upTo    float64 // upper end of its range in 0..100
}

// version is one upload of a script. What running it needs is loaded at its first request.
type version struct {
	script  *script
	id      string
	number  int                     // 0: look it up by id
	loaded  atomic.Pointer[loaded]  // nil until then, and after it was put away
	failure atomic.Pointer[failure] // of loading it; nil without one
	assets  atomic.Uint32           // assetsUnknown, withoutAssets or withAssets
}

func newCatalog() *catalog {
	c := &catalog{plain: newNamespace(store.Namespace{}), kv: newKVTable()}
	c.namespaces.Store(&map[string]*namespace{})
	c.routes.Store(newRouteTable(nil))
	c.plans.Store(newPlanTable(nil))
	return c
}

func newNamespace(record store.Namespace) *namespace {
	n := &namespace{id: record.ID, scripts: newScriptTable(scriptName), byID: newScriptTable(scriptID)}
	n.record.Store(&record)
	return n
}

func (n *namespace) name() string { return n.record.Load().Name }

// isPlain says that these are the operator's own Workers, outside every namespace.
func (n *namespace) isPlain() bool { return n.id == "" }

func (s *script) ref() Ref { return Ref{s.namespace.name(), s.name} }

// namespace finds a namespace, or for "" the plain Workers.
func (c *catalog) namespace(name string) (*namespace, error) {
	if name == "" {
		return c.plain, nil
	}
	if n := (*c.namespaces.Load())[name]; n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("%w: %q", ErrNamespaceNotFound, name)
}

func (c *catalog) script(ref Ref) (*script, error) {
	n, err := c.namespace(ref.Namespace)
	if err != nil {
		return nil, err
	}
	if s := n.scripts.get(ref.Script); s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("%w: %q", ErrScriptNotFound, ref.String())
}

// deployed returns the ids of the versions that receive traffic, or could by their script's next
// deployment.
func (c *catalog) deployed() map[string]bool {
	ids := map[string]bool{}
	for _, n := range append(c.all(), c.plain) {
		for _, s := range n.scripts.all() {
			for _, v := range s.state.Load().versions() {
				ids[v.id] = true
			}
		}
	}
	return ids
}

// all returns the dispatch namespaces by name.
func (c *catalog) all() []*namespace {
	return slices.SortedFunc(maps.Values(*c.namespaces.Load()), func(a, b *namespace) int {
		return cmp.Compare(a.name(), b.name())
	})
}

// byID finds a namespace by id; "" is the plain Workers' own.
func (c *catalog) byID(id string) *namespace {
	if id == "" {
		return c.plain
	}
	for _, n := range *c.namespaces.Load() {
		if n.id == id {
			return n
		}
	}
	return nil
}

// edit replaces the map of namespaces. One goroutine at a time calls it.
func (c *catalog) edit(change func(map[string]*namespace)) {
	next := maps.Clone(*c.namespaces.Load())
	change(next)
	c.namespaces.Store(&next)
}

// wants says whether v may still be asked to run.
func (st *scriptState) wants(v *version) bool { return slices.Contains(st.versions(), v) }

// receives says whether v has a share of the traffic.
func (st *scriptState) receives(v *version) bool {
	return slices.ContainsFunc(st.shares, func(s share) bool { return s.version == v })
}

// versions returns the versions, the newest upload first, that a request or an operation may still want loaded.
func (st *scriptState) versions() []*version {
	var list []*version
	if st.newest != nil {
		list = append(list, st.newest)
	}
	for _, sh := range st.shares {
		if sh.version != st.newest {
			list = append(list, sh.version)
		}
	}
	return list
}

// version finds one of them by id.
func (st *scriptState) version(id string) *version {
	for _, v := range st.versions() {
		if v.id == id {
			return v
		}
	}
	return nil
}
