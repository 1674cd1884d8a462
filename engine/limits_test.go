package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchyard/isolate"
)

// total is what the Workers of a namespace spent, of plain Workers with "".
func total(e *Engine, namespace string) Spent {
	rows, err := e.Usage(context.Background(), UsageQuery{Namespace: namespace, Plain: namespace == "", Group: ByNothing})
	if err != nil {
		panic(err)
	}
	if len(rows) == 0 {
		return Spent{}
	}
	return rows[0].Spent
}

func (p *platform) plan(plan Plan) {
	p.t.Helper()
	if _, err := p.PutPlan(context.Background(), plan); err != nil {
		p.t.Fatal(err)
	}
}

// withLimits uploads a script with limits and tags.
func (p *platform) withLimits(ref, source string, l isolate.Limits, tags ...string) {
	p.t.Helper()
	u := upload(source)
	u.Limits, u.Tags = l, tags
	if _, err := p.Deploy(context.Background(), parseRef(ref), u); err != nil {
		p.t.Fatal(err)
	}
}

// TestTerms tells which limits hold for a call of a script, as plans and the namespace change.
func TestTerms(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.withLimits("production/a", "limits", isolate.Limits{CPU: 30 * time.Millisecond}, "tier:pro", "tier:basic")
	p.withLimits("production/b", "limits", isolate.Limits{}, "tier:basic")
	want := func(a, b string) {
		t.Helper()
		p.want("http://a.test/", a)
		p.want("http://b.test/", b)
	}
	ctx := context.Background()
	want("30ms 50", "50ms 50")
	p.plan(Plan{Name: "basic", Tags: []string{"tier:basic"}, Limits: isolate.Limits{CPU: 10 * time.Millisecond, Subrequests: 7}})
	want("10ms 7", "10ms 7")
	p.plan(Plan{Name: "pro", Tags: []string{"tier:pro"}, Limits: isolate.Limits{CPU: 200 * time.Millisecond}})
	want("30ms 50", "10ms 7") // the first tag decides, and the smaller limit
	p.plan(Plan{Name: "special", Scripts: []string{"production/b"}, Limits: isolate.Limits{Subrequests: 3}})
	want("30ms 50", "50ms 3") // the name decides before tags
	n := &isolate.Limits{CPU: 20 * time.Millisecond, Subrequests: 5}
	if _, err := p.UpdateNamespace(ctx, "production", NamespacePatch{Limits: n}); err != nil {
		t.Fatal(err)
	}
	want("20ms 5", "20ms 3")
	p.reopen()
	want("20ms 5", "20ms 3")
	p.withLimits("production/a", "limits", isolate.Limits{}, "tier:basic") // another tag
	want("10ms 5", "20ms 3")
	p.withLimits("production/c", "limits", isolate.Limits{}, "tier:basic") // a new script
	p.want("http://c.test/", "10ms 5")
	if err := p.DeletePlan(ctx, "special"); err != nil {
		t.Fatal(err)
	}
	want("10ms 5", "10ms 5")
	wantErr(t, p.DeletePlan(ctx, "special"), ErrPlanNotFound)
	if _, err := p.UpdateNamespace(ctx, "production", NamespacePatch{Limits: &isolate.Limits{}}); err != nil {
		t.Fatal(err)
	}
	want("10ms 7", "10ms 7")
	if got := len(p.Plans()); got != 2 {
		t.Errorf("there are %d plans", got)
	}
}

// A plan that changes memory makes its versions anew; calls inside end as they would.
func TestTermsOfMemory(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.withLimits("production/a", "say hello", isolate.Limits{Memory: 64 << 20}, "tier:basic")
	p.want("http://a.test/", "hello")
	p.plan(Plan{Name: "basic", Tags: []string{"tier:basic"}, Limits: isolate.Limits{Memory: 16 << 20}})
	p.want("http://a.test/", "hello")
	if got := p.rt.last().Memory; got != 16<<20 {
		t.Errorf("it runs in %d bytes", got)
	}
	p.plan(Plan{Name: "basic", Tags: []string{"tier:basic"}})
	p.want("http://a.test/", "hello")
	if got := p.rt.last().Memory; got != 64<<20 {
		t.Errorf("without the limit it runs in %d bytes", got)
	}
}

