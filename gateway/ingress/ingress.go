// Package ingress is the way in: an HTTP/1.1 server on fasthttp that hands every request,
// checked and in canonical form, to the engine, and writes back what comes out.
//
// Where to look:
//
//	listener, conn   a client's connection: ceilings, deadlines, lingering close
//	client, watch    learning that a client has left while its call still runs
//	exchange         one request and its response on a connection
//	strict, header   which requests are refused, which headers are dropped
//	host, target     one canonical host and one WHATWG URL, for the router and for the Worker
//	upload, download bodies
//	respond          response heads, error pages
package ingress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/valyala/fasthttp"

	"switchyard/engine"
	"switchyard/gateway"
	"switchyard/isolate"
)

// Handler answers events; *engine.Engine is one. It owns ev.Request, whatever it returns.
type Handler interface {
	Serve(ev *engine.Event) (*isolate.Response, error)
}

// Options configure an Ingress. Zero means the default.
type Options struct {
	Handler        Handler        // required
	Token          string         // the operator's: requests that carry it (X-Switchyard-Token, or Bearer) learn isolate and CPU time. Default: nobody learns them.
	TrustedProxies []netip.Prefix // peers whose X-Forwarded-* are believed. Default: none.
	Loop           *gateway.Loop  // the egress' too; its hop counts reach it through Event.Context. Default: one of its own.
	Logger         *slog.Logger   // Default: slog.Default().

	// Page is HTML that is sent in place of the plain text of an error page where a Worker failed (a status of 5xx that the
	// Handler gives). Default: the plain text.
	Page []byte

	HeaderBytes   int           // request line and headers. One buffer of this size a connection. Default: 64 KiB.
	URLBytes      int           // request target. Default: 16 KiB.
	BodyBytes     int64         // request body. Default: 100 MiB.
	Conns         int           // open connections. Default: 32768.
	ConnsPerIP    int           // open connections of one IPv4 address or IPv6 /64; trusted proxies are exempt. Default: 16384.
	HeaderTimeout time.Duration // from a request's first byte to its header's end. Default: 10 s.
	IdleTimeout   time.Duration // between two requests. Default: 75 s.
	BodyTimeout   time.Duration // for the next bytes of a request body. Default: 30 s.
	BodyRate      int           // bytes per second that a body must reach on average, once it was waited 10 s for. Default: 240.
	WriteTimeout  time.Duration // for each piece of a response. Default: 30 s.
	GoneGrace     time.Duration // a client that closed its sending side still gets an answer that takes no longer. Default: 20 ms.
}

func (o Options) withDefaults() Options {
	if o.Loop == nil {
		o.Loop = gateway.NewLoop()
	}
	orDefault(&o.Logger, slog.Default())
	orDefault(&o.HeaderBytes, 64<<10)
	orDefault(&o.URLBytes, 16<<10)
	orDefault(&o.BodyBytes, 100<<20)
	orDefault(&o.Conns, 32768)
	orDefault(&o.ConnsPerIP, 16384)
	orDefault(&o.HeaderTimeout, 10*time.Second)
	orDefault(&o.IdleTimeout, 75*time.Second)
	orDefault(&o.BodyTimeout, 30*time.Second)
	orDefault(&o.BodyRate, 240)
	orDefault(&o.WriteTimeout, 30*time.Second)
	orDefault(&o.GoneGrace, 20*time.Millisecond)
	return o
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (o Options) check() error {
	switch {
	case o.Handler == nil:
		return errors.New("ingress: Handler is required")
	case o.HeaderBytes < 4<<10 || o.HeaderBytes > 128<<10:
		return fmt.Errorf("ingress: HeaderBytes is %d, must be 4096 to 131072", o.HeaderBytes)
	case o.URLBytes < 1<<10 || o.URLBytes > 16<<10:
		return fmt.Errorf("ingress: URLBytes is %d, must be 1024 to 16384", o.URLBytes)
	}
	return nil
}

// Ingress serves HTTP. It is made by New, runs in Serve and ends by Shutdown.
type Ingress struct {
	Options
	server  *fasthttp.Server
	conns   connTable
	watcher *watcher // nil where the system has none
	hosts   hostTable
	metrics meters
}

// New returns an Ingress that does not listen yet.
func New(o Options) (*Ingress, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	in := &Ingress{Options: o, metrics: newMeters()}
	in.conns.init()
	in.metrics.open(in.conns.len)
	var err error
	if in.watcher, err = newWatcher(&in.conns); err != nil {
		return nil, fmt.Errorf("ingress: watching for clients that leave: %w", err)
	}
	in.server = &fasthttp.Server{
		Handler:                      in.handle,
		ErrorHandler:                 in.unreadable,
		ExpectHandler:                in.expect,
		HeaderReceived:               in.headerReceived,
		Logger:                       serverLog{o.Logger},
		Concurrency:                  o.Conns,
		ReadBufferSize:               o.HeaderBytes,
		StreamRequestBody:            true,
		CloseOnShutdown:              true,
		DisablePreParseMultipartForm: true,
		NoDefaultServerHeader:        true,
		NoDefaultContentType:         true,
		SecureErrorLogMessage:        true,
	}
	return in, nil
}

// Serve accepts connections of ln until Shutdown, then returns nil. It is called once.
func (in *Ingress) Serve(ln net.Listener) error {
	return in.server.Serve(&listener{Listener: ln, in: in})
}

// Shutdown stops accepting, ends idle connections and lets requests in flight finish. When ctx
// ends before, it cancels their calls, closes their connections, and returns ctx's error.
func (in *Ingress) Shutdown(ctx context.Context) error {
	err := in.server.ShutdownWithContext(ctx)
	in.conns.each(func(c *conn) { c.abort() })
	in.watcher.close()
	return err
}

// WriteMetrics writes the ingress' metrics in the Prometheus text format.
func (in *Ingress) WriteMetrics(w io.Writer) { in.metrics.set.WritePrometheus(w) }

// headerReceived replaces the header's read deadline once a header is there: the first bytes of
// a body are read before the handler runs. Of a body that is too large not even those are
// waited for: fasthttp is told that there is none, and the handler, which reads the raw header,
// refuses it.
func (in *Ingress) headerReceived(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	n := h.ContentLength()
	if int64(n) > in.BodyBytes {
		h.SetContentLength(0)
	}
	if n == 0 || n == -2 {
		return fasthttp.RequestConfig{}
	}
	return fasthttp.RequestConfig{ReadTimeout: in.BodyTimeout}
}

// serverLog takes what fasthttp has to say: resets, time-outs and the like of single clients.
type serverLog struct{ *slog.Logger }

func (l serverLog) Printf(format string, args ...any) {
	l.Debug("ingress connection", "event", fmt.Sprintf(format, args...))
}
