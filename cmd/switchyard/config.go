package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// config is everything `serve` can be told: by flags, by --config FILE, flags first.
type config struct {
	Data      string `yaml:"data"`      // directory of the state. Default: ./data
	Listen    string `yaml:"listen"`    // ingress. Default: 127.0.0.1:8787
	Control   string `yaml:"control"`   // control API. Default: 127.0.0.1:8788
	Token     string `yaml:"token"`     // admin token. Default: $SWITCHYARD_TOKEN, else DIR/token
	Account   string `yaml:"account"`   // account id in API paths. Default: 32 zeros
	Entry     string `yaml:"entry"`     // plain Worker for requests that no route claims
	Namespace string `yaml:"namespace"` // of the built-in dispatcher. Default: production
	Demo      bool   `yaml:"demo"`      // deploy the example platform
	Fallback  string `yaml:"fallback"`  // when the entry Worker fails: "none", "page" or "builtin". Default: none
	Page      string `yaml:"page"`      // file of HTML that "page" shows, at most 1 MiB
	Metrics   string `yaml:"metrics"`   // own listener for /metrics, without a token. Default: none

	ControlHosts   []string      `yaml:"control_hosts"`   // names that the control API may be reached by
	TrustedProxies []string      `yaml:"trusted_proxies"` // CIDRs whose X-Forwarded-* are believed
	Grace          time.Duration `yaml:"grace"`           // for requests in flight at SIGTERM. Default: 30s
	Egress         egressConfig  `yaml:"egress"`
	Cache          cacheConfig   `yaml:"cache"`
	Audit          auditConfig   `yaml:"audit"`
	Usage          usageConfig   `yaml:"usage"`
	Limits         limitsConfig  `yaml:"limits"`       // of customers' Workers, and of the process
	PlainLimits    callLimits    `yaml:"plain_limits"` // of the operator's own: dispatch, outbound, routed Workers
}

// auditConfig bounds the audit log.
type auditConfig struct {
	Days    int `yaml:"days"`    // Default: 90
	Entries int `yaml:"entries"` // Default: 1000000
}

// cacheConfig bounds the memory of the Cache API, and of static assets.
type cacheConfig struct {
	Total  int64 `yaml:"total_mb"`  // of all scripts. Default: 64
	Script int64 `yaml:"script_mb"` // of one. Default: 8
	Assets int64 `yaml:"assets_mb"` // of static assets, of all scripts. Default: 64
}

const maxCacheMB = 1 << 20

// usageConfig says how what was spent is kept.
type usageConfig struct {
	Flush         time.Duration `yaml:"flush"`          // how often it is written down: a killed process loses no more. Default: 2s
	MinutesFor    time.Duration `yaml:"minutes_for"`    // how long it is known by the minute. Default: 48h
	HoursFor      time.Duration `yaml:"hours_for"`      // by the hour. Default: 1488h, which is 62 days
	DaysFor       time.Duration `yaml:"days_for"`       // by the day. Default: 9600h, which is 400 days
	MetricScripts int           `yaml:"metric_scripts"` // scripts that /metrics names, the busiest; all others are one. Default: 20
}

func (u usageConfig) check() error {
	for _, d := range []struct {
		key         string
		value       time.Duration
		least, most time.Duration
	}{
		{"flush", u.Flush, 100 * time.Millisecond, time.Minute},
		{"minutes_for", u.MinutesFor, 2 * time.Hour, 31 * 24 * time.Hour},
		{"hours_for", u.HoursFor, 48 * time.Hour, 3660 * 24 * time.Hour},
		{"days_for", u.DaysFor, 32 * 24 * time.Hour, 36600 * 24 * time.Hour},
	} {
		if d.value < d.least || d.value > d.most {
			return usageError{fmt.Errorf("usage.%s: %s is not between %s and %s", d.key, d.value, d.least, d.most)}
		}
	}
	return checkBounds("usage", bound{"metric_scripts", int64(u.MetricScripts), 0, 1000})
}

// egressConfig opens and closes destinations of guests' fetches.
type egressConfig struct {
	Allow []string `yaml:"allow"` // host:port or CIDR[:port], opened although the deny table has it
	Deny  []string `yaml:"deny"`  // closed besides the deny table
}

func defaultConfig() config {
	return config{
		Data: "./data", Listen: "127.0.0.1:8787", Control: "127.0.0.1:8788",
		Account: strings.Repeat("0", 32), Namespace: "production", Fallback: fallbackNone, Grace: 30 * time.Second,
		Cache: cacheConfig{Total: 64, Script: 8, Assets: 64}, Audit: auditConfig{Days: 90, Entries: 1_000_000},
		Usage: usageConfig{Flush: 2 * time.Second, MinutesFor: 48 * time.Hour, HoursFor: 62 * 24 * time.Hour, DaysFor: 400 * 24 * time.Hour, MetricScripts: 20},
		Limits: limitsConfig{
			callLimits: callLimits{CPU: 50, Subrequests: 1000, LogBytes: 256 << 10},
			Memory:     128, RequestBytes: 100 << 20, Startup: 400, Compile: 10_000, CompileMem: 1024, Isolates: 64, Warm: 1024, Suspended: 8,
		},
		PlainLimits: callLimits{CPU: 30_000, Subrequests: 10_000, LogBytes: 1 << 20},
	}
}

