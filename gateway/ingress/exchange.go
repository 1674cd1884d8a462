package ingress

import (
	"crypto/subtle"
	"fmt"
	"runtime/debug"

	"github.com/valyala/fasthttp"

	"switchyard/engine"
	"switchyard/gateway"
)

// exchange is one request and its response on a connection:
//
//	accept ─ receive ─► Serve ─► respond ─────────────► end      the body is at hand
//	   │        │         │         └─► download.Close ─► end    the body is a stream
//	   └────────┴── refuse └── fail ───────────────────► end
//
// It is used again for the next request of the connection.
type exchange struct {
	c        *conn
	header   header
	host     string
	event    engine.Event
	upload   *upload // nil when the body was small or absent
	download download
	begun    bool // the engine has been called and end is due
}

// handle serves one request. fasthttp calls it on the connection's goroutine.
func (in *Ingress) handle(ctx *fasthttp.RequestCtx) {
	x := &ctx.Conn().(*conn).exchange
	defer x.recover(ctx)
	x.run(ctx)
}

func (x *exchange) run(ctx *fasthttp.RequestCtx) {
	req, why := x.accept(ctx)
	if why == nil {
		if why = x.receive(ctx, req); why != nil {
			req.Release()
		}
	}
	if why != nil {
		x.refuse(ctx, why)
		return
	}
	if x.header.closes {
		ctx.SetConnectionClose()
	}
	x.event = engine.Event{Context: x.c.client.begin(x.hops(), x.c.in.GoneGrace), Request: &req.Request, Host: x.host}
	x.begun = true
	// From here on the engine owns req.
	resp, err := x.c.in.Handler.Serve(&x.event)
	if why := x.upload.verdict(); why != nil {
		// What the Worker made of half a body is of no use to anybody.
		if err == nil {
			resp.Release()
		}
		x.refuse(ctx, why)
		return
	}
	if !x.upload.complete() {
		x.close(ctx)
	}
	if err != nil {
		x.fail(ctx, err)
		return
	}
	x.respond(ctx, resp)
}

// hops returns how often the request has left the platform and come back in.
func (x *exchange) hops() int {
	if x.header.hops == "" {
		return 0
	}
	return x.c.in.Loop.Open(x.header.hops)
}

// end is the last step of every exchange that the engine was called for.
func (x *exchange) end() {
	if !x.begun {
		return
	}
	x.begun = false
	x.upload.finish()
	x.upload = nil
	x.c.client.end()
	x.c.awaitRequest()
}

// close makes this the connection's last exchange.
func (x *exchange) close(ctx *fasthttp.RequestCtx) {
	ctx.SetConnectionClose()
	x.c.linger.Store(true)
}

// operator reports whether the request carries the operator's token.
func (x *exchange) operator() bool { return x.c.in.isOperator(x.header.token) }

// isOperator compares a token with the operator's.
func (in *Ingress) isOperator(token []byte) bool {
	return in.Token != "" && subtle.ConstantTimeCompare(token, []byte(in.Token)) == 1
}

// refuse answers a request that did not come in whole, and closes the connection.
func (x *exchange) refuse(ctx *fasthttp.RequestCtx, why *refusal) {
	x.page(ctx, *why)
	x.close(ctx)
	x.end()
}

// fail answers for an engine that could not.
func (x *exchange) fail(ctx *fasthttp.RequestCtx, err error) {
	status := gateway.StatusOf(err)
	if status == (gateway.Status)(*internalError) {
		x.c.in.Logger.Error("ingress: request failed", "host", x.host, "error", err)
	}
	x.page(ctx, status)
	if page := x.c.in.Page; page != nil && status.HTTP >= 500 {
		ctx.Response.Header.SetContentType("text/html; charset=utf-8")
		ctx.Response.SetBody(page)
	}
	x.tellOperator(ctx)
	x.end()
}

// page writes an error page. It says nothing that is not in the status.
func (x *exchange) page(ctx *fasthttp.RequestCtx, s gateway.Status) {
	ctx.Response.ResetBody()
	h := &ctx.Response.Header
	h.SetStatusCode(s.HTTP)
	h.SetContentType("text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	if s.RetryAfter > 0 {
		h.Set("Retry-After", fmt.Sprint(s.RetryAfter))
	}
	if s.HTTP == fasthttp.StatusMethodNotAllowed {
		h.Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
	}
	ctx.Response.SetBodyString(s.Body())
	x.c.in.metrics.answered(s.HTTP)
}

// recover keeps a bug of ours from ending the process; fasthttp itself would let it.
func (x *exchange) recover(ctx *fasthttp.RequestCtx) {
	v := recover()
	if v == nil {
		return
	}
	x.c.in.metrics.panics.Inc()
	x.c.in.Logger.Error("BUG: panic while serving", "panic", fmt.Sprint(v), "host", x.host, "stack", string(debug.Stack()))
	ctx.Response.Reset()
	x.refuse(ctx, internalError)
}
