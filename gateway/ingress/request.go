package ingress

import (
	"bytes"
	"strconv"
	"sync"

	"github.com/valyala/fasthttp"

	"switchyard/isolate"
	"switchyard/isolate/abi"
)

const (
	maxHeaders = 256      // header lines of one request
	keepBytes  = 96 << 10 // buffers above this are not kept for another request
)

// request is an isolate.Request with its buffers. The engine may keep it longer than the
// connection keeps its exchange, so it comes from a pool and returns there by Release.
type request struct {
	isolate.Request
	head []byte
	url  []byte
	body []byte
	free func(*isolate.Request) // gives this request back; made once
}

var requests sync.Pool // of *request

func acquireRequest() *request {
	r, ok := requests.Get().(*request)
	if !ok {
		r = &request{}
		r.free = func(*isolate.Request) { r.recycle() }
	}
	r.Free = r.free
	return r
}

func (r *request) recycle() {
	r.Head = nil
	if cap(r.head) <= keepBytes && cap(r.body) <= keepBytes {
		requests.Put(r)
	}
}

// line is one header line as it came, and what becomes of it.
type line struct {
	name, value []byte
	fate        fate
}

// header is what the header lines of a request say. Its slices point into fasthttp's buffers
// and end with the handler.
type header struct {
	lines        []line
	host         []byte
	hosts        int
	framing      framing
	token        []byte
	bearers      int      // of lines: up to the last `Authorization: Bearer …`; 0: none
	hops         string   // sealed
	proto        []byte   // X-Forwarded-Proto
	forwardedFor string   // X-Forwarded-For, all of them
	nominated    []string // by Connection, for dropping
	closes       bool
}

// read takes a raw header block apart, checking every byte of it.
func (h *header) read(raw []byte, trusted bool) *refusal {
	*h = header{lines: h.lines[:0]}
	var scratch [64]byte
	for len(raw) > 0 {
		text, rest, ok := nextLine(raw)
		if !ok {
			return badHeader
		}
		if len(text) == 0 {
			break
		}
		raw = rest
		colon := bytes.IndexByte(text, ':')
		if colon < 1 { // an obsolete line folding has no name either: blanks are no tokens
			return badHeader
		}
		name, ok := lowerName(scratch[:0], text[:colon])
		l := line{name: text[:colon], value: trimBlanks(text[colon+1:])}
		if !ok || !validValue(l.value) {
			return badHeader
		}
		if len(h.lines) == maxHeaders {
			return longHeader
		}
		l.fate = fateOf(name)
		if string(name) == "authorization" && isBearer(l.value) {
			h.bearers = len(h.lines) + 1
		}
		if why := h.note(&l, name, trusted); why != nil {
			return why
		}
		h.lines = append(h.lines, l)
	}
	return h.framing.check()
}

const bearerPrefix = "bearer " // as equalFold wants it

func isBearer(value []byte) bool {
	return len(value) > len(bearerPrefix) && equalFold(value[:len(bearerPrefix)], bearerPrefix)
}

// takeBearer makes the operator's token out of a Bearer authorization that is one, and keeps it
// from the Workers: a tenant that saw it would own the platform.
func (h *header) takeBearer(in *Ingress) {
	for i := range h.lines[:h.bearers] { // none but for requests that carry one
		l := &h.lines[i]
		if !equalFold(l.name, "authorization") || !isBearer(l.value) {
			continue
		}
		if value := l.value[len(bearerPrefix):]; in.isOperator(value) {
			l.fate, h.token = token, value
		}
	}
}

// note keeps what a header means to the server itself.
func (h *header) note(l *line, name []byte, trusted bool) *refusal {
	switch l.fate {
	case host:
		h.host, h.hosts = l.value, h.hosts+1
	case length:
		h.framing.lengths++
		h.framing.length, _ = strconv.ParseInt(string(l.value), 10, 64) // fasthttp has checked it
	case coding:
		h.framing.codings++
		h.framing.chunked = equalFold(l.value, "chunked")
	case connection:
		var closes bool
		h.nominated, closes = nominated(string(l.value), h.nominated)
		h.closes = h.closes || closes
	case expect:
		if !equalFold(l.value, "100-continue") {
			return badExpect
		}
	case token:
		h.token = l.value
	case hops:
		h.hops = string(l.value)
	case ifTrusted:
		h.noteForwarded(l, name, trusted)
	}
	return nil
}

