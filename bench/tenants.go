package main

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// studyTenants grows one data directory by powers of ten and starts a server on it each time: how long until it is
// ready, what it takes, how fast it finds a Worker; and what a request costs when the pool holds a tenth of the tenants.
func studyTenants(o *options, dir string) ([]row, error) {
	data, err := os.MkdirTemp(dir, "data-")
	if err != nil {
		return nil, err
	}
	var rows []row
	from := 0
	for _, n := range sizes(o.tenants) {
		start := time.Now()
		if err := fill(dir, data, from, n, kindOf); err != nil {
			return nil, err
		}
		r := row{Scenario: "tenants", Case: fmt.Sprint(n), Peer: product, Rounds: 1}
		r.figure("deploys/s, 8 clients", float64(n-from)/time.Since(start).Seconds())
		if err := tenantsAt(o, dir, data, n, &r); err != nil {
			return nil, err
		}
		rows = append(rows, r)
		from = n
	}
	return rows, nil
}

func tenantsAt(o *options, dir, data string, n int, r *row) error {
	start := time.Now()
	p, err := serveSwitchyard(dir, data, nil)
	if err != nil {
		return err
	}
	defer p.stop()
	r.figure("start ms", float64(time.Since(start).Microseconds())/1000)
	cpu, err := p.cpu()
	if err != nil {
		return err
	}
	r.figure("start CPU ms", float64(cpu.Milliseconds()))
	rss, err := p.rss()
	if err != nil {
		return err
	}
	r.figure("RSS at start MiB", rss)
	size, err := diskOf(data)
	if err != nil {
		return err
	}
	r.figure("disk KiB a tenant", float64(size)/1024/float64(n))
	if err := lookup(o, p, n, r); err != nil {
		return err
	}
	return uniform(p, n, r)
}

// lookup asks one warm tenant from one connection.
func lookup(o *options, p *process, n int, r *row) error {
	c := newClient(p.addr, tenantName(n-1)+".bench.example", "/")
	if _, err := c.get(); err != nil {
		return err
	}
	s := &server{process: p, client: c}
	f, err := s.measure(1, o.seconds, 0)
	if err != nil {
		return err
	}
	r.CPU, r.RPS, r.P50, r.P99 = known(f.cpu), known(f.rps), known(f.p50), known(f.p99)
	r.figure("warm CPU µs/req", f.cpu)
	r.figure("warm p50 µs", f.p50)
	r.figure("warm p99 µs", f.p99)
	return nil
}

// uniform asks tenants at random, most of which are not in memory.
func uniform(p *process, n int, r *row) error {
	const requests = 2000
	before, err := p.cpu()
	if err != nil {
		return err
	}
	var order []int
	for range requests {
		order = append(order, rand.IntN(n))
	}
	all, err := askEach(p, order)
	if err != nil {
		return err
	}
	after, err := p.cpu()
	if err != nil {
		return err
	}
	var wall []float64
	warm := 0
	for _, f := range all {
		wall = append(wall, f.wall...)
		warm += f.isolates["warm"]
	}
	r.figure("any tenant: CPU µs/req", float64((after-before).Microseconds())/requests)
	r.figure("p50 µs", quantileOf(wall, 0.5))
	r.figure("p99 µs", quantileOf(wall, 0.99))
	r.figure("warm %", 100*float64(warm)/requests)
	rss, err := p.rss()
	r.RSS = &rss
	r.figure("RSS MiB", rss)
	return err
}

// diskOf is what the files of a directory take, in bytes.
func diskOf(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
