package engine

import (
	"fmt"

	"switchyard/engine/store"
)

// restore builds the catalog from the store at start. It keeps ids and names, compiles nothing
// and reads no module. Records come in the order that store.Load promises.
func restore(st *store.Store, book *tokenBook) (*catalog, error) {
	r := restorer{catalog: newCatalog(), routes: map[string]Route{}, tokens: map[string]tokenEntry{}, plans: map[string]*Plan{}}
	if err := st.Load(r.take); err != nil {
		return nil, err
	}
	r.finish()
	r.catalog.routes.Store(newRouteTable(r.routes))
	book.byID.Store(&r.tokens)
	r.catalog.plans.Store(newPlanTable(r.plans))
	return r.catalog, nil
}

type restorer struct {
	catalog    *catalog
	routes     map[string]Route
	tokens     map[string]tokenEntry
	plans      map[string]*Plan
	namespace  *namespace // of the script at hand
	script     *script    // whose records come now
	state      *scriptState
	deployment *store.Deployment // its newest so far
	old        []*version        // its versions before the newest one that the deployment names
}

func (r *restorer) take(record store.Record) error {
	switch {
	case record.Namespace != nil:
		n := newNamespace(*record.Namespace)
		said, err := readTerms(record.Namespace)
		if err != nil {
			return err
		}
		n.terms.Store(said)
		(*r.catalog.namespaces.Load())[n.name()] = n
	case record.Plan != nil:
		p, err := readPlan(record.Plan)
		if err != nil {
			return err
		}
		r.plans[p.Name] = &p
	case record.KVNamespace != nil:
		r.catalog.kv.put(*record.KVNamespace)
	case record.Route != nil:
		r.routes[record.Route.ID] = Route(*record.Route)
	case record.Token != nil:
		r.tokens[record.Token.ID] = readToken(record.Token)
	case record.Script != nil:
		r.finish()
		return r.begin(record.Script)
	case record.Deployment != nil:
		r.deployment = record.Deployment
	case record.Version != nil:
		return r.addVersion(record.Version)
	}
	return nil
}

func (r *restorer) begin(record *store.Script) error {
	if r.namespace == nil || r.namespace.id != record.NamespaceID {
		r.namespace = r.catalog.byID(record.NamespaceID)
	}
	if r.namespace == nil {
		return fmt.Errorf("%w: script %s %q is in namespace %s, which is missing", store.ErrCorrupt, record.ID, record.Name, record.NamespaceID)
	}
	r.script = newScript(record.ID, record.Name, r.namespace)
	r.state = &scriptState{record: *record}
	r.state.record.NamespaceID = r.namespace.id // one copy of it in memory
	return nil
}

func (r *restorer) addVersion(record *store.Version) error {
	if r.script == nil || r.script.id != record.ScriptID {
		return fmt.Errorf("%w: version %s is of script %s, which is missing", store.ErrCorrupt, record.ID, record.ScriptID)
	}
	if old := r.state.newest; old != nil && r.names(old.id) {
		r.old = append(r.old, old)
	}
	r.state.newest = &version{script: r.script, id: record.ID, number: record.Number}
	r.state.newest.assets.Store(assetsOfRecord(record))
	return nil
}

func (r *restorer) names(id string) bool {
	if r.deployment != nil {
		for _, sh := range r.deployment.Shares {
			if sh.Version == id {
				return true
			}
		}
	}
	return false
}

// finish puts the script at hand, whose records have all come, into the catalog.
func (r *restorer) finish() {
	if r.script != nil {
		if r.deployment != nil {
			r.state.deploy(r.script, r.deployment, r.old...)
		}
		r.script.state.Store(r.state)
		r.namespace.scripts.fill(r.script)
		r.namespace.byID.fill(r.script)
	}
	r.script, r.state, r.deployment, r.old = nil, nil, nil, nil
}
