package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"switchyard/engine"
	"switchyard/engine/store"
	"switchyard/gateway"
	"switchyard/gateway/control"
	"switchyard/gateway/egress"
	"switchyard/gateway/ingress"
	"switchyard/isolate"
	"switchyard/isolate/js"
)

func serveCommand(args []string, stdout, stderr io.Writer) error {
	c, err := parseConfig(args, stderr)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once, as it would by itself
	defer stop()
	spareProcessor()
	s := &server{config: c, log: slog.New(slog.NewTextHandler(stderr, nil))}
	return s.serve(ctx, stdout)
}

// spareProcessor gives Go one processor more than the machine has, unless the environment or a
// container says how many: the slow lane leaves one of the machine's to short calls, and Go's
// scheduler looks for what came in over the network only when one of its own has nothing to do.
func spareProcessor() {
	if n := runtime.NumCPU(); os.Getenv("GOMAXPROCS") == "" && runtime.GOMAXPROCS(0) == n {
		runtime.GOMAXPROCS(n + 1)
	}
}

// server is one running platform. It opens in the order listeners, store, guests, ways in, so
// that a taken port or a locked directory is known before anything costs time, and closes in
// the opposite one.
type server struct {
	config
	log *slog.Logger

	ingressLn, controlLn, metricsLn net.Listener
	demoLn                          net.Listener // of the demo's origin; nil without --demo
	runtime                         *isolate.Runtime
	engine                          *engine.Engine
	egress                          *egress.Client
	ingress                         *ingress.Ingress
	control                         *http.Server
	metrics                         *http.Server // nil without --metrics
	draining                        atomic.Bool
}

func (s *server) serve(ctx context.Context, stdout io.Writer) (err error) {
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.listen(); err != nil {
		return err
	}
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	token, made, err := resolveToken(&s.config)
	if err != nil {
		return err
	}
	s.Token = token
	if made {
		s.log.Info("serve: made a new admin token", "file", s.Data+"/token")
	}
	if err := s.open(); err != nil {
		return err
	}
	address := filepath.Join(s.Data, addressFile)
	if err := os.WriteFile(address, []byte("http://"+reachable(s.controlLn.Addr())+"\n"), 0o600); err != nil {
		return err
	}
	defer os.Remove(address)
	failed := s.start()
	fmt.Fprintf(stdout, "switchyard: ingress http://%s\n", s.ingressLn.Addr())
	fmt.Fprintf(stdout, "switchyard: control http://%s/client/v4\n", s.controlLn.Addr())
	if s.Demo {
		origin, err := s.startDemo(ctx, stdout)
		if err != nil {
			return fmt.Errorf("--demo: %w", err)
		}
		defer origin.Close()
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		s.log.Info("serve: draining", "grace", s.Grace)
		return nil
	}
}

// reachable is where this machine reaches a listener that may be on every address.
func reachable(at net.Addr) string {
	addr := at.(*net.TCPAddr)
	switch {
	case !addr.IP.IsUnspecified():
		return addr.String()
	case addr.IP.To4() != nil:
		return fmt.Sprintf("127.0.0.1:%d", addr.Port)
	}
	return fmt.Sprintf("[::1]:%d", addr.Port)
}

// listen takes every port first: the commonest mistake is one that is taken.
func (s *server) listen() (err error) {
	if s.ingressLn, err = net.Listen("tcp", s.Listen); err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	if s.controlLn, err = net.Listen("tcp", s.Control); err != nil {
		return fmt.Errorf("--control: %w", err)
	}
	if s.Metrics != "" {
		if s.metricsLn, err = net.Listen("tcp", s.Metrics); err != nil {
			return fmt.Errorf("--metrics: %w", err)
		}
	}
	if s.Demo {
		if s.demoLn, err = listenDemo(); err != nil {
			return fmt.Errorf("--demo: %w", err)
		}
	}
	return nil
}