// parseConfig reads the command line and the file it names. Nothing has been opened yet.
func parseConfig(args []string, stderr io.Writer) (config, error) {
	c := defaultConfig()
	var file string
	fs := flag.NewFlagSet("serve", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&file, "config", "", "YAML `FILE` with these settings and more; flags win")
	bind := func(c *config) {
		fs.StringVar(&c.Data, "data", c.Data, "state `DIR`, created when missing")
		fs.StringVar(&c.Listen, "listen", c.Listen, "ingress `ADDR`")
		fs.StringVar(&c.Control, "control", c.Control, "control API `ADDR`")
		fs.StringVar(&c.Token, "token", c.Token, "admin API `TOKEN`; else $SWITCHYARD_TOKEN; else DIR/token")
		fs.StringVar(&c.Account, "account", c.Account, "account `ID` in API paths")
		fs.StringVar(&c.Entry, "entry", c.Entry, "plain Worker that receives every request no route claims (`SCRIPT`)")
		fs.StringVar(&c.Namespace, "namespace", c.Namespace, "built-in dispatcher's namespace (`NAME`)")
		fs.StringVar(&c.Metrics, "metrics", c.Metrics, "own listener for /metrics (`ADDR`)")
		fs.BoolVar(&c.Demo, "demo", c.Demo, "deploy the example platform and print curl lines")
	}
	bind(&c)
	if err := fs.Parse(args); err != nil {
		return c, usageError{err}
	}
	if fs.NArg() > 0 {
		return c, usageError{fmt.Errorf("unexpected argument %q", fs.Arg(0))}
	}
	if file != "" {
		if err := c.merge(file, fs); err != nil {
			return c, err
		}
	}
	return c, c.check()
}

// merge lays the file under the flags that were given.
func (c *config) merge(file string, fs *flag.FlagSet) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	defer f.Close()
	dec := yaml.NewDecoder(f)
	dec.KnownFields(true)
	given := map[string]string{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = f.Value.String() })
	*c = defaultConfig()
	if err := dec.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("--config %s: %w", file, err)
	}
	if err := dec.Decode(new(config)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("--config %s: more than one YAML document", file)
	}
	for name, value := range given { // the flags are bound to c's fields: set them again
		if err := fs.Set(name, value); err != nil {
			return usageError{err}
		}
	}
	return nil
}

var (
	validName    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)
	validAccount = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

// check refuses what could only fail later.
func (c *config) check() error {
	for _, a := range []struct{ key, value string }{{"listen", c.Listen}, {"control", c.Control}, {"metrics", c.Metrics}} {
		if a.value == "" && a.key == "metrics" {
			continue
		}
		if _, _, err := net.SplitHostPort(a.value); err != nil {
			return usageError{fmt.Errorf("%s: %w", a.key, err)}
		}
	}
	if !validAccount.MatchString(c.Account) {
		return usageError{fmt.Errorf("account: %q is not an id: 1 to 64 letters, digits, - and _", c.Account)}
	}
	if !validName.MatchString(c.Namespace) {
		return usageError{fmt.Errorf("namespace: %q is not a name: 1 to 63 letters, digits, - and _", c.Namespace)}
	}
	if c.Entry != "" && !validName.MatchString(c.Entry) {
		return usageError{fmt.Errorf("entry: %q is not a name: 1 to 63 letters, digits, - and _", c.Entry)}
	}
	if err := c.checkFallback(); err != nil {
		return usageError{err}
	}

	for _, p := range c.TrustedProxies {
		if _, err := netip.ParsePrefix(p); err != nil {
			return usageError{fmt.Errorf("trusted_proxies: %w", err)}
		}
	}
	for _, m := range []struct {
		key string
		mb  int64
	}{{"total_mb", c.Cache.Total}, {"script_mb", c.Cache.Script}, {"assets_mb", c.Cache.Assets}} {
		if m.mb < 1 || m.mb > maxCacheMB {
			return usageError{fmt.Errorf("cache.%s: %d is not from 1 to %d", m.key, m.mb, maxCacheMB)}
		}
	}
	if c.Audit.Days < 1 || c.Audit.Days > 36_500 {
		return usageError{fmt.Errorf("audit.days: %d is not from 1 to 36500", c.Audit.Days)}
	}
	if c.Audit.Entries < 1 || c.Audit.Entries > 100_000_000 {
		return usageError{fmt.Errorf("audit.entries: %d is not from 1 to 100000000", c.Audit.Entries)}
	}
	if c.Grace < 0 {
		return usageError{fmt.Errorf("grace: %v is negative", c.Grace)}
	}
	if err := c.Usage.check(); err != nil {
		return err
	}
	if err := c.PlainLimits.check("plain_limits"); err != nil {
		return err
	}
	return c.Limits.check()
}
