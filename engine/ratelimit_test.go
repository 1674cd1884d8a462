package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestLimiters(t *testing.T) {
	l := newLimiters()
	now := time.Unix(600, 0)
	l.now = func() time.Time { return now }
	ten, sixty := windowID{"1", 10}, windowID{"1", 60}
	count := func(id windowID, key string, n int) (allowed int) {
		for range n {
			if l.allow(id, 3, key) {
				allowed++
			}
		}
		return allowed
	}
	for _, s := range []struct {
		after time.Duration
		id    windowID
		key   string
		want  int
	}{
		{0, ten, "a", 3},
		{0, ten, "b", 3},
		{0, sixty, "a", 3},
		{0, windowID{"2", 10}, "a", 3},
		{9 * time.Second, ten, "a", 0},
		{time.Second, ten, "a", 3},
		{0, sixty, "a", 0},
		{50 * time.Second, sixty, "a", 3},
	} {
		now = now.Add(s.after)
		if got := count(s.id, s.key, 5); got != s.want {
			t.Errorf("%v %s after %v: %d of 5, want %d", s.id, s.key, s.after, got, s.want)
		}
	}
}

// A flood of keys takes bounded memory, and loosens nobody's limit.
func TestLimitersFlood(t *testing.T) {
	l := newLimiters()
	now := time.Unix(600, 0)
	l.now = func() time.Time { return now }
	id := windowID{"1", 60}
	l.allow(id, 1, "first")
	for i := range maxRateKeys + 10*sharedCounters {
		l.allow(id, 1, fmt.Sprint("flood ", i))
	}
	w := l.mu.windows[id]
	if len(w.counts) != maxRateKeys || len(w.shared) > sharedCounters || l.mu.keys != maxRateKeys {
		t.Errorf("%d keys and %d shared counters, %d in all", len(w.counts), len(w.shared), l.mu.keys)
	}
	if l.allow(id, 1, "first") || l.allow(id, 1, "last") {
		t.Error("a limit is looser than before")
	}
	for i := range maxAllRateKeys / 1000 {
		for k := range 1100 {
			l.allow(windowID{fmt.Sprint(i), 10}, 1, fmt.Sprint(k))
		}
	}
	if l.mu.keys > maxAllRateKeys {
		t.Errorf("%d keys", l.mu.keys)
	}
	now = now.Add(time.Hour)
	if !l.allow(id, 1, "first") {
		t.Error("the window does not pass")
	}
	l.mu.Lock()
	l.sweepLocked(now.Unix())
	l.mu.Unlock()
	if l.mu.keys != 1 || len(l.mu.windows) != 1 {
		t.Errorf("%d keys in %d windows are left", l.mu.keys, len(l.mu.windows))
	}
}

func limiter(name, namespaceID string, limit, period int) Binding {
	return Binding{Name: name, Type: RateLimiting, NamespaceID: namespaceID, Simple: &RateLimit{limit, period}}
}

func TestRateLimitOfWorkers(t *testing.T) {
	p := openReal(t)
	p.deploy("dispatcher", `export default { async fetch(request, env) {
		return env.NS.get(new URL(request.url).hostname.split(".")[0]).fetch(request).catch((e) => new Response("caught: " + e.message));
	} };`, dispatchTo("NS", "production", nil))
	const worker = `
const said = (p) => p.then((r) => JSON.stringify(r), (e) => e.name + ": " + e.message);
export default { async fetch(request, env) {
	const all = [];
	switch (new URL(request.url).pathname) {
	case "/limit": for (let i = 0; i < 4; i++) all.push((await env.RL.limit({ key: "k" })).success); break;
	case "/together": return new Response((await Promise.all([1, 2, 3].map(() => env.RL.limit({ key: "t" })))).filter((r) => r.success).length);
	case "/odd": for (const o of [undefined, { key: 1 }, { key: "k", x: 1 }, { key: "k".repeat(1025) }, {}]) all.push(await said(env.RL.limit(o))); break;
	case "/shape": all.push(String(env.RL), typeof env.RL.fetch); break;
	case "/many": for (;;) await env.RL.limit({ key: "m" });
	}
	return new Response(all.join("|"));
} };`
	p.deploy("production/one", worker, limiter("RL", "7", 2, 60))
	p.deploy("production/two", worker, limiter("RL", "7", 2, 60))
	p.deploy("production/other", worker, limiter("RL", "8", 3, 60))
	p.limiters.now = func() time.Time { return time.Unix(6000, 0) }
	for _, s := range []struct{ url, want string }{
		{"http://one.test/limit", "true|true|false|false"},
		{"http://two.test/limit", "false|false|false|false"},
		{"http://other.test/limit", "true|true|true|false"},
		{"http://one.test/together", "2"},
		{"http://one.test/odd", "Error: invalid rate limit options|Error: invalid key: 1|Error: bad rate limit options: [x]|" +
			`Error: A rate limit's key has at most 1024 bytes.|{"success":true}`},
		{"http://one.test/shape", "[object Ratelimit]|undefined"},
		{"http://one.test/many", "caught: Too many subrequests."},
	} {
		p.want(s.url, s.want)
	}
}

func TestBindingsOfValues(t *testing.T) {
	p := openReal(t)
	u := upload(`export default { fetch(r, env) { return new Response(JSON.stringify(env.V) + (Date.parse(env.V.timestamp) > 0)); } };`,
		Binding{Name: "V", Type: VersionMetadata})
	u.Annotations = map[string]string{"workers/tag": "v1"}
	s, err := p.Deploy(t.Context(), Ref{Script: "dispatcher"}, u)
	if err != nil {
		t.Fatal(err)
	}
	p.want("http://any.test/", fmt.Sprintf(`{"id":%q,"tag":"v1","timestamp":%q}true`, s.Version.ID, s.Version.Created.UTC().Format("2006-01-02T15:04:05.999Z")))
	p.reopen()
	if got := p.get("http://any.test/"); !strings.Contains(got, s.Version.ID) {
		t.Errorf("after a restart: %s", got)
	}
}

func TestCheckRateLimit(t *testing.T) {
	p := openPlatform(t)
	for _, s := range []struct {
		binding Binding
		field   string
	}{
		{Binding{Type: RateLimiting, NamespaceID: "1"}, "simple"},
		{limiter("", "", 1, 10), "namespace_id"},
		{limiter("", "a", 1, 10), "namespace_id"},
		{limiter("", strings.Repeat("1", 65), 1, 10), "namespace_id"},
		{limiter("", "1", 0, 10), "simple.limit"},
		{limiter("", "1", 1, 11), "simple.period"},
	} {
		s.binding.Name = "RL"
		_, err := p.Deploy(t.Context(), Ref{Script: "a"}, upload("say a", s.binding))
		if e, ok := err.(*InputError); !ok || e.Field != "bindings[0]."+s.field {
			t.Errorf("%+v: %v, want field %s", s.binding, err, s.field)
		}
	}
}
