package engine

import (
	"maps"
	"slices"

	"switchyard/engine/store"
)

// edition turns durable changes into what requests see. It is the only writer of the catalog,
// so that a change has the same effect whoever made it: an operation here, a commit whose
// acknowledgement was given up (store.Options.Late), one day another node.
//
// All changes of one commit to one script become visible in one pointer swap.
type edition struct {
	catalog *catalog
	note    func(*script)  // takes down what is to be known of a script that goes
	adopt   func(*version) // gives a new version what was made ready for it
	next    map[*script]*scriptState
	fresh   []*script
	plans   map[string]*Plan // by name; nil while no plan changed
	settled *resettler
	wide    []*namespace     // the terms of all of their scripts may have changed
	routes  map[string]Route // by id; nil while no route changed
	book    *tokenBook
	tokens  map[string]tokenEntry // by id; nil while no token changed
	stale   []*version            // receive nothing any more
	ended   []*script             // gone
}

// publish makes changes visible. They are durable.
func (e *Engine) publish(changes []store.Change) {
	adopt := func(v *version) { e.pools.adopt(v, e.requests.Load()) }
	ed := edition{catalog: e.catalog, note: e.usage.note, book: &e.tokens, adopt: adopt, next: map[*script]*scriptState{}}
	ed.settled = e.resettler(ed.tags)
	e.publishing.Lock()
	for i := range changes {
		ed.add(&changes[i])
	}
	ed.show()
	ed.resettle()
	e.publishing.Unlock()
	for _, v := range ed.stale {
		e.pools.retire(v)
		e.pools.freezer.drop(v.id)
	}
	for _, s := range ed.ended {
		e.cache.drop(s.id)
		e.forgetTraces(s)
	}
}

func (ed *edition) add(c *store.Change) {
	switch c.Kind {
	case store.KindPutNamespace:
		ed.putNamespace(*c.Namespace)
	case store.KindDropNamespace:
		ed.dropNamespace(c.Drop.ID)
	case store.KindPutKV:
		ed.catalog.kv.put(*c.KVNamespace)
	case store.KindDropKV:
		ed.catalog.kv.drop(c.Drop.ID)
	case store.KindPutScript:
		s := ed.script(c.Script)
		ed.state(s).record = *c.Script
		ed.settled.script(s) // before its version comes, and before it is found
	case store.KindAddVersion:
		ed.addVersion(c.Version)
	case store.KindAddDeployment:
		ed.addDeployment(c.Deployment)
	case store.KindDropScript:
		ed.dropScript(ed.find(c.Drop.NamespaceID, c.Drop.ID))
	case store.KindPutPlan:
		ed.putPlan(c.Plan)
	case store.KindDropPlan:
		delete(ed.editPlans(), c.Drop.ID)
	case store.KindPutRoute:
		ed.editRoutes()[c.Route.ID] = Route(*c.Route)
	case store.KindDropRoute:
		delete(ed.editRoutes(), c.Drop.ID)
	case store.KindPutToken:
		ed.editTokens()[c.Token.ID] = readToken(c.Token)
	case store.KindDropToken:
		delete(ed.editTokens(), c.Drop.ID)
	}
}

func (ed *edition) putNamespace(record store.Namespace) {
	n := ed.catalog.byID(record.ID)
	if n == nil {
		n = newNamespace(record)
	}
	old := n.name()
	n.record.Store(&record)
	said, err := readTerms(&record)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	n.terms.Store(said)
	ed.wide = append(ed.wide, n)
	ed.catalog.edit(func(m map[string]*namespace) {
		if m[old] == n {
			delete(m, old)
		}
		m[record.Name] = n
	})
}

func (ed *edition) dropNamespace(id string) {
	n := ed.catalog.byID(id)
	if n == nil {
		return
	}
	ed.catalog.edit(func(m map[string]*namespace) { delete(m, n.name()) })
	for _, s := range n.scripts.all() {
		ed.end(s)
	}
}

// find returns a script by id. Changes come in the order of the log, so it is there.
func (ed *edition) find(namespaceID, id string) *script {
	if n := ed.catalog.byID(namespaceID); n != nil {
		if s := n.byID.get(id); s != nil {
			return s
		}
	}
	for s := range ed.next {
		if s.id == id {
			return s
		}
	}
	panic("BUG: a change of script " + id + ", which is not in the catalog")
}

