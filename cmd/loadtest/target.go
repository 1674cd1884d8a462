package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"switchyard/loadtest"
)

// target is the server under load, and the scenario, as flags have them.
type target struct {
	scenario, url, control, token, serve, origin, cpus string
	account, namespace                                 string
	allowRemote, noSetup, realTime                     bool
	pid, warmMB                                        int
	duration, warmup, timeout                          time.Duration
	seed                                               uint64
	rate                                               float64
	vus, tenants, inFlight                             int
	zipf, cold                                         float64
	kinds, process, host, path, slo                    string
	trace                                              *loadtest.Trace // of a replay
}

func (t *target) register(fs *flag.FlagSet) {
	fs.StringVar(&t.scenario, "scenario", "", "`FILE` in YAML or JSON; the flags below win over its values")
	fs.StringVar(&t.serve, "serve", "", "start this switchyard `BINARY` with an empty data directory, and an origin, for the time of the test")
	fs.StringVar(&t.url, "target", "", "base `URL` of the ingress of a server that runs already")
	fs.StringVar(&t.control, "control", "", "base `URL` of its control API: tenants are set up there, and isolates' states are told")
	fs.StringVar(&t.token, "token", os.Getenv("SWITCHYARD_TOKEN"), "the operator's `TOKEN`; else $SWITCHYARD_TOKEN")
	fs.StringVar(&t.account, "account", "", "account `ID` in API paths (default 32 zeros)")
	fs.StringVar(&t.namespace, "namespace", "", "of the built-in dispatcher (default production)")
	fs.StringVar(&t.origin, "origin", "", "base `URL` of a `loadtest origin` that the server may fetch from")
	fs.StringVar(&t.cpus, "cpus", "", "with --serve: processors to keep the server to, as taskset has them")
	fs.IntVar(&t.warmMB, "warm-mb", 0, "with --serve: its limits.warm_mb (default: its own)")
	fs.IntVar(&t.pid, "pid", 0, "process of the server, for its CPU time and memory (default: by its metrics)")
	fs.BoolVar(&t.allowRemote, "allow-remote", false, "the target may be another machine than this one")
	fs.BoolVar(&t.realTime, "realtime", false, "schedule the generator before everything else, for a machine with other work (needs the right to)")
	fs.BoolVar(&t.noSetup, "no-setup", false, "the tenants are deployed already, at version 1")
	t.registerLoad(fs)
}

func (t *target) registerLoad(fs *flag.FlagSet) {
	fs.Float64Var(&t.rate, "rate", 0, "requests per second of the first class (default 200)")
	fs.IntVar(&t.vus, "vus", 0, "instead: so many users who wait for answers, a CLOSED loop")
	fs.StringVar(&t.process, "arrivals", "", "process of the first class: constant, poisson, gamma, mmpp (default poisson)")
	fs.IntVar(&t.tenants, "tenants", 0, "number of tenants of the first class (default 10)")
	fs.Float64Var(&t.zipf, "zipf", 0, "their popularity: tenant k is asked as often as 1/k^zipf (default 1)")
	fs.Float64Var(&t.cold, "cold", 0, "share of requests to tenants that were not asked for longest")
	fs.StringVar(&t.kinds, "kinds", "", "kinds of Workers and their weights, e.g. js-hello=6,cpu:5=1; `loadtest kinds` has all")
	fs.StringVar(&t.host, "host", "", "ask for this Host header instead; %d in it is the tenant's number. Nothing is deployed or compared")
	fs.StringVar(&t.path, "path", "", "with --host: the path (default /)")
	fs.StringVar(&t.slo, "slo", "", "objectives of the first class, e.g. p99<50ms,errors<0.1%")
	fs.DurationVar(&t.duration, "duration", 0, "measured time (default 10s)")
	fs.DurationVar(&t.warmup, "warmup", 0, "time before it (default 1s)")
	fs.DurationVar(&t.timeout, "timeout", 0, "of one request (default 10s)")
	fs.IntVar(&t.inFlight, "in-flight", 0, "requests without an answer at once (default 1000)")
	fs.Uint64Var(&t.seed, "seed", 0, "of arrivals, tenants and kinds (default 1)")
}

// load is the scenario by file and flags.
func (t *target) load() (loadtest.Scenario, error) {
	s := loadtest.Scenario{Name: "by flags"}
	if t.scenario != "" {
		var err error
		if s, err = loadtest.ReadScenario(t.scenario); err != nil {
			return s, mistake{err}
		}
	} else {
		s.Classes = []loadtest.Class{{Name: "all", Tenants: loadtest.Population{Count: 10, Zipf: 1}, Arrivals: loadtest.Arrivals{Rate: 200}}}
	}
	override(&s.Target, t.url)
	override(&s.Duration, t.duration)
	override(&s.Warmup, t.warmup)
	override(&s.Timeout, t.timeout)
	override(&s.InFlight, t.inFlight)
	override(&s.Seed, t.seed)
	if len(s.Classes) == 0 {
		return s, mistake{errors.New("classes: there is none")}
	}
	if err := t.overrideClass(&s.Classes[0]); err != nil {
		return s, err
	}
	if t.trace != nil {
		t.trace.Apply(&s)
	}
	return s, nil
}

