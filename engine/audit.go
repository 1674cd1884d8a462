package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"slices"
	"sync/atomic"
	"time"

	"switchyard/engine/store"
)

// Act is somebody's request to change something. It goes with the request's context: whatever
// the engine commits under it has an entry of the audit log in the same batch.
type Act struct {
	Actor     string // id of the token
	ActorName string
	Address   string // where the request came from
	Action    string // method and pattern of the path
	Resource  string // the path
	Namespace string // id, where it is about one
	Scope     Scope  // what the actor may do: a Worker is given nothing that its uploader has not

	entries atomic.Int32 // written so far
}

// AuditEntry is one entry of the audit log.
type AuditEntry store.Audit

type actKey struct{}

// WithAct returns a context under which changes are a's.
func WithAct(ctx context.Context, a *Act) context.Context { return context.WithValue(ctx, actKey{}, a) }

// scopeOf is what changes under ctx may reach. Those without an Act are the program's own.
func scopeOf(ctx context.Context) Scope {
	if a, ok := ctx.Value(actKey{}).(*Act); ok {
		return a.Scope
	}
	return FullScope
}

func (a *Act) entry(now time.Time) store.Audit {
	a.entries.Add(1)
	return store.Audit{
		ID: newID(), At: now, Actor: a.Actor, ActorName: a.ActorName, Address: a.Address,
		Action: a.Action, Resource: a.Resource, Namespace: a.Namespace, Status: 200,
	}
}

// attribute lets changes carry who made them. Changes without an Act are the program's own.
func (e *Engine) attribute(ctx context.Context, changes []store.Change) error {
	a, _ := ctx.Value(actKey{}).(*Act)
	if a == nil || len(changes) == 0 {
		return nil
	}
	entry := a.entry(time.Now())
	var err error
	if entry.Before, entry.After, err = e.digests(changes); err != nil {
		return err
	}
	changes[0].Audit = &entry
	return nil
}

// maxAuditError bounds a refusal's text in the log.
const maxAuditError = 500

// Audit ends an act. What was refused, or changed nothing, is written now; what was changed is
// in the log already.
func (e *Engine) Audit(ctx context.Context, a *Act, status int, refusal string) error {
	if a.entries.Load() > 0 && status < 400 {
		return nil
	}
	entry := a.entry(time.Now())
	entry.Status, entry.Error = status, refusal[:min(len(refusal), maxAuditError)]
	return storeError(e.store.PutAudit(context.WithoutCancel(ctx), entry))
}

// auditLimits bound the log: what is older, and what is more, goes with the next collection.
type auditLimits struct {
	age     time.Duration
	entries int
}

func (e *Engine) trimAudit(ctx context.Context) {
	if err := e.store.TrimAudits(ctx, time.Now().Add(-e.auditing.age), e.auditing.entries); err != nil {
		e.logger.Warn("engine: the audit log is not trimmed", "reason", err)
	}
}

// AuditQuery selects entries. The zero one selects all, oldest first.
type AuditQuery struct {
	Since, Before time.Time // Since is included, Before is not; zero: no bound
	NewestFirst   bool
}

// AuditEntries calls f with entries until it returns false.
func (e *Engine) AuditEntries(q AuditQuery, f func(AuditEntry) bool) error {
	return storeError(e.store.Audits(q.Since, q.Before, q.NewestFirst, func(a store.Audit) bool { return f(AuditEntry(a)) }))
}

// digest hashes what there is to see of a state: names, contents, settings. Neither times nor
// the texts of secrets are in it.
type digest struct {
	hash.Hash
	empty bool
}

func newDigest() *digest { return &digest{sha256.New(), true} }

func (d *digest) add(parts ...any) {
	doc, err := json.Marshal(parts)
	if err != nil {
		panic("BUG: a record does not encode: " + err.Error())
	}
	d.empty = false
	d.Write(append(doc, '\n'))
}

// String is the SHA-256 in hex; "" of nothing.
func (d *digest) String() string {
	if d.empty {
		return ""
	}
	return hex.EncodeToString(d.Sum(nil))
}

func (d *digest) addRoute(routes map[string]Route, id string) {
	if r, ok := routes[id]; ok {
		d.add("route", r)
	}
}

func (d *digest) addToken(tokens map[string]tokenEntry, id string) {
	if t, ok := tokens[id]; ok {
		d.add("token", t.ID, t.TokenSpec, t.hash)
	}
}

