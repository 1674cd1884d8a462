package control

import (
	"bytes"
	"io"
	"net/http"
)

// probe answers the two paths that need neither token nor a known Host: orchestrators and load
// balancers have neither. They tell nothing but yes or no.
func (s *server) probe(w http.ResponseWriter, r *http.Request) bool {
	switch r.URL.Path {
	case "/healthz":
		plain(w, http.StatusOK, "ok\n")
	case "/readyz":
		if err := s.Health(); err != nil {
			s.Logger.Warn("control: not ready", "reason", err)
			plain(w, http.StatusServiceUnavailable, "not ready\n")
			break
		}
		plain(w, http.StatusOK, "ready\n")
	default:
		return false
	}
	return true
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	io.WriteString(w, text)
}

// metrics is the Prometheus text, for whoever has the token.
func (s *server) metrics(c *call) (any, error) {
	if s.Metrics == nil {
		return nil, fail(http.StatusNotFound, codeNoRoute, "this server keeps no metrics")
	}
	var buf bytes.Buffer
	s.Metrics(&buf)
	return raw{contentType: "text/plain; version=0.0.4; charset=utf-8", body: buf.Bytes()}, nil
}
