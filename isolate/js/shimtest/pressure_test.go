package shimtest

import (
	"math/rand/v2"
	"testing"

	"switchyard/isolate/js"
)

const pressureScript = `
const encoder = new TextEncoder();
export default { async fetch(r, env, ctx) {
	const u = new URL(r.url); u.searchParams.append("k", "v".repeat(50)); u.searchParams.sort(); u.hash = "\u00e9";
	const h = new Headers(r.headers); h.set("a", "b".repeat(100)); for (const [k, v] of h) h.append(k, v);
	const q = new Request(u, { method: "POST", body: JSON.stringify([...h]), headers: h });
	const c = q.clone(), d = q.clone();
	ctx.waitUntil(c.text());
	const f = fetch(q).catch(() => {});
	const text = await d.text().catch((e) => e.message);
	const s = new Response(new ReadableStream({ start(c) { c.enqueue(encoder.encode(text)); c.close() } }));
	setTimeout(() => {}, 1);
	return new Response(await s.text(), { headers: h, statusText: "x" });
} }`

// pressed runs one event in a fresh copy of the image under a heap limit.
func (g *guest) pressed(image []byte, limit uint32) answer {
	g.t.Helper()
	g.mod.Memory().Write(0, image)
	g.calls = nil
	delete(g.answers, 1)
	g.enter(js.OpLimit, limit, 0, 0)
	a := g.event(1, event{url: "https://example.com/a?x=1", headers: "a: 1\nb: 2\n"})
	for _, c := range g.calls {
		if c.op == js.HostFetch {
			g.fetched(c, 200, 5, 6, "a: b\n", "")
		}
	}
	return a
}

// TestMemoryPressure runs a busy handler under random heap limits below what it needs: wherever
// memory ends, natives throw, and nothing traps.
func TestMemoryPressure(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	g := worker(t, pressureScript)
	memory, _ := g.mod.Memory().Read(0, g.mod.Memory().Size())
	image := append([]byte(nil), memory...)
	enough := uint32(4 << 20)
	for !g.pressed(image, enough-4<<10).failure {
		enough -= 4 << 10
	}
	messages := map[string]int{}
	for range 1000 {
		a := g.pressed(image, enough-random.Uint32N(40<<10))
		messages[a.message]++
	}
	t.Logf("%d bytes are enough; below: %v", enough, messages)
	if messages["InternalError: out of memory"] == 0 {
		t.Error("no run ended for want of memory")
	}
}