func (h *header) noteForwarded(l *line, name []byte, trusted bool) {
	switch {
	case !trusted:
		l.fate = drop
		return
	case string(name) == "x-forwarded-proto":
		h.proto = l.value
	case string(name) == "x-forwarded-for" && h.forwardedFor == "":
		h.forwardedFor = string(l.value)
	case string(name) == "x-forwarded-for":
		h.forwardedFor += "," + string(l.value)
	}
	l.fate = forward
}

// forwards reports whether a line goes on to the Worker.
func (h *header) forwards(l *line) bool {
	if l.fate != forward && l.fate != length {
		return false
	}
	for _, name := range h.nominated {
		if equalFold(l.name, name) {
			return false
		}
	}
	return true
}

// accept checks a request and makes the Worker's view of it, without its body.
func (x *exchange) accept(ctx *fasthttp.RequestCtx) (*request, *refusal) {
	h := &ctx.Request.Header
	if why := checkLine(h, x.c.in.URLBytes); why != nil {
		return nil, why
	}
	if why := x.header.read(h.RawHeaders(), x.c.peer.trusted); why != nil {
		return nil, why
	}
	x.header.takeBearer(x.c.in)
	if x.header.framing.length > x.c.in.BodyBytes {
		return nil, largeBody
	}
	https := x.c.peer.trusted && equalFold(x.header.proto, "https")
	r := acquireRequest()
	where, why := x.locate(r, h, https)
	if why != nil {
		r.Release()
		return nil, why
	}
	x.host = where.host
	x.fillHead(r, h.Method(), where, https)
	return r, nil
}

// locate finds out which host is meant and writes the absolute URL into r.url.
func (x *exchange) locate(r *request, h *fasthttp.RequestHeader, https bool) (authority, *refusal) {
	if x.header.hosts != 1 {
		return authority{}, badHost
	}
	where, ok := x.c.authority(x.header.host)
	if !ok {
		return authority{}, badHost
	}
	target := h.RequestURI()
	if len(target) == 1 && target[0] == '*' {
		if string(h.Method()) == "OPTIONS" {
			return authority{}, wholeServer
		}
		return authority{}, badTarget
	}
	r.url = r.url[:0]
	if target[0] != '/' {
		said, rest, ok := splitAbsolute(target)
		if !ok {
			return authority{}, badTarget
		}
		if again, ok := parseAuthority(string(said)); !ok || again.host != where.host || again.explicitPort(https) != where.explicitPort(https) {
			return authority{}, hostMismatch
		}
		target = append([]byte{'/'}, bytes.TrimPrefix(rest, []byte{'/'})...)
	}
	r.url = append(r.url, "http"...)
	if https {
		r.url = append(r.url, 's')
	}
	r.url = where.append(append(r.url, "://"...), https)
	if r.url, ok = appendTarget(r.url, target); !ok {
		return authority{}, badTarget
	}
	return where, nil
}

func (x *exchange) fillHead(r *request, method []byte, where authority, https bool) {
	head := abi.AppendRequestHead(r.head[:0], method, r.url)
	hostAt := len(r.url)
	r.url = where.append(r.url, https)
	head = abi.AppendHeader(head, 0, "host", r.url[hostAt:])
	for i := range x.header.lines {
		if l := &x.header.lines[i]; x.header.forwards(l) {
			head = abi.AppendHeader(head, 0, l.name, l.value)
		}
	}
	client := x.c.peer.text
	if x.header.forwardedFor != "" {
		client = clientOf(x.c.peer, x.header.forwardedFor, x.c.in.TrustedProxies)
	}
	head = abi.AppendHeader(head, 0, "cf-connecting-ip", client)
	head = abi.AppendHeader(head, 0, "x-real-ip", client)
	r.head, r.Head = head, abi.RequestHead(head)
}
