package engine

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"switchyard/isolate"
)

// seed deploys the platform of the documents: dispatcher, user Workers, outbound Worker.
func seed(t testing.TB, change ...func(*Options)) *platform {
	change = append(change, func(o *Options) { o.Entry = "dispatcher" })
	p := openPlatform(t, change...)
	p.namespace("production", "staging")
	p.deploy("outbound", "env customer\nenv url\nheader cf-connecting-ip\nfetch http://origin.test/ via outbound")
	p.deploy("auth", "say auth\ntry fetch http://auth.test/")
	p.deploy("production/customer-a", "say a\nurl")
	return p
}

var viaOutbound = &Outbound{Service: "outbound", Params: []string{"customer", "url"}}

func TestLifecycle(t *testing.T) {
	stories := []struct {
		name       string
		dispatcher string
		user       string
		want       string
	}{
		{"dispatch", "dispatch NS user", "say hello\nurl", "hello\nhttp://user.test/x"},
		{"missing user Worker", "try dispatch NS nobody", "say hello", "error: Worker not found"},
		{"missing user Worker, not caught", "dispatch NS nobody", "say hello", "error: Worker not found"},
		{"exception is catchable", "try dispatch NS user", "throw Error: no", "error: Error: no"},
		{"CPU limit is catchable", "try dispatch NS user", "fail cpu", "error: Worker exceeded CPU time limit."},
		{"fetch goes to egress", "dispatch NS user", "fetch http://x.test/y", "egress http://x.test/y"},
		{
			"fetch goes to the outbound Worker with its parameters",
			`dispatch OUT user {"outbound":{"customer":"a","url":{"b":1},"undeclared":2}}`, "fetch http://x.test/y",
			"\"a\"\n{\"b\":1}\n\negress http://origin.test/ via=outbound",
		},
		{
			"parameters that were not given are undefined", "dispatch OUT user", "fetch http://x.test/y",
			"undefined\nundefined\n\negress http://origin.test/ via=outbound",
		},
		{
			"services of user Workers fetch through the outbound Worker too",
			`dispatch OUT user {"outbound":{"customer":"a"}}`, "service AUTH http://auth/",
			"auth\n\"a\"\nundefined\n\negress http://origin.test/ via=outbound",
		},
		{
			"user Workers reached by user Workers keep the outbound Worker",
			`dispatch OUT user {"outbound":{"customer":"a"}}`, "dispatch NS2 other",
			"\"a\"\nundefined\n\negress http://origin.test/ via=outbound",
		},
		{"services of plain Workers fetch by themselves", "service AUTH http://auth/", "", "auth\negress http://auth.test/"},
		{"default limits", "dispatch NS user", "limits", "50ms 50"},
		{"limits of the dispatch", `dispatch NS user {"limits":{"cpuMs":10,"subRequests":5}}`, "limits", "10ms 5"},
		{"limits may be above the default", `dispatch NS user {"limits":{"cpuMs":200}}`, "limits", "200ms 50"},
		{"fractions of a millisecond", `dispatch NS user {"limits":{"cpuMs":0.5}}`, "limits", "500µs 50"},
		{"no subrequests", `dispatch NS user {"limits":{"subRequests":0}}`, "try fetch http://x.test/", "error: Too many subrequests."},
		{"other options are let through", `dispatch NS user {"args":{"x":1},"y":null,"limits":{}}`, "limits", "50ms 50"},
		{"limits null", `dispatch NS user {"limits":{"cpuMs":null}}`, "limits", "50ms 50"},
		{"cpuMs 0", `try dispatch NS user {"limits":{"cpuMs":0}}`, "", "error: limits.cpuMs must be greater than 0"},
		{"cpuMs negative", `try dispatch NS user {"limits":{"cpuMs":-1}}`, "", "error: limits.cpuMs must be a number from 0 to 300000, not -1"},
		{"cpuMs text", `try dispatch NS user {"limits":{"cpuMs":"5"}}`, "", `error: limits.cpuMs must be a number from 0 to 300000, not "5"`},
		{"subRequests huge", `try dispatch NS user {"limits":{"subRequests":1e9}}`, "", "error: limits.subRequests must be a number from 0 to 10000, not 1e9"},
		{"limits not an object", `try dispatch NS user {"limits":7}`, "", "error: dispatch options: limits and outbound must be objects"},
		{"fetching from a text binding", "try service GREETING http://x/", "", "error: This binding cannot be fetched from."},
	}
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			p := seed(t)
			p.deploy("production/other", "fetch http://other.test/")
			p.deploy("dispatcher", s.dispatcher, text("GREETING", "hi"), dispatchTo("NS", "production", nil),
				dispatchTo("OUT", "production", viaOutbound), serviceTo("AUTH", "auth"))
			p.deploy("production/user", cmp.Or(s.user, "say"), serviceTo("AUTH", "auth"), dispatchTo("NS2", "production", nil))
			p.want("http://user.test/x", s.want)
		})
	}
}

