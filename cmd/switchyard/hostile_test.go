package main

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// hostile are bodies of handlers that would never end, or not soon: most of the time is spent in one
// operation of the engine.
var hostile = []struct{ name, body string }{
	{"loop", `while (true);`},
	{"promise flood", `for (;;) { for (let i = 0; i < 1e4; i++) Promise.resolve(i).then((x) => x); await null; }`},
	{"await loop", `for (;;) await null;`},
	{"regex", `/(a+)+$/.test("a".repeat(40) + "b")`},
	{"sort with a comparator", `for (;;) Array.from({ length: 5e5 }, Math.random).sort((a, b) => a - b)`},
	{"sort of strings", `for (;;) Array.from({ length: 2e5 }, Math.random).sort()`},
	{"power of a BigInt", `for (;;) 3n ** 2000000n`},
	{"text of a BigInt", `for (;;) (3n ** 200000n).toString()`},
	{"fill of an array", `for (;;) try { Array(3e7).fill(0) } catch {}`},
	{"indexOf", `const s = "a".repeat(2e7); for (;;) s.indexOf("b")`},
	{"indexOf of a bad needle", `const s = "a".repeat(2e7), n = "a".repeat(1e6) + "b"; for (;;) s.indexOf(n)`},
	{"JSON.stringify", `const o = Array.from({ length: 2e5 }, (_, i) => ({ i, s: "text" + i })); for (;;) JSON.stringify(o)`},
	{"JSON.parse", `const s = "[" + "1234567,".repeat(5e5) + "0]"; for (;;) JSON.parse(s)`},
	{"growth by concatenation", `for (;;) { let s = "x"; for (let i = 0; i < 1e5; i++) s = s.repeat(1) + "y" + i; }`},
	{"doubled string", `for (;;) try { let s = "x"; for (;;) s += s } catch {}`},
	{"fill of bytes", `for (;;) new Uint8Array(6e7).fill(7)`},
	{"copyWithin", `const b = new Uint8Array(6e7); for (;;) b.copyWithin(1, 0)`},
	{"slice of bytes", `const b = new Uint8Array(4e7); for (;;) b.slice()`},
	{"first touch of pages", `for (;;) { const b = new Uint8Array(1e8); for (let i = 0; i < b.length; i += 4096) b[i] = 1; }`},
	{"set, shifted", `const b = new Uint8Array(6e7); for (;;) b.set(b.subarray(0, 5e7), 1)`},
	{"recursion", `const f = () => f() + 1; for (;;) try { f() } catch {}`},
	{"nested JSON", `const s = "[".repeat(2e5); for (;;) try { JSON.parse(s) } catch {}`},
	{"nested regex", `const s = "(".repeat(2e5) + ")".repeat(2e5); for (;;) try { new RegExp(s) } catch {}`},
	{"join and split", `const s = "a,".repeat(1e6); for (;;) s.split(",").join(";")`},
	{"libm", `let x = 0; for (;;) x += Math.sin(x) + Math.pow(x, 1.5)`},
	{"parseFloat", `const s = "1".repeat(1e6); for (;;) parseFloat(s)`},
	{"normalize", `const s = "\u00e9A".repeat(2e6); for (;;) s.normalize("NFD").toLowerCase()`},
	{"cycles", `for (;;) { const all = []; for (let i = 0; i < 3e5; i++) { const o = { i }; o.self = o; all.push(o); } }`},
	{"long list", `for (;;) { let head = null; for (let i = 0; i < 5e5; i++) head = { next: head }; head = null; }`},
}

// TestHostileScripts: each is ended by its CPU limit, inside native operations too, and another
// tenant is answered all the while. With -v it prints by how much the limit was passed.
func TestHostileScripts(t *testing.T) {
	const limit = 40 // ms
	config := t.TempDir() + "/config.yaml"
	if err := os.WriteFile(config, fmt.Appendf(nil, "limits: {cpu_ms: %d}\n", limit), 0o600); err != nil {
		t.Fatal(err)
	}
	p := serve(t, t.TempDir(), "--config", config)
	p.createNamespace("production")
	p.deploy(customers("production")+"quiet", script(`export default { fetch: () => new Response("quiet") }`))
	for i, h := range hostile {
		p.deploy(customers("production")+fmt.Sprint("hostile", i), script(`export default { async fetch() { `+h.body+`; return new Response("it ended"); } }`))
	}
	over, quiet := make(chan struct{}), new(sync.WaitGroup)
	answered := 0
	quiet.Go(func() {
		for {
			p.wants("http://quiet.example.com/", 200, "quiet")
			answered++
			select {
			case <-over:
				return
			default:
			}
		}
	})
	var spent []int
	for i, h := range hostile {
		status, body, cpu := p.measured(fmt.Sprintf("http://hostile%d.example.com/", i))
		if status != 503 || !strings.Contains(body, "1102") {
			t.Errorf("%s: %d %q, want 503 and 1102", h.name, status, body)
		}
		spent = append(spent, cpu)
	}
	close(over)
	quiet.Wait()
	slices.Sort(spent)
	t.Logf("µs of CPU under a limit of %d ms: median %d, most %d; %d quiet answers", limit, spent[len(spent)/2], spent[len(spent)-1], answered)
}

// measured is get with the operator's token: it tells what CPU time the request took, in µs.
func (p *platform) measured(url string) (status int, body string, cpu int) {
	p.t.Helper()
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("X-Switchyard-Token", p.token)
	resp, err := p.client().Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	cpu, _ = strconv.Atoi(resp.Header.Get("X-Switchyard-Cpu-Us"))
	return resp.StatusCode, readAll(p.t, resp.Body), cpu
}
