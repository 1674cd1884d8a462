package ingress

import (
	"errors"
	"net"
	"net/http"

	"github.com/valyala/fasthttp"

	"switchyard/gateway"
)

// refusal is why a request never reached the engine. The connection is closed after each: when
// a request is not understood, nobody can say where the next one begins.
type refusal = gateway.Status

var (
	badRequest    = &refusal{HTTP: http.StatusBadRequest, Message: "Bad request"}
	badHost       = &refusal{HTTP: http.StatusBadRequest, Message: "Host is missing or not valid"}
	badTarget     = &refusal{HTTP: http.StatusBadRequest, Message: "Request target is not valid"}
	hostMismatch  = &refusal{HTTP: http.StatusBadRequest, Message: "Request target and Host name different hosts"}
	badHeader     = &refusal{HTTP: http.StatusBadRequest, Message: "Header is not valid"}
	badFraming    = &refusal{HTTP: http.StatusBadRequest, Message: "Content-Length and Transfer-Encoding are not valid"}
	badCoding     = &refusal{HTTP: http.StatusNotImplemented, Message: "Transfer coding is not supported"}
	badMethod     = &refusal{HTTP: http.StatusNotImplemented, Message: "Method is not supported"}
	noMethod      = &refusal{HTTP: http.StatusMethodNotAllowed, Message: "Method is not allowed"}
	badVersion    = &refusal{HTTP: http.StatusHTTPVersionNotSupported, Message: "HTTP version is not supported"}
	badExpect     = &refusal{HTTP: http.StatusExpectationFailed, Message: "Expectation is not supported"}
	longURL       = &refusal{HTTP: http.StatusRequestURITooLong, Message: "URL is too long"}
	longHeader    = &refusal{HTTP: http.StatusRequestHeaderFieldsTooLarge, Message: "Header is too large"}
	largeBody     = &refusal{HTTP: http.StatusRequestEntityTooLarge, Message: "Request body is too large"}
	slowClient    = &refusal{HTTP: http.StatusRequestTimeout, Message: "Request took too long to arrive"}
	wholeServer   = &refusal{HTTP: http.StatusOK, Message: "Switchyard"} // OPTIONS *
	badResponse   = &refusal{HTTP: http.StatusInternalServerError, Code: 1101, Message: "Worker threw exception"}
	internalError = &refusal{HTTP: http.StatusInternalServerError, Message: "Internal error"}
)

// known says that Workers see a method: HTTP's own, WebDAV's and some that caches and discovery
// use. They are case-sensitive.
func known(method string) bool {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY",
		"ACL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "LABEL", "LINK", "LOCK", "MERGE",
		"MKACTIVITY", "MKCALENDAR", "MKCOL", "MKREDIRECTREF", "MKWORKSPACE", "MOVE",
		"ORDERPATCH", "PROPFIND", "PROPPATCH", "REBIND", "REPORT", "SEARCH", "UNBIND", "UNCHECKOUT",
		"UNLINK", "UNLOCK", "UPDATE", "UPDATEREDIRECTREF", "VERSION-CONTROL", "M-SEARCH", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "PURGE", "BAN":
		return true
	}
	return false
}

// checkLine looks at the request line. fasthttp lets every version and every method pass.
func checkLine(h *fasthttp.RequestHeader, maxURL int) *refusal {
	switch version := h.Protocol(); {
	case string(version) != "HTTP/1.1" && string(version) != "HTTP/1.0":
		return badVersion
	case len(h.RequestURI()) > maxURL:
		return longURL
	}
	method := h.Method()
	if known(string(method)) {
		return nil
	}
	if string(method) == "CONNECT" || string(method) == "TRACE" {
		return noMethod
	}
	return badMethod
}

// framing is what a header says about the body's length.
type framing struct {
	lengths int   // Content-Length headers
	length  int64 // what the last of them says
	codings int   // Transfer-Encoding headers
	chunked bool
}

// check refuses everything that two servers could read differently.
func (f framing) check() *refusal {
	switch {
	case f.lengths > 1 || f.codings > 1 || f.lengths > 0 && f.codings > 0:
		return badFraming
	case f.codings == 1 && !f.chunked:
		return badCoding
	}
	return nil
}

// unreadable answers a request that fasthttp could not parse. Its method is not known, it may
// be HEAD: there is no body.
func (in *Ingress) unreadable(ctx *fasthttp.RequestCtx, err error) {
	c, ok := ctx.Conn().(*conn)
	if !ok {
		return
	}
	c.exchange.refuse(ctx, refusalOf(err))
	ctx.Response.ResetBody()
}

func refusalOf(err error) *refusal {
	var small *fasthttp.ErrSmallBuffer
	var netErr net.Error
	switch {
	case errors.As(err, &small):
		return longHeader
	case errors.As(err, &netErr) && netErr.Timeout():
		return slowClient
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return largeBody
	case errors.Is(err, fasthttp.ErrUnsupportedTransferEncoding):
		return badCoding
	}
	return badRequest
}

// expect decides about a request that waits for "100 Continue" before it sends its body, so
// that what will be refused is refused before the body travels.
func (in *Ingress) expect(ctx *fasthttp.RequestCtx) int {
	x := &ctx.Conn().(*conn).exchange
	req, why := x.accept(ctx)
	if why == nil {
		req.Release()
		return fasthttp.StatusContinue
	}
	x.c.linger.Store(true)
	in.metrics.answered(why.HTTP)
	return why.HTTP
}