func TestScriptLimitsAreMinima(t *testing.T) {
	stories := []struct {
		script isolate.Limits
		call   string
		want   string
	}{
		{isolate.Limits{CPU: 20 * time.Millisecond, Subrequests: 3}, ``, "20ms 3"},
		{isolate.Limits{CPU: 20 * time.Millisecond, Subrequests: 3}, `{"limits":{"cpuMs":30,"subRequests":2}}`, "20ms 2"},
		{isolate.Limits{CPU: 2 * time.Second}, `{"limits":{"cpuMs":100}}`, "100ms 50"},
		{isolate.Limits{CPU: 2 * time.Second}, ``, "2s 50"},
	}
	p := seed(t)
	for _, s := range stories {
		u := upload("limits")
		u.Limits = s.script
		if _, err := p.Deploy(t.Context(), Ref{"production", "user"}, u); err != nil {
			t.Fatal(err)
		}
		p.deploy("dispatcher", strings.TrimSpace("dispatch NS user "+s.call), dispatchTo("NS", "production", nil))
		p.want("http://x.test/", s.want)
	}
}

func TestLoopEnds(t *testing.T) {
	p := seed(t)
	p.deploy("dispatcher", "try service SELF http://self/", serviceTo("SELF", "dispatcher"))
	p.want("http://x.test/", "error: "+ErrLoop.Error())
	if got := total(p.Engine, "").Calls; got != maxDepth {
		t.Errorf("%d calls, want %d", got, maxDepth)
	}
}

func TestTargetsThatAreDeleted(t *testing.T) {
	p := seed(t)
	p.deploy("dispatcher", "try service AUTH http://auth/\ntry dispatch OUT user", serviceTo("AUTH", "auth"), dispatchTo("OUT", "production", viaOutbound))
	p.deploy("production/user", "try fetch http://x.test/")
	for _, name := range []string{"auth", "outbound"} {
		if err := p.DeleteScript(t.Context(), Ref{Script: name}); err != nil {
			t.Fatal(err)
		}
	}
	p.want("http://x.test/", "error: Worker not found\nerror: Network connection lost.")
	if err := p.DeleteNamespace(t.Context(), "production"); err != nil {
		t.Fatal(err)
	}
	p.want("http://x.test/", "error: Worker not found\nerror: Worker not found")
	if n := len(p.tenantsOfEgress()); n != 0 {
		t.Errorf("egress was used %d times", n)
	}
}

func (p *platform) tenantsOfEgress() (list []string) {
	p.egress.tenants.Range(func(k, _ any) bool { list = append(list, k.(string)); return true })
	return list
}

// Connections belong to the user Worker in whose name the chain fetches.
func TestEgressTenant(t *testing.T) {
	p := seed(t)
	p.deploy("dispatcher", "dispatch OUT user\nservice AUTH http://auth/", serviceTo("AUTH", "auth"), dispatchTo("OUT", "production", viaOutbound))
	user := p.deploy("production/user", "fetch http://x.test/")
	dispatcher, err := p.Script(Ref{Script: "dispatcher"})
	if err != nil {
		t.Fatal(err)
	}
	p.get("http://x.test/")
	got := p.tenantsOfEgress()
	if len(got) != 2 || !strings.Contains(strings.Join(got, " "), user.ID) || !strings.Contains(strings.Join(got, " "), dispatcher.ID) {
		t.Errorf("tenants are %v, want %s and %s", got, user.ID, dispatcher.ID)
	}
}

