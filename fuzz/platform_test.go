package fuzz

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"switchyard/engine"
	"switchyard/gateway"
	"switchyard/gateway/ingress"
	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// system is what is driven: *engine.Engine, or one with a deliberate fault around it.
type system interface {
	Serve(ev *engine.Event) (*isolate.Response, error)
	Namespaces() []engine.Namespace
	CreateNamespace(ctx context.Context, name string) (engine.Namespace, error)
	DeleteNamespace(ctx context.Context, name string) error
	Scripts(namespace string) ([]engine.Script, error)
	Deploy(ctx context.Context, ref engine.Ref, u engine.Upload) (engine.Script, error)
	AddVersion(ctx context.Context, ref engine.Ref, u engine.Upload) (engine.Version, error)
	Edit(ctx context.Context, ref engine.Ref, edit func(*engine.Upload) error) (engine.Script, error)
	DeleteScript(ctx context.Context, ref engine.Ref) error
	Versions(ref engine.Ref) ([]engine.Version, error)
	Deployments(ref engine.Ref) ([]engine.Deployment, error)
	AddDeployment(ctx context.Context, ref engine.Ref, shares []engine.Share, annotations map[string]string) (engine.Deployment, error)
	Content(ref engine.Ref) (main string, modules []isolate.Module, err error)
	Routes() []engine.Route
	PutRoute(ctx context.Context, pattern, script string) (engine.Route, error)
	DeleteRoute(ctx context.Context, id string) error
	Close() error
}

// fault puts something wrong around an engine; nil is none.
type fault func(system) system

// platform is a whole Switchyard in this process: a data directory, an engine over it that can
// be closed and opened again, and an ingress on a port of the loopback.
type platform struct {
	system
	options engine.Options
	fault   fault
	watch   *watch

	current atomic.Pointer[system] // what the ingress' requests go to
	ingress *ingress.Ingress
	served  chan error
	client  *http.Client
}

// openPlatform opens a platform in dir. entry says that every request goes to the dispatch
// Worker; else the built-in dispatcher has them.
func openPlatform(rt *isolate.Runtime, dir string, entry bool, f fault, w *watch) (*platform, error) {
	p := &platform{fault: f, watch: w, served: make(chan error, 1)}
	logger := slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p.options = engine.Options{Dir: dir, Runtime: rt, Egress: origin{w}, Log: w.guestLine, Logger: logger, MaxLoaded: 5}
	if entry {
		p.options.Entry = dispatcherRef.Script
	}
	if err := p.open(); err != nil {
		return nil, err
	}
	var err error
	if p.ingress, err = ingress.New(ingress.Options{Handler: p, Logger: logger}); err != nil {
		return nil, errors.Join(err, p.system.Close())
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, p.system.Close())
	}
	go func() { p.served <- p.ingress.Serve(ln) }() // close waits for it
	p.client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, ln.Addr().String())
		},
		DisableCompression: true,
	}}
	return p, nil
}

func (p *platform) open() error {
	e, err := engine.Open(p.options)
	if err != nil {
		return err
	}
	p.system = e
	if p.fault != nil {
		p.system = p.fault(e)
	}
	p.current.Store(&p.system)
	return nil
}

// Serve is the ingress' Handler.
func (p *platform) Serve(ev *engine.Event) (*isolate.Response, error) {
	return (*p.current.Load()).Serve(ev)
}

// restart closes the engine and opens it over the same directory. Nobody asks meanwhile.
func (p *platform) restart() error {
	if err := p.system.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return p.open()
}

// close ends everything; what it gives back is checked by whoever opened.
func (p *platform) close() error {
	p.client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(p.ingress.Shutdown(ctx), <-p.served, p.system.Close())
}

// origin is the world outside: an engine.Egress that answers by itself.
//
//	origin.test/CANARY       origin CANARY
//	origin.test/big/CANARY   CANARY, bigCount times, as a stream
//	hang.test                nothing, until the caller gives up
type origin struct{ watch *watch }

const bigCount = 4000

func (o origin) Fetch(ctx context.Context, tenant string, _ []*engine.EgressPolicy, req *isolate.Request) (*isolate.Response, error) {
	defer req.Release()
	url := string(req.Head.URL())
	o.watch.fetched(tenant, url)
	if strings.HasPrefix(url, "http://hang.test/") {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	time.Sleep(time.Duration(len(url)%3) * 2 * time.Millisecond) // so that requests wait beside one another
	resp := &isolate.Response{Head: abi.AppendResponseHead(nil, 200), URL: url}
	path := strings.TrimPrefix(url, "http://origin.test/")
	if text, ok := strings.CutPrefix(path, "big/"); ok {
		resp.Body = isolate.Body{Stream: &bodyReader{Reader: bytes.NewReader(bytes.Repeat([]byte(text), bigCount))}, Length: -1}
	} else {
		resp.Body.Bytes = []byte("origin " + path)
	}
	return resp, nil
}

// bodyReader ends when it is closed, as a connection does.
type bodyReader struct {
	*bytes.Reader
	closed atomic.Bool
}

func (b *bodyReader) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, net.ErrClosed
	}
	return b.Reader.Read(p)
}

func (b *bodyReader) Close() error {
	b.closed.Store(true)
	return nil
}

// statusOf is what the ingress makes of an error.
func statusOf(err error) (status int, body string) {
	s := gateway.StatusOf(err)
	return s.HTTP, s.Body()
}
