package ingress

import (
	"strings"

	"github.com/valyala/fasthttp"

	"switchyard/isolate"
)

// decode makes a response one of plain bytes for a client that knows no other. A validator that
// stood for the coded bytes is weak then.
func (x *exchange) decode(ctx *fasthttp.RequestCtx, resp *isolate.Response) {
	coding := x.decodes(ctx, resp)
	if coding == isolate.CodingIdentity {
		return
	}
	h := &ctx.Response.Header
	h.Del(fasthttp.HeaderContentEncoding)
	h.Add(fasthttp.HeaderVary, fasthttp.HeaderAcceptEncoding)
	if tag := string(h.Peek(fasthttp.HeaderETag)); strings.HasPrefix(tag, `"`) {
		h.Set(fasthttp.HeaderETag, "W/"+tag)
	}
	resp.Body.Decode(coding)
}

// decodes says that a response's body must be decoded here, because the client did not ask for the
// coding that it has: a Worker that passes an origin's gzip on does not look at what its client
// knows. What is only a part of the coded bytes, or must not be changed, goes out as it is.
func (x *exchange) decodes(ctx *fasthttp.RequestCtx, resp *isolate.Response) isolate.Coding {
	headers := resp.Head.Headers()
	coding := isolate.CodingOf(headers)
	if coding == isolate.CodingIdentity || resp.Head.Status() == fasthttp.StatusPartialContent {
		return isolate.CodingIdentity
	}
	if strings.Contains(strings.ToLower(string(headers.Get("cache-control"))), "no-transform") {
		return isolate.CodingIdentity
	}
	for _, value := range ctx.Request.Header.PeekAll(fasthttp.HeaderAcceptEncoding) {
		if coding.AcceptedBy(string(value)) {
			return isolate.CodingIdentity
		}
	}
	return coding
}