func TestWhoAnswers(t *testing.T) {
	p := openPlatform(t)
	p.want("http://customer-a.example.com/", "error: Worker not found") // no namespace yet
	p.namespace("production")
	p.deploy("production/customer-a", "say user")
	p.deploy("shop", "say shop")
	p.deploy("api", "say api")
	p.deploy("other", "say other")
	for _, r := range [][2]string{
		{"Shop.example.com/*", "shop"}, {"shop.example.com/api/*", "api"}, {"shop.example.com/api/exact", "other"},
		{"*.example.com/wild/*", "other"}, {"*.sub.example.com/*", "shop"}, {"only.test", "api"},
	} {
		if _, err := p.PutRoute(t.Context(), r[0], r[1]); err != nil {
			t.Fatal(err)
		}
	}
	stories := [][2]string{
		{"http://customer-a.example.com/", "user"},
		{"http://customer-a.example.com/wild/x", "other"},
		{"http://customer-b.example.com/", "error: Worker not found"},
		{"http://shop.example.com/", "shop"},
		{"http://shop.example.com/x?y=/api/", "shop"},
		{"http://shop.example.com/api/", "api"},
		{"http://shop.example.com/api", "shop"},
		{"http://shop.example.com/api/exact", "other"},
		{"http://shop.example.com/api/exact?x", "other"},
		{"http://shop.example.com/api/exact/x", "api"},
		{"http://shop.example.com/wild/", "shop"}, // the exact host beats the wildcard
		{"http://a.sub.example.com/", "shop"},
		{"http://a.sub.example.com/wild/", "shop"},
		{"http://a.b.sub.example.com/", "shop"},
		{"http://sub.example.com/", "error: Worker not found"},
		{"http://only.test/", "api"},
		{"http://only.test/x", "error: Worker not found"},
		{"http://example.com/", "error: Worker not found"},
	}
	for _, restart := range []bool{false, true} {
		if restart {
			p.reopen()
		}
		for _, s := range stories {
			p.want(s[0], s[1])
		}
	}
	if _, err := p.PutRoute(t.Context(), "*/*", "other"); err != nil {
		t.Fatal(err)
	}
	p.want("http://example.com/", "other")
	p.want("http://localhost/", "other")
	if err := p.DeleteScript(t.Context(), Ref{Script: "other"}); err != nil {
		t.Fatal(err)
	}
	p.want("http://customer-a.example.com/wild/x", "user")
	if n := len(p.Routes()); n != 4 {
		t.Errorf("%d routes are left, want 4", n)
	}
}

func TestEntryWorker(t *testing.T) {
	p := openPlatform(t, func(o *Options) { o.Entry = "dispatcher" })
	_, err := p.serve("http://x.test/")
	wantErr(t, err, ErrNoEntry)
	p.deploy("dispatcher", "say here")
	p.want("http://x.test/", "here")
}

func TestHeadersOfGuests(t *testing.T) {
	stories := []struct{ from, name, want string }{
		{"plain", "x-thing", "v"},
		{"plain", "cf-connecting-ip", "v"},
		{"plain", "x-switchyard-limits", ""},
		{"plain", "transfer-encoding", ""},
		{"user", "x-thing", "v"},
		{"user", "cf-connecting-ip", ""},
		{"user", "connection", ""},
		{"user", "x-switchyard-token", ""},
		{"trusted", "cf-connecting-ip", "v"},
	}
	for _, s := range stories {
		req := newRequest("GET", "http://x.test/", "a", "1", s.name, "v", "b", "2")
		before := string(req.Head)
		head := req.Head
		sanitise(req, s.from == "user")
		if got := string(req.Head.Headers().Get(s.name)); got != s.want {
			t.Errorf("%s from a %s Worker: %q, want %q", s.name, s.from, got, s.want)
		}
		if string(req.Head.Headers().Get("a"))+string(req.Head.Headers().Get("b")) != "12" || string(req.Head.URL()) != "http://x.test/" {
			t.Errorf("%s: the rest of the head changed: %q", s.name, req.Head)
		}
		if string(head) != before {
			t.Errorf("%s: the head was edited in place", s.name)
		}
	}
}

