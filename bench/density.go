package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

// densityConfig lets the server keep what it is asked for.
const densityConfig = "limits: {warm_mb: 16384}\n"

// studyDensity asks each of many distinct tenants once and reads what the server takes with all of them
// warm. workerd keeps every Worker of its configuration; 10,000 of them would take 16 GB.
func studyDensity(o *options, dir string) ([]row, error) {
	p, err := startSwitchyard(dir, nil, nil, densityConfig)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	base, err := p.rss()
	if err != nil {
		return nil, err
	}
	var rows []row
	from := 0
	for _, n := range sizes(o.tenants) {
		if err := deployFleet(p, from, n, allHello); err != nil {
			return nil, err
		}
		for i := from; i < n; i++ {
			if _, err := newClient(p.addr, tenantName(i)+".bench.example", "/").get(); err != nil {
				return nil, err
			}
		}
		from = n
		rss, err := p.rss()
		if err != nil {
			return nil, err
		}
		rows = append(rows, densityRow(product, "", n, base, rss))
	}
	for _, n := range sizes(min(o.tenants, 1000)) {
		rows = append(rows, densityWorkerd(dir, n))
	}
	return rows, nil
}

func densityRow(peer, note string, n int, base, rss float64) row {
	r := row{Scenario: "density", Case: fmt.Sprint(n), Peer: peer, Note: note, RSS: &rss, Rounds: 1}
	r.figure("RSS MiB", rss)
	r.figure("KiB a tenant", (rss-base)*1024/float64(n))
	return r
}

func densityWorkerd(dir string, n int) row {
	services, bindings := &strings.Builder{}, &strings.Builder{}
	modules := map[string]string{}
	for i := range n {
		name := tenantName(i)
		modules[name+".js"] = tenantSource(i, tenantKinds[0])
		fmt.Fprintf(services, `(name = %q, worker = (modules = [ (name = "%s.js", esModule = embed "%s.js") ], DATE)),`, name, name, name)
		fmt.Fprintf(bindings, `(name = %q, service = %q),`, name, name)
	}
	modules["pick.js"] = `export default { fetch(request, env) { return env[new URL(request.url).hostname.split(".")[0]].fetch(request); } };`
	fmt.Fprintf(services, `(name = "entry", worker = (modules = [ (name = "pick.js", esModule = embed "pick.js") ], bindings = [ %s ], DATE))`, bindings)
	missing := func(err error) row {
		return row{Scenario: "density", Case: fmt.Sprint(n), Peer: "workerd", Missing: err.Error()}
	}
	p, err := startWorkerd(filepath.Join(dir, fmt.Sprintf("workerd-density-%d", n)), services.String(), modules)
	if err != nil {
		return missing(err)
	}
	defer p.stop()
	for i := range n {
		if _, err := newClient(p.addr, tenantName(i)+".bench.example", "/").get(); err != nil {
			return missing(err)
		}
	}
	rss, err := p.rss()
	if err != nil {
		return missing(err)
	}
	return densityRow("workerd", "the process's whole memory", n, 0, rss)
}
