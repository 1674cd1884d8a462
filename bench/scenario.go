package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

// scenario is one question. It is answered by the same load on each contender, or by a study
// of its own.
type scenario struct {
	name, what string
	host, path string
	cases      []string // the path's last part, one row each; nil: path itself
	contenders []contender
	study      func(o *options, dir string) ([]row, error)
}

// contender is a server that takes part: Switchyard first, then its peers. All answer with the
// same bytes, which is checked.
type contender struct {
	peer  string
	note  string // what is different about it
	start func(dir string) (*process, error)
}

const (
	product = "switchyard" // what the others are peers of
	hello   = "Hello"
)

var scenarios = []scenario{
	{name: "fasthttp-plain", what: "a handler that answers Hello: the floor of any Go server, beside others", host: "bench.example", path: "/",
		contenders: []contender{{"fasthttp", "", startFasthttp}, {"nethttp", "", startNethttp}, {"nginx", "return 200", startNginx}}},
	{name: "wasm-hello", what: "built-in dispatcher, user Worker in wasm", host: "wasm.bench.example", path: "/",
		contenders: []contender{{product, "", uploadWasm("wasm", "")}, {"fasthttp", "no guest", startFasthttp},
			{"wazero", "fasthttp and a pool of instances", naive("wazero-pooled", "hello.wasm")},
			{"extism", "fasthttp and a pool of plugins", naive("extism", "extism.wasm")}}},
	{name: "wasm-hello-reset", what: "the same, fresh state for every request", host: "wasm.bench.example", path: "/",
		contenders: []contender{{product, "", uploadWasm("wasm", "request")}, {"fasthttp", "no guest", startFasthttp},
			{"wazero", "fasthttp and an instance a request", naive("wazero-instance", "hello.wasm")}}},
	{name: "wasm-go-hello", what: "built-in dispatcher, user Worker in Go", host: "go.bench.example", path: "/",
		contenders: []contender{{product, "net/http's Handler in the guest", uploadGo}, {"fasthttp", "no guest", startFasthttp},
			{"wazero", "fasthttp and a pool of instances; the guest sees no request", naiveGo}}},
	{name: "js-hello", what: "built-in dispatcher, user Worker in JavaScript", host: "js.bench.example", path: "/",
		contenders: append(javascript("hello.js", ""), contender{"fasthttp", "no guest", startFasthttp})},
	{name: "js-hello-reset", what: "the same, fresh state for every request (no peer has that)", host: "js.bench.example", path: "/",
		contenders: append(javascript("hello.js", "request"), contender{"fasthttp", "no guest", startFasthttp})},
	{name: "js-url", what: "async handler that parses the URL", host: "js.bench.example", path: "/some/path",
		contenders: javascript("url.js", "")},
	{name: "js-json", what: "2 KB of JSON parsed, changed and written", host: "js.bench.example", path: "/",
		contenders: javascript("json.js", "")},
	{name: "js-html", what: "a page of 6 KB, every cell escaped", host: "js.bench.example", path: "/",
		contenders: javascript("html.js", "")},
	{name: "js-compute", what: "kernels that compute: an interpreter beside JITs", host: "js.bench.example", path: "/",
		cases:      []string{"fib", "sieve", "sort", "map", "regex", "string", "matrix", "hash"},
		contenders: javascript("compute.js", "")},
	{name: "asset", what: "built-in dispatcher, a static asset of 5 bytes", host: "asset.bench.example", path: "/",
		contenders: []contender{{product, "", uploadAssets("")}, {"fasthttp", "no file", startFasthttp}, {"nginx", "return 200", startNginx}}},
	{name: "asset-worker", what: "the same, passed on by a Worker in JavaScript", host: "asset.bench.example", path: "/",
		contenders: []contender{{product, "", uploadAssets("assets.js")}, {"fasthttp", "no file, no guest", startFasthttp}}},
	{name: "js-dispatch", what: "the seed's dispatch Worker and a user Worker, both JavaScript", host: "js.bench.example", path: "/",
		contenders: []contender{{product, "", uploadDispatch}, {"fasthttp", "no guest", startFasthttp},
			{"workerd", "joined by a service binding", workerd("hello.js", workerdDispatch)}}},
	{name: "js-dispatch-outbound", what: "dispatch Worker, user Worker, outbound Worker and one fetch of an origin", host: "js.bench.example", path: "/",
		contenders: []contender{{product, "", uploadLifecycle},
			{"workerd", "joined by service bindings and globalOutbound", workerd("user.js", workerdLifecycle)}}},
	{name: "cold", what: "first request of a script that is not in memory", study: studyCold},
	{name: "density", what: "resident memory of warm tenants", study: studyDensity},
	{name: "tenants", what: "start-up, memory, disk and look-up by the number of deployed scripts", study: studyTenants},
	{name: "neighbour", what: "a quiet tenant beside tenants that spin", study: studyNeighbour},
	{name: "kill", what: "how long a guest runs past its CPU limit", study: studyKill},
	{name: "deploy", what: "deploys a second, time to live, and requests that fail meanwhile", study: studyDeploy},
	{name: "meter", what: "cost of rewriting: the same guests with and without it, in wazero", study: studyMeter},
	{name: "core", what: "the isolate core: reset, re-skin, clone, call, density", study: studyCore},
}