func TestPutPlanRefuses(t *testing.T) {
	p := openPlatform(t)
	p.plan(Plan{Name: "pro", Tags: []string{"x"}, Scripts: []string{"production/a"}})
	for field, plan := range map[string]Plan{
		"name":               {Name: "a b"},
		"weight":             {Name: "a", Weight: 101},
		"tags[0]":            {Name: "a", Tags: []string{"x,y"}},
		"tags[1]":            {Name: "a", Tags: []string{"y", "x"}},
		"scripts[0]":         {Name: "a", Scripts: []string{"production/a"}},
		"scripts[1]":         {Name: "a", Scripts: []string{"b", "a/b/c"}},
		"tags":               {Name: "a", Tags: make([]string, maxPlanTags+1)},
		"scripts":            {Name: "a", Scripts: make([]string, maxPlanScripts+1)},
		"limits":             {Name: "a", Limits: isolate.Limits{Wall: -1}},
		"limits.rate":        {Name: "a", Limits: isolate.Limits{Rate: 1e-9}},
		"limits.cpu_ms":      {Name: "a", Limits: isolate.Limits{CPU: time.Hour}},
		"quota.period":       {Name: "a", Quota: Quota{Requests: 1}},
		"quota":              {Name: "a", Quota: Quota{Period: PeriodDay}},
		"limits.memory":      {Name: "a", Limits: isolate.Limits{Memory: -1}},
		"limits.subrequests": {Name: "a", Limits: isolate.Limits{Subrequests: -1}},
	} {
		_, err := p.PutPlan(context.Background(), plan)
		if input := (*InputError)(nil); !errors.As(err, &input) || input.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if len(p.Plans()) != 1 {
		t.Error("a refused plan was kept")
	}
}

// However calls come, a bucket lets no more through than its rate and a second's worth at once.
func TestRateGate(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		rate := []float64{0.1, 1, 3, 100, 1e5}[r.IntN(5)]
		var g rateGate
		var now time.Duration
		var through []time.Duration
		for range 500 {
			now += time.Duration(r.ExpFloat64() / rate * float64(time.Second) * []float64{0.1, 1, 10}[r.IntN(3)])
			if g.take(now, rate) {
				through = append(through, now)
			}
		}
		if len(through) == 0 || through[0] > now {
			t.Fatalf("seed %d: nothing came through", seed)
		}
		for i := range through {
			for j := i; j < len(through); j++ {
				most := rate*(through[j]-through[i]).Seconds() + max(1, rate) + 1e-6*float64(j-i+1)
				if float64(j-i+1) > most+1e-6 {
					t.Fatalf("seed %d: rate %g let %d through in %s", seed, rate, j-i+1, through[j]-through[i])
				}
			}
		}
	}
}

// A gate never has more inside than its limit, serves who waits in turn, and is empty in the end.
func TestGate(t *testing.T) {
	const limit = 3
	var g gate
	var inside, most, refused atomic.Int64
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			for range 50 {
				if err := g.enter(context.Background(), limit); err != nil {
					refused.Add(1)
					continue
				}
				n := inside.Add(1)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				time.Sleep(time.Duration(rand.IntN(50)) * time.Microsecond)
				inside.Add(-1)
				g.leave(limit)
			}
		})
	}
	all.Wait()
	if most.Load() > limit || g.inside.Load() != 0 || g.waiting.Load() != 0 || len(g.mu.queue) != 0 {
		t.Errorf("at most %d were inside; in the end %d, %d waiting", most.Load(), g.inside.Load(), g.waiting.Load())
	}
	if refused.Load() > 0 {
		t.Errorf("%d were refused, and only 40 came at once", refused.Load())
	}
}

