package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"switchyard/isolate"
)

// Redirect modes of a Subrequest.
const (
	redirectFollow = "follow"
	redirectError  = "error"
	redirectManual = "manual"
)

// maxRedirects is the Fetch standard's.
const maxRedirects = 20

var (
	errRedirect  = errors.New("Unexpected redirect response: the request's redirect mode is \"error\".")
	errRedirects = fmt.Errorf("Too many redirects: more than %d.", maxRedirects)
	errReplay    = errors.New("The request's body cannot be sent again to where it is redirected.")
)

// follow sends a subrequest in redirect mode "follow" or "error". Workers and origins are
// followed alike, and every hop goes the way of the first: past all of egress' checks, or through
// the outbound Worker again. A redirect is no way around either.
func (inv *invocation) follow(ctx context.Context, sub *isolate.Subrequest) (*isolate.Response, error) {
	o := acquireOriginal(sub.Request)
	defer o.drop()
	h := o.hop()
	sub.Request = o.firstRequest()
	for followed := 0; ; followed++ {
		resp, err := inv.send(ctx, sub)
		if err != nil {
			return nil, err
		}
		location := redirectOf(resp)
		if location == "" {
			if followed > 0 {
				resp.URL, resp.Redirected = string(h.head.URL()), true
			}
			return resp, nil
		}
		err = errRedirect
		if sub.Redirect == redirectFollow && followed == maxRedirects {
			err = errRedirects
		} else if sub.Redirect == redirectFollow {
			h, err = h.next(resp.Head.Status(), location)
		}
		resp.Release()
		if err != nil {
			return nil, err
		}
		sub.Request = o.request(&h)
	}
}

// original is a request that may be sent more than once. All that are sent read its buffers,
// some of them still when follow has returned, a body on its way to an origin for one: it is
// released with the last of them.
type original struct {
	req     *isolate.Request
	first   isolate.Request
	free    func(*isolate.Request) // drops a hold; made once, so that sending allocates nothing
	holders atomic.Int32           // follow, and each request that was sent and not released
}

var originals = sync.Pool{New: func() any { return new(original) }}

// acquireOriginal takes req over. The caller has one hold.
func acquireOriginal(req *isolate.Request) *original {
	o := originals.Get().(*original)
	if o.free == nil {
		o.free = func(*isolate.Request) { o.drop() }
	}
	o.req = req
	o.holders.Store(1)
	return o
}

func (o *original) drop() {
	if o.holders.Add(-1) > 0 {
		return
	}
	o.req.Release()
	o.req, o.first = nil, isolate.Request{}
	originals.Put(o)
}

// hop describes the original itself. It must be called before firstRequest moves a stream away.
func (o *original) hop() hop {
	body := &o.req.Body
	return hop{head: o.req.Head, body: body.Bytes, once: body.Stream != nil && body.Length != 0}
}

// firstRequest is the original as it is sent first, with its stream if it has one.
func (o *original) firstRequest() *isolate.Request {
	o.holders.Add(1)
	o.first = isolate.Request{Head: o.req.Head, Body: o.req.Body, Free: o.free}
	o.req.Body = isolate.Body{Bytes: o.req.Body.Bytes}
	return &o.first
}

// request is what is sent for a later hop.
func (o *original) request(h *hop) *isolate.Request {
	o.holders.Add(1)
	return &isolate.Request{Head: h.head, Body: isolate.Body{Bytes: h.body}, Free: o.free}
}
