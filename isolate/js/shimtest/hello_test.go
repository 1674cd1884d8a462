package shimtest

import (
	"testing"

	"switchyard/isolate/js"
)

func TestHello(t *testing.T) {
	g := newGuest(t, js.Prelude())
	if e := g.start(moduleES, "main.js", module{"main.js", `export default { fetch(r) { return new Response("Hello " + new URL(r.url).pathname) } }`, moduleES}); e != "" {
		t.Fatal(e)
	}
	a := g.event(1, event{url: "https://example.com/a/b?c"})
	t.Logf("%+v", a)
}
