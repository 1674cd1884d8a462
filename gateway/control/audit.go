package control

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchyard/engine"
)

// unaudited are the paths whose writes are a tenant's data, not a change of what is deployed.
var unaudited = []string{"/values/", "/bulk", "/assets/upload", "assets-upload-session"}

// audited runs an endpoint. What it changes carries who did it; what it refused or did not
// change has an entry of its own.
func (s *server) audited(to *target, c *call, run endpoint) (any, error) {
	if !to.access.write || slices.ContainsFunc(unaudited, func(mark string) bool { return strings.Contains(to.pattern, mark) }) {
		return run(c)
	}
	act := &engine.Act{
		Actor: c.who.ID, ActorName: c.who.Name, Address: peer(c.r).String(),
		Action: c.r.Method + " " + strings.TrimPrefix(strings.TrimPrefix(to.pattern, pathBase), "/accounts/{account}"), Resource: resourceOf(c.r),
	}
	act.Namespace, act.Scope = s.need(to.access, c.params).Namespace, c.who.Scope
	c.r = c.r.WithContext(engine.WithAct(c.r.Context(), act))
	result, err := run(c)
	status, refusal := http.StatusOK, ""
	if err != nil {
		p := problemOf(err, c.r.URL.Path)
		status, refusal = p.status, p.Message
	}
	if err := s.Platform.Audit(c.context(), act, status, refusal); err != nil {
		s.Logger.Warn("control: an entry of the audit log is lost", "action", act.Action, "resource", act.Resource, "reason", err)
	}
	return result, err
}

const maxResource = 512 // bytes of a path in the log

// resourceOf is the path below the account.
func resourceOf(r *http.Request) string {
	path := r.URL.EscapedPath()
	if _, below, ok := strings.Cut(path, "/accounts/"); ok {
		_, below, _ = strings.Cut(below, "/")
		path = "/" + below
	}
	return path[:min(len(path), maxResource)]
}

// auditJSON is an entry as the public API shows it, with what we know besides in metadata.
type auditJSON struct {
	ID        string            `json:"id"`
	When      time.Time         `json:"when"`
	Action    auditActionJSON   `json:"action"`
	Actor     auditActorJSON    `json:"actor"`
	Resource  auditResourceJSON `json:"resource"`
	Owner     auditOwnerJSON    `json:"owner"`
	Interface string            `json:"interface"`
	Metadata  auditDetailJSON   `json:"metadata"`
}

type auditActionJSON struct {
	Type   string `json:"type"`
	Result bool   `json:"result"`
}

type auditActorJSON struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	IP    string `json:"ip"`
	Type  string `json:"type"`
}

type auditResourceJSON struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

type auditOwnerJSON struct {
	ID string `json:"id"`
}

type auditDetailJSON struct {
	TokenName string `json:"token_name"`
	Namespace string `json:"namespace_id,omitempty"`
	Before    string `json:"before,omitempty"`
	After     string `json:"after,omitempty"`
	Status    int    `json:"status"`
	Error     string `json:"error,omitempty"`
}

func (s *server) describeAudit(a engine.AuditEntry) auditJSON {
	return auditJSON{
		ID: a.ID, When: stamp(a.At), Interface: "API", Owner: auditOwnerJSON{s.Account},
		Action:   auditActionJSON{a.Action, a.Status < 400},
		Actor:    auditActorJSON{a.Actor, a.ActorName + "@localhost", a.Address, "token"},
		Resource: auditResourceJSON{a.Resource, auditType(a.Action)},
		Metadata: auditDetailJSON{a.ActorName, a.Namespace, a.Before, a.After, a.Status, a.Error},
	}
}

// auditType is the last fixed part of an action's path: "scripts", "secrets", "routes".
func auditType(action string) string {
	parts := segments(action)
	for i := len(parts) - 1; i > 0; i-- {
		if parts[i][0] != '{' {
			return parts[i]
		}
	}
	return "account"
}

const (
	auditPerPage    = 100
	auditPerPageMax = 1000
	auditLinesMax   = 100_000 // of one NDJSON answer
)

// auditQuery is what a client asks of the log.
type auditQuery struct {
	engine.AuditQuery
	keep          func(engine.AuditEntry) bool
	page, perPage int
}

func (c *call) auditQuery() (q auditQuery, err error) {
	q = auditQuery{page: 1, perPage: auditPerPage}
	q.NewestFirst = c.query("direction") != "asc"
	for _, bound := range []struct {
		name string
		into *time.Time
	}{{"since", &q.Since}, {"before", &q.Before}} {
		if *bound.into, err = c.queryTime(bound.name); err != nil {
			return q, err
		}
	}
	for _, number := range []struct {
		name string
		into *int
		most int
	}{{"page", &q.page, 1_000_000}, {"per_page", &q.perPage, auditPerPageMax}} {
		if err := c.queryNumber(number.name, number.into, number.most); err != nil {
			return q, err
		}
	}
	q.keep = c.auditFilter()
	return q, nil
}

// auditFilter keeps the entries in which every given value is found.
func (c *call) auditFilter() func(engine.AuditEntry) bool {
	asked := func(name, value string) bool { q := c.query(name); return q == "" || q == value }
	return func(a engine.AuditEntry) bool {
		return asked("id", a.ID) && asked("action.type", a.Action) && asked("actor.ip", a.Address) && asked("actor.id", a.Actor) &&
			asked("actor.email", a.ActorName+"@localhost") && asked("resource.id", a.Resource) && asked("resource.type", auditType(a.Action)) &&
			asked("namespace_id", a.Namespace) && asked("result", strconv.FormatBool(a.Status < 400))
	}
}

// queryTime reads a date or a time of RFC 3339; a missing one is zero.
func (c *call) queryTime(name string) (time.Time, error) {
	text := c.query(name)
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, refuse(name + ": " + quote(text) + " is not a time of RFC 3339, nor a date")
}

// queryNumber reads a number from 1 to most; a missing one leaves what is there.
func (c *call) queryNumber(name string, into *int, most int) error {
	text := c.query(name)
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return refuse(name + ": " + quote(text) + " is not a number from 1 to " + strconv.Itoa(most))
	}
	*into = n
	return nil
}

// listAudit pages the log, newest first, or streams it as NDJSON where that is asked for.
func (s *server) listAudit(c *call) (any, error) {
	q, err := c.auditQuery()
	if err != nil {
		return nil, err
	}
	if c.query("format") == "ndjson" || strings.Contains(c.r.Header.Get("Accept"), "application/x-ndjson") {
		return s.auditLines(q)
	}
	items, skip := []auditJSON{}, (q.page-1)*q.perPage
	err = s.Platform.AuditEntries(q.AuditQuery, func(a engine.AuditEntry) bool {
		if q.keep(a) {
			if skip--; skip < 0 {
				items = append(items, s.describeAudit(a))
			}
		}
		return len(items) < q.perPage
	})
	if err != nil {
		return nil, err
	}
	return list{items, map[string]int{"page": q.page, "per_page": q.perPage, "count": len(items)}}, nil
}

// auditLines is one entry a line.
func (s *server) auditLines(q auditQuery) (any, error) {
	var buf bytes.Buffer
	lines, enc := 0, json.NewEncoder(&buf)
	err := s.Platform.AuditEntries(q.AuditQuery, func(a engine.AuditEntry) bool {
		if q.keep(a) {
			lines++
			enc.Encode(s.describeAudit(a)) // writing to a Buffer does not fail
		}
		return lines < auditLinesMax
	})
	return raw{contentType: "application/x-ndjson", body: buf.Bytes()}, err
}
