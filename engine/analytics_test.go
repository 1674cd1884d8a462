package engine

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// points are the points that q asks for, as text.
func (p *platform) points(q DataQuery) string {
	p.t.Helper()
	var all []string
	err := p.DataPoints(q, func(d DataPoint) bool {
		all = append(all, fmt.Sprint(d.Index, d.Blobs, d.Doubles))
		return true
	})
	if err != nil {
		p.t.Error(err)
	}
	return strings.Join(all, " ")
}

func TestAnalyticsOfWorkers(t *testing.T) {
	p := openReal(t)
	p.deploy("dispatcher", `export default { async fetch(request, env) {
		return env.NS.get(new URL(request.url).hostname.split(".")[0]).fetch(request).catch((e) => new Response("caught: " + e.message));
	} };`, dispatchTo("NS", "production", nil))
	const worker = `
const said = (f) => { try { return String(f()); } catch (e) { return e.name + ": " + e.message; } };
export default { fetch(request, env, ctx) {
	const { pathname } = new URL(request.url), { AE } = env;
	if (pathname === "/odd") return new Response([() => AE.writeDataPoint(5), () => AE.writeDataPoint({ indexes: ["a", "b"] }), () => AE.writeDataPoint({ indexes: ["é".repeat(49)] }),
		() => AE.writeDataPoint({ blobs: Array(21).fill("") }), () => AE.writeDataPoint({ doubles: Array(21).fill(0) }), () => AE.writeDataPoint({ blobs: ["b".repeat(16385)] }), () => AE.writeDataPoint({ doubles: 5 })].map(said).join("|"));
	if (pathname === "/many") for (let i = 0; i < 1000; i++) AE.writeDataPoint({ indexes: ["many"], doubles: [i] });
	else if (pathname === "/late") ctx.waitUntil(scheduler.wait(5).then(() => AE.writeDataPoint({ blobs: ["late"] })));
	else AE.writeDataPoint({ blobs: ["one", null, new TextEncoder().encode("é").buffer], doubles: [1.5, NaN, -2], indexes: [pathname] });
	return new Response(String(AE.writeDataPoint()));
} };`
	p.deploy("production/one", worker, Binding{Name: "AE", Type: AnalyticsEngine, Dataset: "metrics"})
	for _, s := range []struct{ url, want string }{
		{"http://one.test/a", "undefined"},
		{"http://one.test/late", "undefined"},
		{"http://one.test/many", "undefined"},
		{"http://one.test/odd", "TypeError: event is not an object|TypeError: writeDataPoint(): Maximum of 1 indexes supported.|TypeError: writeDataPoint(): Size of indexes exceeds 96 bytes.|" +
			"TypeError: writeDataPoint(): Maximum of 20 blobs supported.|TypeError: writeDataPoint(): Maximum of 20 doubles supported.|" +
			"TypeError: writeDataPoint(): Cumulative size of blobs exceeds 16384 bytes.|undefined"},
	} {
		p.want(s.url, s.want)
	}
	if err := p.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	index := func(s string) *string { return &s }
	if got := p.points(DataQuery{Dataset: "metrics", Index: index("/a")}); got != "/a[one  é] [1.5 0 -2]" {
		t.Errorf("one point: %q", got)
	}
	if got := strings.Count(p.points(DataQuery{Dataset: "metrics", Index: index("many")}), "many"); got != 1000 {
		t.Errorf("%d of 1000 points", got)
	}
	if got := p.points(DataQuery{Dataset: "metrics", Index: index("")}); strings.Count(got, "late") != 1 || strings.Count(got, "[]") < 6 {
		t.Errorf("of no index: %q", got)
	}
	p.reopen()
	later := time.Now().Add(time.Second)
	if got := p.points(DataQuery{Dataset: "metrics", To: later, Index: index("/a")}); got == "" {
		t.Error("a restart loses points")
	}
	if got := p.points(DataQuery{Dataset: "metrics", From: later}) + p.points(DataQuery{Dataset: "metrics", To: time.Unix(1, 0)}); got != "" {
		t.Errorf("at another time: %q", got)
	}
	if all, err := p.Datasets(); err != nil || len(all) != 1 || all[0].Name != "metrics" {
		t.Errorf("datasets: %v, %v", all, err)
	}
	if err := p.DeleteDataset(t.Context(), "metrics"); err != nil {
		t.Fatal(err)
	}
	if got := p.points(DataQuery{Dataset: "metrics"}); got != "" {
		t.Errorf("after its deletion: %q", got)
	}
}

// What cannot be written yet is bounded, and counted when it is dropped.
func TestAnalyticsBounded(t *testing.T) {
	p := openPlatform(t)
	point := json.RawMessage(`"` + strings.Repeat("x", 1<<20) + `"`)
	p.analytics.mu.Lock() // no write comes in between
	p.analytics.mu.bytes = maxUnwritten - 2<<20
	p.analytics.mu.Unlock()
	before := p.DroppedPoints()
	for range 12 {
		p.analytics.add("d", point)
	}
	if got := p.DroppedPoints() - before; got < 1 {
		t.Errorf("%d were dropped", got)
	}
}
