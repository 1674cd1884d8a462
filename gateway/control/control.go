// Package control is the REST API of the platform: what wrangler, the SDKs and an operator's
// own scripts call to create namespaces and to upload Workers. It speaks the public API under
// /client/v4, so that those clients work unmodified; API.md lists what there is.
//
// It holds no state of its own: it decodes a request, calls the Platform, and encodes what
// came back. Everything that decides anything lives in the engine.
package control

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// Options configure the API. Platform and Token are required.
type Options struct {
	Platform     Platform
	Observer     Observer        // Default: there are no tails and no logs.
	Token        string          // the operator's, which may do everything
	Account      string          // account id in paths. Default: 32 zeros.
	AllowedHosts []string        // names beside localhost and address literals that Host may be. Default: none.
	Health       func() error    // nil means ready. Default: always ready.
	Metrics      func(io.Writer) // writes the Prometheus text. Default: /metrics is not there.
	Version      string          // shown in the Server header. Default: "dev".
	Logger       *slog.Logger    // Default: slog.Default().

	MaxUpload  int64 // bytes of one upload. Default: 64 MiB.
	MaxUploads int   // uploads held in memory at once; more of them wait. Default: 4.
}

func (o Options) withDefaults() Options {
	if o.Account == "" {
		o.Account = strings.Repeat("0", 32)
	}
	if o.Health == nil {
		o.Health = func() error { return nil }
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.MaxUpload == 0 {
		o.MaxUpload = 64 << 20
	}
	if o.MaxUploads == 0 {
		o.MaxUploads = 4
	}
	return o
}

// server is the handler.
type server struct {
	Options
	credential credential
	hosts      hostGuard
	routes     router
	uploads    chan struct{} // one element an upload in memory
}

// New returns the handler of the control listener.
func New(o Options) http.Handler {
	if o.Platform == nil || o.Token == "" {
		panic("BUG: control.New without Platform or Token")
	}
	o = o.withDefaults()
	s := &server{Options: o, credential: newCredential(o.Token), hosts: newHostGuard(o.AllowedHosts)}
	s.uploads = make(chan struct{}, o.MaxUploads)
	for _, e := range s.endpoints() {
		s.routes.handle(e.method, e.pattern, e.endpoint)
	}
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &statusRecorder{ResponseWriter: w}
	start := time.Now()
	defer s.finish(rec, r, start)
	h := w.Header()
	h.Set("Server", "switchyard/"+s.Version)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	s.serve(rec, r)
}

// finish logs the request. A panic of ours becomes a 500 and a log line, and the process lives:
// every tenant's traffic depends on it.
func (s *server) finish(w *statusRecorder, r *http.Request, start time.Time) {
	if v := recover(); v != nil {
		if v == http.ErrAbortHandler {
			panic(v)
		}
		s.Logger.Error("control: panic", "panic", v, "method", r.Method, "path", r.URL.Path, "stack", string(debug.Stack()))
		if w.status == 0 {
			writeProblem(w, fail(http.StatusInternalServerError, codeInternal, "internal error: see the server's log"))
		}
	}
	level := slog.LevelDebug
	if w.status >= 500 {
		level = slog.LevelWarn
	} else if r.Method != http.MethodGet && r.Method != http.MethodHead {
		level = slog.LevelInfo // every change of state leaves a line
	}
	s.Logger.Log(r.Context(), level, "control", "method", r.Method, "path", r.URL.Path,
		"status", w.status, "ms", time.Since(start).Milliseconds(), "peer", r.RemoteAddr)
}

func (s *server) serve(w *statusRecorder, r *http.Request) {
	if s.probe(w, r) || s.serveTail(w, r) {
		return
	}
	result, err := s.answer(w, r)
	if err != nil {
		writeProblem(w, s.explain(err, r))
		return
	}
	writeResult(w, result)
}

// answer takes one request through its gates: host, token, route, account, scope, endpoint.
func (s *server) answer(w http.ResponseWriter, r *http.Request) (any, error) {
	if p := s.hosts.check(r); p != nil {
		return nil, p
	}
	who, p := s.authenticate(r)
	if p != nil && !isAssetUpload(r) {
		return nil, p
	}
	path, err := decodedSegments(r.URL)
	if err != nil {
		return nil, fail(http.StatusBadRequest, codeNoRoute, "path is not valid: "+err.Error())
	}
	n, params := s.routes.match(path)
	if n == nil {
		return nil, fail(http.StatusNotFound, codeNoRoute, "No route for that URI: "+quote(r.URL.Path))
	}
	to := n.target(r.Method)
	if to == nil {
		w.Header().Set("Allow", n.allow())
		return nil, fail(http.StatusMethodNotAllowed, codeMethod, "Method "+quote(r.Method)+" not available for that URI, only "+n.allow())
	}
	if p := s.checkAccount(params); p != nil {
		return nil, p
	}
	return s.audited(to, &call{w: w, r: r, params: params, who: who}, func(c *call) (any, error) {
		if p := s.permit(who, c.r, to, params); p != nil {
			return nil, p
		}
		return to.endpoint(c)
	})
}

func (s *server) checkAccount(params map[string]string) *problem {
	if a, ok := params["account"]; ok && a != s.Account {
		return fail(http.StatusNotFound, codeAccount, "account "+quote(a)+" is not served here: this server's account is "+s.Account)
	}
	return nil
}

// explain turns any error into what the client is told, and logs what it is not told.
func (s *server) explain(err error, r *http.Request) *problem {
	p := problemOf(err, r.URL.Path)
	if p.status >= 500 && !errors.As(err, new(*problem)) {
		s.Logger.Error("control: request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	return p
}

// statusRecorder remembers the status for the log line.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (w *statusRecorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusRecorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

func (w *statusRecorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