func TestGateIsBounded(t *testing.T) {
	var g gate
	if err := g.enter(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	results := make(chan error, maxGateQueue)
	for range maxGateQueue {
		go func() { results <- g.enter(ctx, 1) }()
	}
	for g.waiting.Load() < maxGateQueue {
		time.Sleep(time.Millisecond)
	}
	wantErr(t, g.enter(context.Background(), 1), ErrConcurrent)
	cancel()
	for range maxGateQueue {
		wantErr(t, <-results, isolate.ErrCanceled)
	}
	g.leave(1)
	if err := g.enter(context.Background(), 1); err != nil {
		t.Error(err)
	}
}

// TestLimitsOfAdmission goes through each limit on coming in: its error can be caught by the
// dispatch Worker, and is counted under a kind of its own.
func TestLimitsOfAdmission(t *testing.T) {
	for _, test := range []struct {
		plan Plan
		says string
		kind string
	}{
		{Plan{Limits: isolate.Limits{Rate: 1}}, "error: " + ErrRate.Error(), "rate_limit"},
		{Plan{Quota: Quota{Period: PeriodDay, Requests: 1}}, "error: Worker exceeded its quota of requests per day.", "quota"},
		{Plan{Quota: Quota{Period: PeriodMonth, CPU: time.Nanosecond}}, "error: Worker exceeded its quota of CPU time per month.", "quota"},
	} {
		p := openPlatform(t, func(o *Options) { o.Entry = "dispatcher" })
		p.namespace("production")
		test.plan.Name, test.plan.Tags = "basic", []string{"tier:basic"}
		p.plan(test.plan)
		p.withLimits("production/user", "spend 1ms\nsay hello", isolate.Limits{}, "tier:basic")
		p.deploy("dispatcher", "try dispatch NS user", dispatchTo("NS", "production", nil))
		p.want("http://x.test/", "hello")
		p.want("http://x.test/", test.says)
		if got := total(p.Engine, "production"); got.Errors[test.kind] != 1 || got.Requests != 1 || got.Calls != 1 {
			t.Errorf("%s: spent %+v", test.kind, got)
		}
		if got := total(p.Engine, ""); got.Requests != 1 || got.Calls != 2 { // the second request came no further
			t.Errorf("%s: plain Workers spent %+v", test.kind, got)
		}
	}
}

// TestConcurrentLimit holds calls of one script to its limit; what is over it waits a moment.
func TestConcurrentLimit(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.withLimits("production/a", "say hello", isolate.Limits{Concurrent: 1})
	hold := &Event{Context: context.Background(), Request: newRequest("GET", "http://a.test/"), Host: "a.test"}
	resp, err := p.Serve(hold) // the fake's call goes on until its response is released
	if err != nil {
		t.Fatal(err)
	}
	p.want("http://a.test/", "error: "+ErrConcurrent.Error())
	done := make(chan string)
	go func() { done <- p.get("http://a.test/") }()
	for p.catalog.namespaceForTest("production").scripts.get("a").account.Load().gate.waiting.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	resp.Release()
	if got := <-done; got != "hello" {
		t.Errorf("who waited got %q", got)
	}
	if got := total(p.Engine, "production"); got.Errors["concurrency_limit"] != 1 || got.Calls != 2 {
		t.Errorf("spent %+v", got)
	}
}

// TestEgressLimit counts what fetches move, also through an outbound Worker and however they get there.
func TestEgressLimit(t *testing.T) {
	p := openPlatform(t, func(o *Options) { o.Entry = "dispatcher" })
	p.namespace("production")
	p.deploy("outbound", "fetch http://origin.test/out")
	p.deploy("dispatcher", "dispatch NS user", dispatchTo("NS", "production", &Outbound{Service: "outbound"}))
	fetches := strings.Repeat("try fetch http://origin.test/a\n", 3)
	p.withLimits("production/user", fetches[:len(fetches)-1], isolate.Limits{EgressBytes: 70})
	one := "egress http://origin.test/out"
	if n := len(one); n != 29 {
		t.Fatal(n)
	}
	refused := "error: " + ErrEgressBytes.Error()
	p.want("http://x.test/", one+"\n"+one+"\n"+refused)
	if got := total(p.Engine, "production"); got.EgressReceived != 3*29 || got.EgressSent != 0 || got.Errors["egress_limit"] != 1 {
		t.Errorf("spent %+v", got)
	}
	p.withLimits("production/user", "post http://origin.test/a", isolate.Limits{})
	p.get("http://x.test/")
	if got := total(p.Engine, "production"); got.EgressSent != 0 { // the outbound Worker sends no body on
		t.Errorf("spent %+v", got)
	}
}

// TestUsage is a story with known numbers: a dispatcher, a user Worker, a service, an outbound Worker.
func TestUsage(t *testing.T) {
	p := openPlatform(t, func(o *Options) { o.Entry = "dispatcher" })
	p.namespace("production")
	p.deploy("outbound", "spend 3ms\nfetch http://origin.test/")
	p.deploy("helper", "spend 5ms\nsay help")
	p.deploy("dispatcher", "spend 7ms\ntry dispatch NS user\ntry dispatch NS second", dispatchTo("NS", "production", &Outbound{Service: "outbound"}))
	u := upload("spend 11ms\nfetch http://origin.test/\nservice HELPER http://helper.test/", serviceTo("HELPER", "helper"))
	u.Tags = []string{"customer:a", "tier:pro"}
	if _, err := p.Deploy(context.Background(), Ref{"production", "user"}, u); err != nil {
		t.Fatal(err)
	}
	u = upload("spend 2ms\nthrow no")
	u.Tags = []string{"customer:b"}
	if _, err := p.Deploy(context.Background(), Ref{"production", "second"}, u); err != nil {
		t.Fatal(err)
	}
	p.plan(Plan{Name: "pro", Tags: []string{"tier:pro"}})
	const n = 5
	for range n {
		p.get("http://x.test/")
	}
	origin := uint64(len("egress http://origin.test/"))
	ms := func(k int) time.Duration { return time.Duration(k*n) * time.Millisecond }
	check := func(q UsageQuery, want ...string) {
		t.Helper()
		rows, err := p.Usage(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			got = append(got, fmt.Sprint(r.Namespace, "/", r.Script, r.Tag, " ", r.Plan, " r", r.Requests, " c", r.Calls, " cpu ", r.CPUDispatch, " ", r.CPUUser, " ", r.CPUOutbound,
				" s", r.Subrequests, " in", r.EgressReceived, " ", r.Errors))
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	_ = origin
	line := func(who string, requests, calls int, dispatch, user, outbound time.Duration, subrequests, in int, faults string) string {
		return fmt.Sprint(who, " r", requests, " c", calls, " cpu ", dispatch, " ", user, " ", outbound, " s", subrequests, " in", in, " map[", faults, "]")
	}
	user := line("production/user pro", n, n, ms(7), ms(16), ms(3), 2*n, n*int(origin), "")
	second := line("production/second ", 0, n, 0, ms(2), 0, 0, 0, "exception:5")
	both := []string{
		line("/dispatcher ", 0, n, 0, 0, 0, 2*n, 0, ""), line("/helper ", 0, n, 0, 0, 0, 0, 0, ""), line("/outbound ", 0, n, 0, 0, 0, 0, 0, ""),
		second, user,
	}
	for range 2 {
		check(UsageQuery{}, both...)
		check(UsageQuery{Namespace: "production", Script: "user"}, user)
		check(UsageQuery{Tag: "customer:b"}, second)
		check(UsageQuery{Plan: "pro"}, user)
		check(UsageQuery{Group: ByTag, Namespace: "production"}, strings.Replace(strings.Replace(user, "production/user pro", "/customer:a ", 1), "x", "x", 1),
			strings.Replace(second, "production/second ", "/customer:b ", 1), strings.Replace(user, "production/user pro", "/tier:pro ", 1))
		check(UsageQuery{Group: ByNothing}, line("/ ", n, 5*n, ms(7), ms(18), ms(3), 4*n, n*int(origin), "exception:5"))
		check(UsageQuery{From: time.Now().Add(time.Hour), To: time.Now().Add(2 * time.Hour)})
		p.reopen()
	}
}

// TestUsageOfScriptsThatGo keeps what a deleted script spent, and what was asked of scripts that never were.
func TestUsageOfScriptsThatGo(t *testing.T) {
	p := openPlatform(t)
	p.namespace("production")
	p.deploy("production/a", "say hello")
	p.want("http://a.test/", "hello")
	if err := p.DeleteScript(context.Background(), Ref{"production", "a"}); err != nil {
		t.Fatal(err)
	}
	p.want("http://a.test/", "error: Worker not found")
	if got := total(p.Engine, "production"); got.Requests != 1 || got.Errors["not_found"] != 1 {
		t.Errorf("spent %+v", got)
	}
	p.reopen()
	if got := total(p.Engine, "production"); got.Requests != 1 || got.Errors["not_found"] != 1 {
		t.Errorf("after a restart: spent %+v", got)
	}
}

// TestQuota goes through a quota's life: a script's own, a plan's, a namespace's; restarts and
// uploads under the same name do not fill it again, a new period does.
func TestQuota(t *testing.T) {
	var clock atomic.Int64
	clock.Store(time.Date(2026, 3, 30, 23, 0, 0, 0, time.UTC).UnixNano())
	p := openPlatform(t, func(o *Options) { o.now = func() time.Time { return time.Unix(0, clock.Load()).UTC() } })
	p.namespace("production")
	for _, name := range []string{"a", "b", "c"} {
		p.withLimits("production/"+name, "say "+name, isolate.Limits{}, "tier:basic")
	}
	ask := func(want string, names ...string) {
		t.Helper()
		for _, name := range names {
			got := p.get("http://" + name + ".test/")
			if strings.HasPrefix(got, "error: Worker exceeded its quota") {
				got = "-"
			}
			if got != want && !(want == "+" && got == name) {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
	}
	ask("+", "a") // before there is a quota: it counts
	p.plan(Plan{Name: "basic", Tags: []string{"tier:basic"}, Quota: Quota{Period: PeriodMonth, Requests: 3}})
	ask("+", "a", "a", "b")
	ask("-", "a", "a")
	p.reopen()
	ask("-", "a")
	ask("+", "b", "b")
	ask("-", "b")
	if err := p.DeleteScript(context.Background(), Ref{"production", "a"}); err != nil {
		t.Fatal(err)
	}
	p.withLimits("production/a", "say a", isolate.Limits{}, "tier:basic")
	ask("-", "a")
	p.plan(Plan{Name: "basic", Tags: []string{"tier:basic"}, Quota: Quota{Period: PeriodMonth, Requests: 9, Shared: true}}) // 6 are spent
	ask("+", "a", "b", "c")
	ask("-", "a", "b", "c")
	clock.Add(int64(2 * time.Hour)) // the next day, the same month
	p.usage.tick(context.Background())
	ask("-", "a")
	clock.Add(int64(24 * time.Hour)) // April
	p.usage.tick(context.Background())
	ask("+", "a")
	if err := p.DeletePlan(context.Background(), "basic"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpdateNamespace(context.Background(), "production", NamespacePatch{Quota: &Quota{Period: PeriodDay, Requests: 3}}); err != nil {
		t.Fatal(err)
	}
	ask("+", "a", "b")
	ask("-", "c")
	var quota *QuotaError
	if _, err := p.serve("http://c.test/"); !errors.As(err, &quota) || !quota.Resets.Equal(time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("refused with %+v", err)
	}
	if n, err := p.Namespace("production"); err != nil || n.Quota != (Quota{Period: PeriodDay, Requests: 3}) {
		t.Errorf("namespace says %+v, %v", n.Quota, err)
	}
	if _, err := p.UpdateNamespace(context.Background(), "production", NamespacePatch{Quota: &Quota{}}); err != nil {
		t.Fatal(err)
	}
	ask("+", "c")
}
