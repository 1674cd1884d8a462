package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// scenario is one row: a server to start and the request to send it.
type scenario struct {
	name string
	peer string // the product that answers
	what string
	host string // Host header
	path string
	body string // the answer, checked before measuring; "@FILE": what that file of bench/peers holds
	// start returns the server ready for requests.
	start func(dir string) (*process, error)
}

var scenarios = []scenario{
	{name: "fasthttp-plain", peer: "fasthttp", what: "a handler that answers Hello: the floor",
		host: "bench.example", path: "/", body: hello, start: startPlain},
	{name: "wasm-hello", peer: product, what: "built-in dispatcher, user Worker in wasm",
		host: "wasm.bench.example", path: "/", body: hello, start: startHello},
	{name: "wasm-hello-request", peer: product, what: "the same, fresh state for every request",
		host: "wasm-request.bench.example", path: "/", body: hello, start: startHello},
	{name: "js-hello", peer: product, what: "built-in dispatcher, user Worker in JavaScript",
		host: "js.bench.example", path: "/", body: hello, start: startHello},
	{name: "js-hello-request", peer: product, what: "the same, fresh state for every request",
		host: "js-request.bench.example", path: "/", body: hello, start: startHello},
	{name: "js-url", peer: product, what: "async handler that parses the URL",
		host: "url.bench.example", path: "/some/path", body: "Hello /some/path", start: startHello},
	{name: "js-json", peer: product, what: "2 KB of JSON parsed, changed and written",
		host: "json.bench.example", path: "/", body: "@json.txt", start: startHello},
	{name: "js-html", peer: product, what: "a page of 6 KB, every cell escaped",
		host: "html.bench.example", path: "/", body: "@html.txt", start: startHello},
	{name: "js-dispatch", peer: product, what: "the seed's dispatch Worker and a user Worker, both JavaScript",
		host: "js.bench.example", path: "/", body: hello, start: startDispatch},
	{name: "workerd-hello", peer: "workerd", what: "js-hello's Worker",
		host: "js.bench.example", path: "/", body: hello, start: startWorkerdHello},
	{name: "workerd-url", peer: "workerd", what: "js-url's Worker",
		host: "url.bench.example", path: "/some/path", body: "Hello /some/path", start: startWorkerdURL},
	{name: "workerd-json", peer: "workerd", what: "js-json's Worker",
		host: "json.bench.example", path: "/", body: "@json.txt", start: startWorkerdJSON},
	{name: "workerd-html", peer: "workerd", what: "js-html's Worker",
		host: "html.bench.example", path: "/", body: "@html.txt", start: startWorkerdHTML},
	{name: "workerd-dispatch", peer: "workerd", what: "js-dispatch's Workers, joined by a service binding",
		host: "js.bench.example", path: "/", body: hello, start: startWorkerdDispatch},
}

const (
	product = "switchyard" // what the others are peers of
	hello   = "Hello"
)

func scenarioNames() []string {
	var names []string
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	return names
}

// printScenarios writes one a line: name, peer, what it is.
func printScenarios(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range scenarios {
		fmt.Fprintf(tw, "%s\t%s\t%s\n", s.name, s.peer, s.what)
	}
	tw.Flush()
}

func choose(names []string) ([]scenario, error) {
	var chosen []scenario
	for _, name := range names {
		i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-run: no scenario %q, there are %s", name, strings.Join(scenarioNames(), ", "))
		}
		chosen = append(chosen, scenarios[i])
	}
	return chosen, nil
}

// target is a running server and what is asked of it.
type target struct {
	scenario scenario
	process  *process
	client   *client
}

// startAll starts the servers; scenarios with the same start share one.
func startAll(chosen []scenario, dir string) ([]*target, error) {
	var running []*target
	shared := map[string]*process{}
	for _, s := range chosen {
		key := fmt.Sprintf("%p", s.start)
		p := shared[key]
		if p == nil {
			var err error
			if p, err = s.start(dir); err != nil {
				return running, fmt.Errorf("%s: %w", s.name, err)
			}
			shared[key] = p
		}
		body, err := s.answer()
		if err != nil {
			return running, err
		}
		t := &target{scenario: s, process: p, client: newClient(p.addr, s.host, s.path, body)}
		running = append(running, t)
		if err := t.client.check(); err != nil {
			return running, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return running, nil
}

func stopAll(running []*target) {
	for _, t := range running {
		t.process.stop()
	}
}

func (s *scenario) answer() (string, error) {
	if file, ok := strings.CutPrefix(s.body, "@"); ok {
		return readRepo("bench/peers/" + file)
	}
	return s.body, nil
}

// readRepo reads a file of this repository; bench runs from its root.
func readRepo(file string) (string, error) {
	b, err := os.ReadFile(file)
	return string(b), err
}