// script returns the script of a record, new when its id is.
func (ed *edition) script(record *store.Script) *script {
	n := ed.catalog.byID(record.NamespaceID)
	if n == nil {
		panic("BUG: script " + record.ID + " in namespace " + record.NamespaceID + ", which is not in the catalog")
	}
	if s := n.byID.get(record.ID); s != nil {
		return s
	}
	s := newScript(record.ID, record.Name, n)
	s.state.Store(&scriptState{})
	ed.fresh = append(ed.fresh, s)
	return s
}

// state returns the script's next state, which begins as a copy of the present one.
func (ed *edition) state(s *script) *scriptState {
	st := ed.next[s]
	if st == nil {
		copied := *s.state.Load()
		st = &copied
		ed.next[s] = st
	}
	return st
}

func (ed *edition) addVersion(record *store.Version) {
	s := ed.find(record.NamespaceID, record.ScriptID)
	v := &version{script: s, id: record.ID, number: record.Number}
	v.assets.Store(assetsOfRecord(record))
	ed.adopt(v)
	ed.state(s).newest = v
}

func (ed *edition) addDeployment(d *store.Deployment) {
	s := ed.find(d.NamespaceID, d.ScriptID)
	ed.state(s).deploy(s, d)
}

// deploy lays the shares of d out on 0..100. A version without traffic has no place. known are
// versions beside those that the state has already.
func (st *scriptState) deploy(s *script, d *store.Deployment, known ...*version) {
	var shares []share
	upTo := 0.0
	d.NamespaceID, d.ScriptID = s.namespace.id, s.id // one copy of each id in memory
	for i, sh := range d.Shares {
		if sh.Percent <= 0 {
			continue
		}
		v := st.version(sh.Version)
		if i := slices.IndexFunc(known, func(v *version) bool { return v.id == sh.Version }); i >= 0 {
			v = known[i]
		}
		if v == nil {
			v = &version{script: s, id: sh.Version}
		}
		upTo += sh.Percent
		shares = append(shares, share{v, upTo})
		d.Shares[i].Version = v.id
	}
	st.shares, st.deployment = shares, d
}

func (ed *edition) dropScript(s *script) {
	s.namespace.scripts.remove(s)
	s.namespace.byID.remove(s)
	ed.end(s)
}

// end takes a script's traffic away; requests that found it before see that it is gone.
func (ed *edition) end(s *script) {
	delete(ed.next, s)
	ed.stale = append(ed.stale, s.state.Load().versions()...)
	ed.note(s)
	s.state.Store(&scriptState{})
	ed.ended = append(ed.ended, s)
}

func (ed *edition) editTokens() map[string]tokenEntry {
	if ed.tokens == nil {
		ed.tokens = maps.Clone(ed.book.all())
	}
	return ed.tokens
}

func (ed *edition) editRoutes() map[string]Route {
	if ed.routes == nil {
		ed.routes = maps.Clone(ed.catalog.routes.Load().byID)
	}
	return ed.routes
}

// show swaps the states and puts new scripts where they are found.
func (ed *edition) show() {
	for s, st := range ed.next {
		old := s.state.Swap(st)
		kept := st.versions()
		for _, v := range old.versions() {
			if !slices.Contains(kept, v) {
				ed.stale = append(ed.stale, v)
			}
		}
	}
	for _, s := range ed.fresh {
		s.namespace.byID.put(s)
		s.namespace.scripts.put(s)
	}
	if ed.routes != nil {
		ed.catalog.routes.Store(newRouteTable(ed.routes))
	}
	if ed.tokens != nil {
		ed.book.byID.Store(&ed.tokens)
	}
}

func (ed *edition) putPlan(record *store.Plan) {
	p, err := readPlan(record)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	ed.editPlans()[p.Name] = &p
}

func (ed *edition) editPlans() map[string]*Plan {
	if ed.plans == nil {
		ed.plans = ed.catalog.plans.Load().edit()
	}
	return ed.plans
}

// resettle resolves the terms of the scripts that were there.
func (ed *edition) resettle() {
	clear(ed.settled.made)
	if ed.plans != nil {
		ed.catalog.plans.Store(newPlanTable(ed.plans))
		ed.settled.all()
		return
	}
	for _, n := range ed.wide {
		ed.settled.namespace(n)
	}
}

// tags are a script's when the changes are visible.
func (ed *edition) tags(s *script) []string {
	if st := ed.next[s]; st != nil {
		return st.record.Tags
	}
	return s.state.Load().record.Tags
}
