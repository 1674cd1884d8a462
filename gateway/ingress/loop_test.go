package ingress

import (
	"fmt"
	"strings"
	"testing"

	"switchyard/engine"
	"switchyard/gateway"
	"switchyard/isolate"
)

// TestHops: the count that the egress sealed reaches the call's context, a forged one does
// not, and neither is seen by the Worker.
func TestHops(t *testing.T) {
	loop := gateway.NewLoop()
	_, addr := start(t, func(ev *engine.Event) (*isolate.Response, error) {
		defer ev.Request.Release()
		return text(200, fmt.Sprint(gateway.Hops(ev.Context), ev.Request.Head.Headers().Get(gateway.LoopHeader) != nil)), nil
	}, func(o *Options) { o.Loop = loop })
	for value, want := range map[string]string{loop.Seal(5): "5 false", gateway.NewLoop().Seal(5): "0 false", "": "0 false"} {
		r := send(t, addr, "GET / HTTP/1.1\r\nHost: h\r\n"+strings.ToUpper(gateway.LoopHeader)+": "+value+"\r\n\r\n", quiet)
		if len(r.bodies) != 1 || r.bodies[0] != want {
			t.Errorf("%q: %q, want %q", value, r.bodies, want)
		}
	}
}