// digests returns what the changes find and what they leave.
func (e *Engine) digests(changes []store.Change) (before, after string, err error) {
	b, a := newDigest(), newDigest()
	var images []*scriptImage
	for i := range changes {
		c := &changes[i]
		namespace, id := scriptOf(c)
		if id == "" {
			e.digestOther(b, a, c)
			continue
		}
		at := slices.IndexFunc(images, func(m *scriptImage) bool { return m.id == id })
		if at < 0 {
			m, err := e.image(namespace, id)
			if err != nil {
				return "", "", err
			}
			m.add(b)
			at, images = len(images), append(images, m)
		}
		images[at].take(c)
	}
	for _, m := range images {
		m.add(a)
	}
	return b.String(), a.String(), nil
}

// scriptOf returns the script that a change is about; "" when it is about something else.
func scriptOf(c *store.Change) (namespace, id string) {
	switch {
	case c.Script != nil:
		return c.Script.NamespaceID, c.Script.ID
	case c.Version != nil:
		return c.Version.NamespaceID, c.Version.ScriptID
	case c.Deployment != nil:
		return c.Deployment.NamespaceID, c.Deployment.ScriptID
	case c.Kind == store.KindDropScript:
		return c.Drop.NamespaceID, c.Drop.ID
	}
	return "", ""
}

// scriptImage is a script as its digest sees it; without a record there is none.
type scriptImage struct {
	id         string
	record     *store.Script
	version    *store.Version
	deployment *store.Deployment
}

// image is the script as it is.
func (e *Engine) image(namespaceID, id string) (*scriptImage, error) {
	m := &scriptImage{id: id}
	n := e.catalog.byID(namespaceID)
	if n == nil {
		return m, nil
	}
	s := n.byID.get(id)
	if s == nil {
		return m, nil
	}
	st := s.state.Load()
	m.record, m.deployment = &st.record, st.deployment
	var err error
	if st.newest != nil {
		m.version, err = e.stored(st.newest)
	}
	return m, err
}

// take lays a change over the image.
func (m *scriptImage) take(c *store.Change) {
	switch {
	case c.Script != nil:
		m.record = c.Script
	case c.Version != nil:
		m.version = c.Version
	case c.Deployment != nil:
		m.deployment = c.Deployment
	default:
		m.record = nil
	}
}

func (m *scriptImage) add(d *digest) {
	if m.record == nil {
		return
	}
	d.add("script", m.record.ID, m.record.Name, m.record.Tags, m.record.Crons, m.record.Subdomain)
	if v := m.version; v != nil {
		d.add(v.ETag, v.Main, v.CompatibilityDate, v.CompatibilityFlags, withoutTexts(v.Bindings), v.Limits, v.Policy, v.Egress, v.Metadata)
	}
	if m.deployment != nil {
		d.add(m.deployment.Shares)
	}
}

// withoutTexts is a version's bindings without what its secrets seal: that differs each time.
func withoutTexts(doc json.RawMessage) []Binding {
	var bindings []Binding
	if err := decode(doc, &bindings); err != nil {
		return nil // a damaged record: reading it says so
	}
	return withoutSecrets(bindings)
}

// digestOther adds what is not a script's.
func (e *Engine) digestOther(b, a *digest, c *store.Change) {
	routes, tokens := e.catalog.routes.Load().byID, e.tokens.all()
	switch {
	case c.Namespace != nil:
		b.addNamespace(e.catalog.byID(c.Namespace.ID))
		a.add("namespace", c.Namespace.ID, c.Namespace.Name, c.Namespace.Trusted)
	case c.Kind == store.KindDropNamespace:
		b.addNamespace(e.catalog.byID(c.Drop.ID))
	case c.Route != nil:
		b.addRoute(routes, c.Route.ID)
		a.add("route", Route(*c.Route))
	case c.Kind == store.KindDropRoute:
		b.addRoute(routes, c.Drop.ID)
	case c.Token != nil:
		b.addToken(tokens, c.Token.ID)
		t := readToken(c.Token)
		a.add("token", t.ID, t.TokenSpec, t.hash)
	case c.Kind == store.KindDropToken:
		b.addToken(tokens, c.Drop.ID)
	default:
		a.add(c.Kind, c.Record, c.Drop)
	}
}

func (d *digest) addNamespace(n *namespace) {
	if n != nil {
		r := n.record.Load()
		d.add("namespace", r.ID, r.Name, r.Trusted)
	}
}