func TestFaultsAreLogged(t *testing.T) {
	p := seed(t)
	p.deploy("dispatcher", "try dispatch NS user", dispatchTo("NS", "production", nil))
	p.deploy("production/user", "log hello\nthrow Error: no")
	p.get("http://x.test/")
	want := "production/user #1 hello\nproduction/user #1 Uncaught Error: no\n    at fetch (index.js:1:1)"
	if got := p.logged.all(); got != want {
		t.Errorf("log is\n%s\nwant\n%s", got, want)
	}
}

func TestCPUIsSummedUpTheChain(t *testing.T) {
	p := seed(t)
	p.deploy("dispatcher", "spend 1ms\ndispatch OUT user", dispatchTo("OUT", "production", viaOutbound))
	p.deploy("production/user", "spend 10ms\nfetch http://x.test/")
	p.deploy("outbound", "spend 100ms")
	ev := &Event{Context: t.Context(), Request: newRequest("GET", "http://x.test/"), Host: "x.test"}
	resp, err := p.Serve(ev)
	if err != nil {
		t.Fatal(err)
	}
	if ev.CPU != 111*time.Millisecond || ev.Isolate != "warm" {
		t.Errorf("CPU %v in a %q isolate, want 111ms in a warm one", ev.CPU, ev.Isolate)
	}
	resp.Release()
	var metrics strings.Builder
	p.WriteMetrics(&metrics)
	for _, line := range []string{
		`switchyard_worker_requests_total{namespace="production"} 1`,
		`switchyard_worker_cpu_seconds_total{namespace="production"} 0.01`,
		`switchyard_worker_subrequests_total{namespace=""} 1`,
		`switchyard_worker_cpu_seconds_total{namespace=""} 0.101`,
		`switchyard_ingress_requests_total 1`,
	} {
		if !strings.Contains(metrics.String(), line+"\n") {
			t.Errorf("metrics lack %s:\n%s", line, metrics.String())
		}
	}
}

// What the outbound Worker answers with a redirect is fetched through it again.
func TestRedirectsOfWorkers(t *testing.T) {
	stories := []struct{ post, outbound, want string }{
		{"http://a.test/", "redirect 302 /end", "200 http://a.test/end GET  secret http://a.test/end "},
		{"http://a.test/", "redirect 303 http://b.test/end", "200 http://b.test/end GET   http://b.test/end "},
		{"http://a.test/", "redirect 307 ../x/./end#f", "200 http://a.test/x/end POST body secret http://a.test/x/end "},
		{"http://a.test/", "redirect 308 https://a.test/end", "200 https://a.test/end POST body  https://a.test/end "},
		{"http://a.test/ manual", "redirect 302 /end", "302  POST body secret http://a.test/ "},
		{"http://a.test/ error", "redirect 302 /end", "error: " + errRedirect.Error()},
		{"http://a.test/ error", "say", "200   POST body secret http://a.test/ "},
		{"http://a.test/", "redirect 302 /again", "error: " + errRedirects.Error()},
		{"http://a.test/", "redirect 302 file:///etc/end", `error: Invalid redirect: "file:///etc/end" is not a URL that can be fetched.`},
	}
	p := seed(t)
	p.deploy("dispatcher", "dispatch OUT user", dispatchTo("OUT", "production", viaOutbound))
	for _, s := range stories {
		p.deploy("outbound", s.outbound+"\nmethod\nurl")
		p.deploy("production/user", "try post "+s.post)
		p.want("http://x.test/", s.want)
	}
	if tenants := p.tenantsOfEgress(); len(tenants) > 0 {
		t.Error("a redirect went around the outbound Worker")
	}
}