// javascript is a Worker of bench/peers on everything that runs it.
func javascript(file, isolation string) []contender {
	return []contender{{product, "", uploadJavaScript(file, isolation)},
		{"workerd", "", workerd(file, workerdAlone)}, {"deno", "one tenant, no limits", deno(file)}, {"bun", "one tenant, no limits", bun(file)}}
}

func scenarioNames() []string {
	var names []string
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	return names
}

// printScenarios writes one a line: name, who takes part, what it is.
func printScenarios(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range scenarios {
		var who []string
		for _, c := range s.contenders {
			who = append(who, c.peer)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\n", s.name, strings.Join(who, " "), s.what)
	}
	tw.Flush()
}

func (s *scenario) answer(o *options, dir string) ([]row, error) {
	if s.study != nil {
		return s.study(o, dir)
	}
	running, err := s.start(dir)
	defer stopAll(running)
	if err != nil {
		return nil, err
	}
	if s.cases == nil {
		return s.rows(o, running, "")
	}
	var rows []row
	for _, name := range s.cases {
		more, err := s.rows(o, running, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// server is a contender that runs, or why it does not.
type server struct {
	contender contender
	process   *process
	client    *client
	missing   error
}

// start starts all contenders. A peer that is not to be had here is reported in its row;
// Switchyard has to start.
func (s *scenario) start(dir string) ([]*server, error) {
	var running []*server
	for _, c := range s.contenders {
		p, err := c.start(dir)
		if err != nil && c.peer == product {
			return running, err
		}
		running = append(running, &server{contender: c, process: p, missing: err})
	}
	return running, nil
}

func stopAll(running []*server) {
	for _, r := range running {
		if r.process != nil {
			r.process.stop()
		}
	}
}

// check asks every contender once: all have to answer the same.
func (s *scenario) check(running []*server, path string) error {
	var want string
	for _, r := range running {
		if r.missing != nil {
			continue
		}
		r.client = newClient(r.process.addr, s.host, path)
		body, err := r.client.get()
		if err != nil {
			return fmt.Errorf("%s: %w", r.contender.peer, err)
		}
		if want == "" {
			want = body
		}
		if body != want || body == "" {
			return fmt.Errorf("%s answers %.200q, not %.200q", r.contender.peer, body, want)
		}
	}
	return nil
}

// readRepo reads a file of this repository; bench runs from its root.
func readRepo(file string) (string, error) {
	b, err := os.ReadFile(file)
	return string(b), err
}
