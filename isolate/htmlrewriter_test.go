package isolate

import "testing"

// TestHTMLRewriter: what handlers see and what they make, byte for byte as on workerd.
func TestHTMLRewriter(t *testing.T) { tellStories(t, "htmlrewriter") }

// A rewriter may be made at module scope, and serves many responses; a document without an end goes
// through as it comes, until the CPU limit.
func TestHTMLRewriterStreams(t *testing.T) {
	p := newTestPool(t, jsSpec(`
const rewriter = new HTMLRewriter().on("p", { element(e) { e.after("!"); } });
let scope = "";
try { rewriter.transform(new Response("<p>")); } catch (e) { scope = e.message.slice(0, 19); }
export default { async fetch(request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/scope") return new Response(scope);
  if (pathname === "/two") return new Response(await rewriter.transform(new Response("<p>a</p>")).text() + await rewriter.transform(new Response("<p>b</p>")).text());
  let pulled = 0;
  const endless = new ReadableStream({ pull(c) { pulled++; c.enqueue(new TextEncoder().encode("<p>x</p>")); } }, { highWaterMark: 0 });
  const reader = rewriter.transform(new Response(endless)).body.getReader();
  if (pathname === "/first") {
    const { value } = await reader.read();
    const seen = pulled;
    await reader.cancel();
    return new Response(new TextDecoder().decode(value) + seen);
  }
  for (;;) await reader.read();
} }`))
	for path, want := range map[string]string{
		"scope": "200 Disallowed operatio", "two": "200 <p>a</p>!<p>b</p>!", "first": "200 <p>x</p>!1", "endless": "error: CPU",
	} {
		wants(t, p, &fakeHost{}, testRequest("GET", "http://a.test/"+path, ""), want)
	}
}