func (t *target) overrideClass(c *loadtest.Class) error {
	override(&c.Arrivals.Rate, t.rate)
	override(&c.Arrivals.Process, t.process)
	override(&c.Tenants.Count, t.tenants)
	override(&c.Tenants.Zipf, t.zipf)
	override(&c.Tenants.Cold, t.cold)
	override(&c.Host, t.host)
	override(&c.Path, t.path)
	override(&c.SLO, t.slo)
	if t.vus > 0 {
		if t.rate > 0 || t.process != "" {
			return mistake{errors.New("--vus: a closed loop has no --rate and no --arrivals")}
		}
		c.VUs, c.Arrivals = t.vus, loadtest.Arrivals{}
	}
	if t.kinds == "" {
		return nil
	}
	kinds, err := parseKinds(t.kinds)
	c.Tenants.Kinds = kinds
	return err
}

func override[T comparable](field *T, value T) {
	var zero T
	if value != zero {
		*field = value
	}
}

func parseKinds(text string) (map[string]float64, error) {
	kinds := map[string]float64{}
	for part := range strings.SplitSeq(text, ",") {
		name, weight, found := strings.Cut(part, "=")
		w := 1.0
		if found {
			if _, err := fmt.Sscan(weight, &w); err != nil {
				return nil, mistake{fmt.Errorf("--kinds: %q is not NAME=WEIGHT", part)}
			}
		}
		kinds[name] = w
	}
	return kinds, nil
}

// up is a target that is ready, with its tenants.
type up struct {
	scenario loadtest.Scenario
	options  loadtest.Options
	server   *loadtest.Server // nil when it is not ours
	version  string
}

func (u *up) close() {
	if u.server != nil {
		if err := u.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "loadtest:", err)
		}
	}
}

// prepare starts or finds the server, and sets tenants up. The caller closes it.
func (t *target) prepare(ctx context.Context) (*up, error) {
	s, err := t.load()
	if err != nil {
		return nil, err
	}
	u := &up{options: loadtest.Options{AllowRemote: t.allowRemote, RealTime: t.realTime, Progress: progress()}}
	if t.serve != "" {
		if t.url != "" || t.control != "" {
			return nil, mistake{errors.New("--serve starts the server: it goes without --target and --control")}
		}
		s.Target = "http://127.0.0.1:1" // until it is known
	}
	if u.scenario, err = s.Complete(); err != nil {
		return nil, mistake{err}
	}
	if err := t.connect(ctx, u); err != nil {
		u.close()
		return nil, err
	}
	return u, nil
}

func (t *target) connect(ctx context.Context, u *up) (err error) {
	if t.serve != "" {
		if err := t.start(ctx, u); err != nil {
			return err
		}
	} else if t.control != "" {
		if u.options.Platform, err = loadtest.NewPlatform(t.control, t.token, t.allowRemote); err != nil {
			return mistake{err}
		}
		u.options.Platform.UseOrigin(t.origin)
		u.options.Usage = u.options.Platform.Usage
	}
	if t.pid > 0 {
		u.options.Usage = loadtest.ProcessUsage(t.pid)
	}
	p := u.options.Platform
	if p == nil {
		return t.needsNoPlatform(u)
	}
	override(&p.Account, t.account)
	override(&p.Namespace, t.namespace)
	if t.noSetup {
		return nil
	}
	return p.Setup(ctx, u.scenario, setupProgress())
}

// needsNoPlatform refuses what would only end in 404s.
func (t *target) needsNoPlatform(u *up) error {
	if u.scenario.Churn != nil {
		return mistake{errors.New("churn: deploys need --control and --token, or --serve")}
	}
	for _, c := range u.scenario.Classes {
		if c.Host == "" && !t.noSetup {
			return mistake{fmt.Errorf("class %s: its tenants need --control and --token, or --serve; or ask for a --host", c.Name)}
		}
	}
	return nil
}

func (t *target) start(ctx context.Context, u *up) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	u.server, err = loadtest.Serve(ctx, loadtest.ServeOptions{Binary: t.serve, Self: self, Origin: u.scenario.Origin, CPUs: t.cpus, WarmMB: t.warmMB})
	if err != nil {
		return err
	}
	u.scenario.Target, u.options.Platform, u.options.Usage = u.server.Target, u.server.Platform, u.server.Usage()
	out, _ := exec.CommandContext(ctx, t.serve, "version").Output() // it runs: its version is a courtesy
	u.version = strings.TrimSpace(string(out))
	return nil
}
