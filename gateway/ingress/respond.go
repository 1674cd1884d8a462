package ingress

import (
	"net"
	"strconv"

	"github.com/valyala/fasthttp"

	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// copyBody is the size up to which a body is copied into fasthttp's buffer, so that it can be
// released before it is written.
const copyBody = 16 << 10

// reasonPhrases are those that Workers have otherwise than fasthttp.
var reasonPhrases = map[int][]byte{
	413: []byte("Payload Too Large"),
	414: []byte("URI Too Long"),
	416: []byte("Range Not Satisfiable"),
}

// respond writes what the engine returned. It owns resp.
func (x *exchange) respond(ctx *fasthttp.RequestCtx, resp *isolate.Response) {
	status := resp.Head.Status()
	coded, ok := x.copyHeader(ctx, resp.Head.Headers())
	if status < 200 || status > 599 || !ok {
		x.c.in.Logger.Warn("ingress: response head is not valid", "host", x.host, "status", status)
		resp.Release()
		ctx.Response.Reset()
		x.page(ctx, *badResponse)
		x.end()
		return
	}
	ctx.Response.Header.SetStatusCode(status)
	if coded {
		x.decode(ctx, resp)
	}
	if resp.StatusText != "" {
		ctx.Response.Header.SetStatusMessage([]byte(resp.StatusText))
	} else if phrase, ok := reasonPhrases[status]; ok {
		ctx.Response.Header.SetStatusMessage(phrase)
	}
	x.c.in.metrics.answered(status)
	x.tellOperator(ctx)
	switch size := resp.Body.Size(); {
	case ctx.IsHead():
		x.announce(ctx, resp)
	case nullBody(status) || size == 0:
	case resp.Body.Stream == nil && size <= copyBody:
		ctx.Response.SetBody(resp.Body.Bytes)
	default:
		x.stream(ctx, resp, size)
		return
	}
	resp.Release()
	x.end()
}

// nullBody reports whether the Fetch standard gives a status no body.
func nullBody(status int) bool { return status == 204 || status == 205 || status == 304 }

// copyHeader reports ok false for a header that could split or garble the message. Guests' heads
// were checked when they crossed; this is the last place where it can be seen. coded says that there
// is a content coding.
func (x *exchange) copyHeader(ctx *fasthttp.RequestCtx, block abi.HeaderBlock) (coded, ok bool) {
	var scratch [64]byte
	for len(block) > 0 {
		var name, value []byte
		name, value, block = block.Next()
		lower, ok := lowerName(scratch[:0], name)
		if !ok || !sendableValue(value) {
			return false, false
		}
		coded = coded || string(lower) == "content-encoding"
		switch {
		case string(lower) == "content-type": // as below, without the search for what it is
			ctx.Response.Header.SetContentTypeBytes(value)
		case !responseDrop(lower):
			ctx.Response.Header.AddBytesKV(name, value)
		}
	}
	return coded, true
}

// sendableValue is laxer than validValue: an origin's controls are its own affair, as long as
// they do not end the line.
func sendableValue(value []byte) bool {
	for _, c := range value {
		if c == 0 || c == '\r' || c == '\n' {
			return false
		}
	}
	return true
}

// announce gives the response to a HEAD the length that a GET would have.
func (x *exchange) announce(ctx *fasthttp.RequestCtx, resp *isolate.Response) {
	size := resp.Body.Size()
	if size <= 0 {
		n, err := strconv.ParseUint(string(resp.Head.Headers().Get("content-length")), 10, 62)
		if err != nil {
			return
		}
		size = int64(n)
	}
	ctx.Response.Header.SetContentLength(int(size))
}

// stream leaves the body to download, which releases resp.
func (x *exchange) stream(ctx *fasthttp.RequestCtx, resp *isolate.Response, size int64) {
	x.download.start(resp)
	if size < 0 && !ctx.Request.Header.IsHTTP11() {
		x.streamToClose(ctx)
		return
	}
	ctx.Response.ImmediateHeaderFlush = resp.Body.Stream != nil
	ctx.Response.SetBodyStream(&x.download, int(size))
}

// streamToClose sends a body of unknown length to an HTTP/1.0 client, which knows no chunks:
// the end of the connection is the end of the body. fasthttp cannot, so we write it.
func (x *exchange) streamToClose(ctx *fasthttp.RequestCtx) {
	ctx.Response.Header.SetContentLength(-2) // by connection close
	head := append([]byte(nil), ctx.Response.Header.Header()...)
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(c net.Conn) {
		defer x.download.Close()
		if _, err := c.Write(head); err == nil {
			x.download.WriteTo(c)
		}
	})
}

// tellOperator adds what only the operator may know of a call: a tenant could time itself.
func (x *exchange) tellOperator(ctx *fasthttp.RequestCtx) {
	if !x.operator() {
		return
	}
	ctx.Response.Header.Set("X-Switchyard-Isolate", x.event.Isolate)
	ctx.Response.Header.Set("X-Switchyard-Cpu-Us", strconv.FormatInt(x.event.CPU.Microseconds(), 10))
}
