package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"
)

const killLimit = 50 // ms of CPU time

// hogs are ways not to come back. Each is a Worker of its own.
var hogs = []struct{ name, source string }{
	{"loop", `for (;;);`},
	{"promises", `const again = () => Promise.resolve().then(again); await again();`},
	{"regex", `/(a+)+$/.test("a".repeat(40) + "b");`},
	{"bigint", `for (;;) 3n ** 2000000n;`},
	{"sort", `for (;;) Array.from({ length: 300000 }, (_, i) => (i * 7919) % 1000003).sort();`},
	{"json", `const list = Array.from({ length: 100000 }, (_, i) => ({ i })); for (;;) JSON.parse(JSON.stringify(list));`},
	{"indexof", `const text = "a".repeat(20e6); for (;;) text.indexOf("aaaaaaaab");`},
}

func hogSource(body string) string {
	return "export default { async fetch() { " + body + ` return new Response("done"); } };`
}

// studyKill sends guests over their limit, one at a time and four, and reads from the answer what they were
// charged; the clock of the client says when it came. No peer has a CPU limit: see neighbour for what that means.
func studyKill(o *options, dir string) ([]row, error) {
	var uploads []upload
	for _, h := range hogs {
		uploads = append(uploads, upload{path: inBench + h.name, main: "index.js", source: hogSource(h.source), cpuMs: killLimit})
	}
	p, err := startSwitchyard(dir, nil, uploads)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	var rows []row
	for _, h := range hogs {
		for _, clients := range []int{1, 4} {
			k, err := killAll(p, h.name, clients, 10*o.rounds)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", h.name, err)
			}
			rows = append(rows, k.row(h.name, clients))
		}
	}
	return rows, nil
}

// kills are what ending guests took, in ms.
type kills struct{ cpu, wall []float64 }

func killAll(p *process, name string, clients, requests int) (k kills, err error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	c := newClient(p.addr, name+".bench.example", "/")
	for range clients {
		wg.Go(func() {
			for range max(1, requests/clients) {
				start := time.Now()
				resp, body, e := c.exchange(operator)
				took := time.Since(start)
				mu.Lock()
				if e == nil && resp.StatusCode != 503 {
					e = fmt.Errorf("answered %d %.100q, not 503", resp.StatusCode, body)
				}
				if e != nil {
					err = e
					mu.Unlock()
					return
				}
				cpu, _ := strconv.ParseFloat(resp.Header.Get("X-Switchyard-Cpu-Us"), 64)
				k.cpu = append(k.cpu, cpu/1000)
				k.wall = append(k.wall, float64(took.Microseconds())/1000)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return k, err
}

// operator is the header by which answers tell their isolate and CPU time.
const operator = "X-Switchyard-Token: " + benchToken + "\r\n"

func (k kills) row(name string, clients int) row {
	r := row{Scenario: "kill", Case: fmt.Sprintf("%s, %d at once", name, clients), Peer: product, Rounds: len(k.cpu)}
	for _, q := range []struct {
		name string
		q    float64
	}{{"p50", 0.5}, {"p99", 0.99}, {"max", 1}} {
		r.figure("over the limit "+q.name+" ms", quantileOf(k.cpu, q.q)-killLimit)
	}
	r.figure("answered after p50 ms", quantileOf(k.wall, 0.5))
	r.figure("answered after p99 ms", quantileOf(k.wall, 0.99))
	return r
}

func quantileOf(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
