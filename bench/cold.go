package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"time"
)

// studyCold deploys tenants, starts the server anew and asks each once, one after the other, in a random order. Its
// peers start a process for a tenant, which is what one does with them.
func studyCold(o *options, dir string) ([]row, error) {
	n := min(o.tenants, 1000)
	data, err := os.MkdirTemp(dir, "data-")
	if err != nil {
		return nil, err
	}
	if err := fill(dir, data, 0, n, kindOf); err != nil {
		return nil, err
	}
	p, err := serveSwitchyard(dir, data, nil)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	cold, err := askEach(p, rand.Perm(n))
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, kind := range tenantKinds {
		rows = append(rows, cold[kind.name].row("cold", kind.name))
	}
	for _, peer := range []contender{{"workerd", "a process a tenant", workerd("hello.js", workerdAlone)},
		{"deno", "a process a tenant", deno("hello.js")}, {"bun", "a process a tenant", bun("hello.js")}} {
		rows = append(rows, coldProcess(peer, dir, o.rounds))
	}
	return rows, nil
}

// fill deploys tenants into a data directory, and stops the server.
func fill(dir, data string, from, to int, kind func(int) tenantKind) error {
	p, err := serveSwitchyard(dir, data, nil)
	if err != nil {
		return err
	}
	defer p.stop()
	if from == 0 {
		if err := call("POST", p.control+accountAPI+"/dispatch/namespaces", "application/json", []byte(`{"name":"bench"}`)); err != nil {
			return err
		}
	}
	return deployFleet(p, from, to, kind)
}

// firsts are the first answers of tenants of one kind.
type firsts struct {
	cpu, wall []float64 // µs; cpu as the server charges the guest
	isolates  map[string]int
}

// askEach asks tenants once each; the answers are sorted by kind.
func askEach(p *process, tenants []int) (map[string]*firsts, error) {
	all := map[string]*firsts{}
	for _, kind := range tenantKinds {
		all[kind.name] = &firsts{isolates: map[string]int{}}
	}
	for _, n := range tenants {
		c := newClient(p.addr, tenantName(n)+".bench.example", "/")
		start := time.Now()
		resp, body, err := c.exchange(operator)
		took := time.Since(start)
		if err != nil {
			return nil, err
		}
		if want := fmt.Sprintf("tenant %d", n); body != want {
			return nil, fmt.Errorf("answered %d %.100q, not %q", resp.StatusCode, body, want)
		}
		f := all[kindOf(n).name]
		cpu, _ := strconv.ParseFloat(resp.Header.Get("X-Switchyard-Cpu-Us"), 64)
		f.cpu = append(f.cpu, cpu)
		f.wall = append(f.wall, float64(took.Microseconds()))
		f.isolates[resp.Header.Get("X-Switchyard-Isolate")]++
	}
	return all, nil
}

func (f *firsts) row(scenario, name string) row {
	r := row{Scenario: scenario, Case: name, Peer: product, Rounds: len(f.wall)}
	r.P50, r.P99 = known(quantileOf(f.wall, 0.5)), known(quantileOf(f.wall, 0.99))
	r.figure("first answer p50 µs", quantileOf(f.wall, 0.5))
	r.figure("p99 µs", quantileOf(f.wall, 0.99))
	r.figure("guest's CPU p50 µs", quantileOf(f.cpu, 0.5))
	for name, n := range f.isolates {
		r.figure("isolate "+name, float64(n))
	}
	return r
}

func coldProcess(c contender, dir string, rounds int) row {
	r := row{Scenario: "cold", Case: "hello", Peer: c.peer, Note: c.note, Rounds: rounds}
	var wall, cpu []float64
	for range rounds {
		start := time.Now()
		p, err := c.start(dir)
		if err == nil {
			_, err = newClient(p.addr, "js.bench.example", "/").get()
		}
		if err != nil {
			r.Missing = err.Error()
			return r
		}
		wall = append(wall, float64(time.Since(start).Microseconds()))
		if used, err := p.cpu(); err == nil {
			cpu = append(cpu, float64(used.Microseconds()))
		}
		p.stop()
	}
	r.P50, r.P99 = known(quantileOf(wall, 0.5)), known(quantileOf(wall, 0.99))
	r.figure("first answer p50 µs", quantileOf(wall, 0.5))
	r.figure("p99 µs", quantileOf(wall, 0.99))
	r.figure("process's CPU p50 µs", quantileOf(cpu, 0.5))
	return r
}