// open makes everything behind the listeners.
func (s *server) open() (err error) {
	binary, err := js.Engine()
	if err != nil {
		return err
	}
	derived, err := store.OpenDerived(filepath.Join(s.Data, "derived"), s.log)
	if err != nil {
		return err
	}
	if s.runtime, err = isolate.NewRuntime(isolate.Options{
		Engine: binary, Prelude: js.Prelude(), Memory: int64(s.Limits.Memory) << 20, MaxIsolates: s.Limits.Isolates, WarmMemory: int64(s.Limits.Warm) << 20,
		Suspended: s.Limits.Suspended, StartupCPU: time.Duration(s.Limits.Startup) * time.Millisecond, Logger: s.log,
		Derived: derived, Compiler: s.Limits.compiler(),
	}); err != nil {
		return err
	}
	loop := gateway.NewLoop()
	if s.egress, err = egress.New(s.egressOptions(loop)); err != nil {
		return err
	}
	s.engine, err = engine.Open(engine.Options{
		Dir: s.Data, Runtime: s.runtime, Derived: derived, Egress: s.egress, Entry: s.Entry, Namespace: s.Namespace, Fallback: s.Fallback == fallbackBuiltIn,
		Limits: s.Limits.limits(), PlainLimits: s.PlainLimits.limits(), Logger: s.log,
		AuditAge: time.Duration(s.Audit.Days) * 24 * time.Hour, AuditEntries: s.Audit.Entries,
		CacheBytes: s.Cache.Total << 20, ScriptCacheBytes: s.Cache.Script << 20, AssetCacheBytes: s.Cache.Assets << 20,
		UsageFlush: s.Usage.Flush, KeepMinutes: s.Usage.MinutesFor, KeepHours: s.Usage.HoursFor, KeepDays: s.Usage.DaysFor,
		MetricScripts: s.Usage.MetricScripts,
	})
	if err != nil {
		return err
	}
	proxies := make([]netip.Prefix, len(s.TrustedProxies))
	for i, p := range s.TrustedProxies {
		proxies[i] = netip.MustParsePrefix(p)
	}
	page, err := s.readPage()
	if err != nil {
		return err
	}
	if s.ingress, err = ingress.New(ingress.Options{
		Handler: s.engine, Token: s.Token, TrustedProxies: proxies, Loop: loop, Logger: s.log, BodyBytes: s.Limits.RequestBytes,
		Page: page,
	}); err != nil {
		return err
	}
	s.control = &http.Server{
		Handler: control.New(control.Options{
			Platform: s.engine, Observer: s.engine, Token: s.Token, Account: s.Account, AllowedHosts: s.ControlHosts, Health: s.ready,
			Metrics: s.writeMetrics, Version: version(), Logger: s.log,
		}),
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
	}
	if s.metricsLn != nil {
		s.metrics = &http.Server{Handler: http.HandlerFunc(s.serveMetrics), ReadHeaderTimeout: 10 * time.Second}
	}
	return nil
}

func (s *server) egressOptions(loop *gateway.Loop) egress.Options {
	var own []netip.AddrPort
	for _, ln := range []net.Listener{s.ingressLn, s.controlLn, s.metricsLn} {
		if ln != nil {
			own = append(own, ln.Addr().(*net.TCPAddr).AddrPort())
		}
	}
	allow := s.Egress.Allow
	if s.Demo {
		allow = append(allow, s.demoLn.Addr().String())
	}
	return egress.Options{Allow: allow, Deny: s.Egress.Deny, Own: own, Loop: loop, Logger: s.log}
}

// start lets requests in. What it returns yields the first listener's failure.
func (s *server) start() <-chan error {
	failed := make(chan error, 3)
	go func() { failed <- s.ingress.Serve(s.ingressLn) }() // ends by Shutdown in close
	go func() { failed <- s.control.Serve(s.controlLn) }() // ends by Shutdown in close
	if s.metrics != nil {
		go func() { failed <- s.metrics.Serve(s.metricsLn) }() // ends by Shutdown in close
	}
	return failed
}

// ready is what /readyz says.
func (s *server) ready() error {
	if s.draining.Load() {
		return errors.New("draining")
	}
	return s.engine.Ready()
}

func (s *server) writeMetrics(w io.Writer) {
	s.engine.WriteMetrics(w)
	s.ingress.WriteMetrics(w)
	s.egress.WriteMetrics(w)
	writeProcessMetrics(w)
}

func (s *server) serveMetrics(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/metrics" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	s.writeMetrics(w)
}

// close drains and gives everything back; it may find the server opened in part.
func (s *server) close() error {
	s.draining.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), s.Grace)
	defer cancel()
	var errs []error
	if s.ingress != nil {
		if err := s.ingress.Shutdown(ctx); err != nil {
			s.log.Warn("serve: requests were cut off", "reason", err)
		}
	}
	for _, h := range []*http.Server{s.control, s.metrics} {
		if h != nil {
			h.Shutdown(ctx)
			h.Close()
		}
	}
	if s.engine != nil {
		if err := s.engine.Drain(ctx); err != nil {
			s.log.Warn("serve: work under waitUntil was cut off", "reason", err)
		}
	}
	for _, ln := range []net.Listener{s.ingressLn, s.controlLn, s.metricsLn, s.demoLn} {
		if ln != nil {
			ln.Close()
		}
	}
	if s.engine != nil {
		errs = append(errs, s.engine.Close())
	}
	if s.egress != nil {
		s.egress.Close()
	}
	if s.runtime != nil {
		errs = append(errs, s.runtime.Close())
	}
	return errors.Join(errs...)
}
