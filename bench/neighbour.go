package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	quietRate  = 200 // requests a second of the quiet tenant, evenly
	quietConns = 16
)

// neighbour is what goes on beside the quiet tenant. begin starts it and returns what ends it.
type neighbour struct {
	name  string
	begin func(p *process) (end func(), err error)
}

var neighbours = []neighbour{
	{"alone", func(*process) (func(), error) { return func() {}, nil }},
	{"1 CPU hog", hogging("loop", 1)},
	{"4 CPU hogs", hogging("loop", 4)},
	{"4 memory hogs", hogging("memory", 4)},
	{"4 log hogs", hogging("log", 4)},
	{"64 slow bodies", slowBodies(64)},
	{"deploy storm", deployStorm(4)},
	{"1 foreign process", foreign(1)},
	{"4 foreign processes", foreign(4)},
}

var neighbourHogs = map[string]string{
	"loop":   hogSource(`for (;;);`),
	"memory": hogSource(`const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1));`),
	"log":    hogSource(`for (;;) console.log("x".repeat(10000));`),
	"body":   `export default { async fetch(request) { return new Response(String((await request.text()).length)); } };`,
}

// studyNeighbour measures a quiet tenant's latency by sockets beside hogs of other tenants, in turns. The control rows are
// processes outside of the server that spin as much: what the machine itself does to it.
func studyNeighbour(o *options, dir string) ([]row, error) {
	source, err := readPeer("hello.js")
	if err != nil {
		return nil, err
	}
	uploads := []upload{{path: inBench + "js", main: "index.js", source: source}}
	for name, source := range neighbourHogs {
		uploads = append(uploads, upload{path: inBench + name, main: "index.js", source: source})
	}
	p, err := startSwitchyard(dir, nil, uploads)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	quiet := newClient(p.addr, "js.bench.example", "/")
	latencies := make([][]uint32, len(neighbours))
	for range o.rounds {
		for _, i := range rand.Perm(len(neighbours)) {
			end, err := neighbours[i].begin(p)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", neighbours[i].name, err)
			}
			time.Sleep(100 * time.Millisecond)
			got, err := quiet.load(quietConns, o.seconds, quietRate)
			end()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", neighbours[i].name, err) // the quiet tenant has no errors
			}
			latencies[i] = append(latencies[i], got...)
		}
	}
	rows := make([]row, len(neighbours))
	for i := range neighbours {
		rows[i] = neighbourRow(neighbours[i].name, o.rounds, latencies[i], latencies[0])
	}
	return append(rows, neighbourWorkerd(dir)), nil
}

// neighbourWorkerd asks a quiet Worker of workerd, which has no CPU limit, beside one endless loop: whether it is answered
// before the client gives up, after 10 s.
func neighbourWorkerd(dir string) row {
	r := row{Scenario: "neighbour", Case: "1 CPU hog", Peer: "workerd", Note: "one request of the quiet tenant, 10 s", Rounds: 1}
	p, err := startWorkerd(filepath.Join(dir, "workerd-neighbour"), workerdPair, map[string]string{
		"user.js": neighbourHogs["loop"],
		"pick.js": `export default { fetch(request, env) { return request.headers.get("host").startsWith("loop") ? env.USER.fetch(request) : new Response("Hello"); } };`,
	})
	if err != nil {
		r.Missing = err.Error()
		return r
	}
	defer p.stop()
	quiet := newClient(p.addr, "js.bench.example", "/")
	if _, err := quiet.get(); err != nil {
		r.Missing = err.Error()
		return r
	}
	go newClient(p.addr, "loop.bench.example", "/").exchange("") // ends with the process, or after 10 s
	time.Sleep(100 * time.Millisecond)
	answered := 0.0
	if _, err := quiet.get(); err == nil {
		answered = 1
	}
	r.figure("requests", 1)
	r.figure("answered", answered)
	return r
}

func neighbourRow(name string, rounds int, latencies, alone []uint32) row {
	slices.Sort(latencies)
	p50, p99 := quantile(latencies, 0.5), quantile(latencies, 0.99)
	r := row{Scenario: "neighbour", Case: name, Peer: product, Rounds: rounds, P50: known(p50), P99: known(p99), Rate: quietRate}
	r.figure("requests", float64(len(latencies)))
	r.figure("answered", float64(len(latencies))) // load fails when one is not
	r.figure("p50 µs", p50)
	r.figure("p99 µs", p99)
	r.figure("p99.9 µs", quantile(latencies, 0.999))
	base := quantile(alone, 0.99)
	r.figure("p99 over alone", p99/base)
	r.figure("p99 at most µs", max(1.5*base, base+1000))
	return r
}

// repeat calls f from n goroutines until end.
func repeat(n int, f func()) (end func()) {
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for !stop.Load() {
				f()
			}
		})
	}
	return func() { stop.Store(true); wg.Wait() }
}

// hogging asks a hog from n connections, back to back. It is ended by its limit each time.
func hogging(name string, n int) func(*process) (func(), error) {
	return func(p *process) (func(), error) {
		c := newClient(p.addr, name+".bench.example", "/")
		return repeat(n, func() { c.exchange("") }), nil // whatever it answers
	}
}

// slowBodies sends uploads of which a byte comes now and then.
func slowBodies(n int) func(*process) (func(), error) {
	return func(p *process) (func(), error) {
		return repeat(n, func() { slowBody(p.addr) }), nil
	}
}

func deployStorm(n int) func(*process) (func(), error) {
	return func(p *process) (func(), error) {
		var version atomic.Int64
		return repeat(n, func() {
			number := version.Add(1)
			source := tenantSource(int(number), tenantKinds[1])
			deployAll(p.control, []upload{{path: inBench + fmt.Sprintf("storm%d", number%8), main: "index.js", source: source}})
		}), nil
	}
}

func foreign(n int) func(*process) (func(), error) {
	return func(*process) (func(), error) {
		var all []*process
		end := func() {
			for _, p := range all {
				p.stop()
			}
		}
		for range n {
			p, err := startOwn("-spin")
			if err != nil {
				end()
				return nil, err
			}
			all = append(all, p)
		}
		return end, nil
	}
}
