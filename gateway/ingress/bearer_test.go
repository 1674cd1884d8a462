package ingress

import (
	"testing"

	"switchyard/engine"
	"switchyard/isolate"
)

// TestBearer: the operator's token never reaches a Worker, however its scheme is spelt; a
// tenant's own authorization does.
func TestBearer(t *testing.T) {
	var seen string
	_, addr := start(t, func(ev *engine.Event) (*isolate.Response, error) {
		seen = string(ev.Request.Head.Headers().Get("authorization"))
		ev.Request.Release()
		return text(200, "ok"), nil
	}, func(o *Options) { o.Token = "sesame" })
	for value, want := range map[string]string{
		"Bearer sesame": "", "bearer sesame": "", "BEARER sesame": "",
		"Bearer open": "Bearer open", "Basic sesame": "Basic sesame", "Bearer ": "Bearer", "sesame": "sesame",
		"Bearer sesame\r\nAuthorization: Bearer sesame": "",
	} {
		seen = "none"
		send(t, addr, "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: "+value+"\r\n\r\n", quiet)
		if seen != want {
			t.Errorf("%q reached the Worker as %q, want %q", value, seen, want)
		}
	}
}
