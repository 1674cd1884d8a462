// Package engine is what is deployed and who may run it: namespaces, scripts, versions,
// deployments, routes; dispatch, limits, outbound. It knows guests through package isolate and
// the disk through package store; sockets it does not know.
//
// Where to look:
//
//	a request    serve.go (who answers) → invocation.go (one call of one Worker) → fetch.go (its
//	             subrequests) → follow.go (where redirects lead, by the rules of redirect.go, url.go),
//	             dispatch_options.go (the arguments of get())
//	a change     deploy.go (operations) → draft.go (its stages) → commit.go (durable) →
//	             publish.go (visible); checks in upload.go, check_bindings.go, inherit.go, names.go
//	what there is  catalog.go, table.go, routes.go; at start restore.go; from the store history.go
//	static assets  assets.go (sessions, versions) → asset_upload.go, asset_token.go; asset_serve.go
//	             (before the Worker, by the rules of package site) → asset_reply.go, asset_body.go, asset_cache.go
//	who may, who did  tokens.go, scope.go, audit.go
//	what can run   pools.go (made, kept, put away), loaded.go (closed when nobody is inside)
//	what is seen   log.go, metrics.go
package engine

import (
	"context"
	"time"

	"switchyard/isolate"
)

// Egress performs the requests that leave the platform. gateway/egress implements it.
type Egress interface {
	// Fetch owns req. It returns when the response head is there; the error's message is what
	// the guest catches. tenant keys the connection pools: no two tenants share a connection.
	// Each of policies must allow the request, and the addresses that it leads to.
	// A redirect is a response like others: the engine follows it, with a Fetch for every hop.
	Fetch(ctx context.Context, tenant string, policies []*EgressPolicy, req *isolate.Request) (*isolate.Response, error)
}

// LogLine is one line of a guest's log: console output, an uncaught exception, a rejection.
type LogLine struct {
	Ref     Ref
	Version string
	Request uint64 // one number for the whole chain of Workers behind one ingress request
	Level   isolate.LogLevel
	Text    []byte // valid during the call
}

// Event is one request at the ingress, and what became of it. The caller keeps it until the
// response's body has been read to its end or closed.
type Event struct {
	Context context.Context
	Request *isolate.Request // owned by Serve
	Host    string           // canonical: lower case, no port, no trailing dot

	Isolate string        // out: "warm", "reskin", "clone" or "init", of the Worker that answered last; "" without one
	CPU     time.Duration // out: guest CPU time of the whole chain until the response head
}
