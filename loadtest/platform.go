package loadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Platform is a Switchyard's control API, by which tenants are made and the server's usage is
// read.
type Platform struct {
	Control   string // base URL, e.g. http://127.0.0.1:8788
	Token     string
	Account   string // Default: 32 zeros
	Namespace string // the built-in dispatcher's. Default: production
	loops     int    // turns of workers/cpu.js per ms, once Setup has measured them
	origin    string // base URL of the origin; "" when no Worker needs one
	client    http.Client
}

// NewPlatform checks where the control API is.
func NewPlatform(control, token string, allowRemote bool) (*Platform, error) {
	control = strings.TrimSuffix(strings.TrimSuffix(control, "/"), "/client/v4")
	s := Scenario{Target: control}
	address, err := s.address()
	if err != nil {
		return nil, fmt.Errorf("control: %q is not http://HOST:PORT", control)
	}
	to, err := resolve(address)
	if err != nil {
		return nil, err
	}
	if err := checkLoopback("control", to.Addr(), allowRemote); err != nil {
		return nil, err
	}
	if token == "" || strings.ContainsAny(token, " \r\n") {
		return nil, errors.New("token: the control API needs the operator's; it has no spaces")
	}
	p := &Platform{Control: control, Token: token, Account: strings.Repeat("0", 32), Namespace: "production", loops: usualLoops}
	p.client.Timeout = time.Minute
	return p, nil
}

// usualLoops per ms of CPU are about what a machine of 2025 does; Setup measures.
const usualLoops = 20_000

func (p *Platform) scripts() string {
	return p.Control + "/client/v4/accounts/" + p.Account + "/workers/dispatch/namespaces"
}

// Setup makes every tenant of a scenario, at version 1.
func (p *Platform) Setup(ctx context.Context, s Scenario, progress func(done, total int)) error {
	s, err := s.Complete()
	if err != nil {
		return err
	}
	if err := p.createNamespace(ctx); err != nil {
		return err
	}
	crowds := newCrowds(&s)
	if needs(crowds, "fanout") && p.origin == "" {
		return errors.New("fanout Workers need an origin: --serve or --origin starts one")
	}
	if needs(crowds, "cpu") {
		if err := p.calibrate(ctx, &s); err != nil {
			return err
		}
	}
	return p.setup(ctx, crowds, progress)
}

func needs(crowds []*crowd, kind string) bool {
	for _, c := range crowds {
		for i := range c.kinds {
			if c.kinds[i].name == kind {
				return true
			}
		}
	}
	return false
}

// setup deploys with a few uploads at once; the first failure ends it.
func (p *Platform) setup(ctx context.Context, crowds []*crowd, progress func(done, total int)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type job struct {
		crowd  *crowd
		tenant int
	}
	total := 0
	for _, c := range crowds {
		total += len(c.kindOf)
	}
	jobs, done := make(chan job), make(chan struct{}, deployers)
	var wg sync.WaitGroup
	for range deployers {
		wg.Go(func() {
			for j := range jobs {
				if err := p.deploy(ctx, j.crowd, j.tenant, 1); err != nil {
					cancel(err)
				}
				done <- struct{}{}
			}
		})
	}
	go func() { // ends with the jobs or ctx; wg and done's reader wait for it
		defer close(jobs)
		for _, c := range crowds {
			for i := range c.kindOf {
				select {
				case jobs <- job{c, i + 1}:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	go func() { wg.Wait(); close(done) }()
	count := 0
	for range done {
		if count++; progress != nil {
			progress(count, total)
		}
	}
	return context.Cause(ctx)
}

// deploy uploads one version of a tenant.
func (p *Platform) deploy(ctx context.Context, c *crowd, tenant int, version uint32) error {
	k := c.kind(tenant)
	who := who(c.script(tenant), version)
	main, code := k.source(who, p.loops)
	metadata := map[string]any{
		"main_module": main,
		"tags":        []string{tag},
		"bindings": []map[string]string{
			{"name": "WHO", "type": "plain_text", "text": who},
			{"name": "ORIGIN", "type": "plain_text", "text": p.origin},
		},
	}
	if k.killed {
		metadata["limits"] = map[string]int{"cpu_ms": k.parameter}
	} else if k.name == "cpu" {
		metadata["limits"] = map[string]int{"cpu_ms": 10*k.parameter + 50}
	}
	if c.Tenants.Isolation != "" {
		metadata["switchyard"] = map[string]string{"isolation": c.Tenants.Isolation}
	}
	return p.upload(ctx, c.script(tenant), main, code, metadata)
}

// tag marks the scripts that are ours.
const tag = "loadtest"

func (p *Platform) upload(ctx context.Context, script, main string, code []byte, metadata map[string]any) error {
	doc, err := json.Marshal(metadata)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	kind := "application/javascript+module"
	if strings.HasSuffix(main, ".wasm") {
		kind = "application/wasm"
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	form.WriteField("metadata", string(doc)) // a bytes.Buffer takes every write
	part, _ := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename=%q`, main, main)},
		"Content-Type":        {kind},
	})
	part.Write(code)
	form.Close()
	return p.call(ctx, http.MethodPut, p.scripts()+"/"+p.Namespace+"/scripts/"+script, form.FormDataContentType(), body.Bytes())
}

func (p *Platform) createNamespace(ctx context.Context) error {
	if p.call(ctx, http.MethodGet, p.scripts()+"/"+p.Namespace, "", nil) == nil {
		return nil
	}
	return p.call(ctx, http.MethodPost, p.scripts(), "application/json", fmt.Appendf(nil, `{"name":%q}`, p.Namespace))
}

// Cleanup deletes every tenant that Setup made, at any time.
func (p *Platform) Cleanup(ctx context.Context) error {
	const most = 1000 // at once
	query := "/scripts?tags=" + url.QueryEscape(tag+":yes") + "&limit=" + strconv.Itoa(most)
	for {
		doc, err := p.fetch(ctx, http.MethodDelete, p.scripts()+"/"+p.Namespace+query, "", nil)
		if err != nil {
			return err
		}
		var answer struct {
			Result struct{ Deleted []json.RawMessage }
		}
		if err := json.Unmarshal(doc, &answer); err != nil {
			return fmt.Errorf("cleanup: %w", err)
		}
		if len(answer.Result.Deleted) < most {
			return nil
		}
	}
}

func (p *Platform) call(ctx context.Context, method, url, contentType string, body []byte) error {
	_, err := p.fetch(ctx, method, url, contentType, body)
	return err
}

const maxAnswer = 16 << 20

func (p *Platform) fetch(ctx context.Context, method, url, contentType string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+p.Token)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	resp, err := p.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %d %.300s", method, url, resp.StatusCode, answer)
	}
	return answer, err
}

// Usage reads the server's own metrics, for a server whose process is not at hand.
func (p *Platform) Usage() (Usage, error) {
	doc, err := p.fetch(context.Background(), http.MethodGet, p.Control+"/metrics", "", nil)
	if err != nil {
		return Usage{}, err
	}
	var u Usage
	var found int
	for line := range strings.SplitSeq(string(doc), "\n") {
		name, value, _ := strings.Cut(line, " ")
		switch name {
		case "process_cpu_seconds_total":
			u.CPU, err = strconv.ParseFloat(value, 64)
			found++
		case "process_resident_memory_bytes":
			u.RSS, err = strconv.ParseFloat(value, 64)
			u.RSS /= 1 << 20
			found++
		}
		if err != nil {
			return u, fmt.Errorf("metrics: %w", err)
		}
	}
	if found < 2 {
		return u, errors.New("metrics: they do not tell the process's CPU and memory")
	}
	return u, nil
}

// calibrate measures how many turns of workers/cpu.js a millisecond of CPU is.
func (p *Platform) calibrate(ctx context.Context, s *Scenario) error {
	const tries, loops = 7, 200_000
	probe := &crowd{Class: &Class{Name: "calibrate"}, kinds: []kind{newKind("cpu", 10)}, kindOf: []uint8{0}}
	p.loops = loops / 10
	if err := p.deploy(ctx, probe, 1, 1); err != nil {
		return err
	}
	best := int64(0)
	for range tries {
		us, err := p.cpuOf(ctx, s, probe.hostOf(s.Domain, 1))
		if err != nil {
			return fmt.Errorf("calibrating: %w", err)
		}
		if best == 0 || us < best {
			best = us
		}
	}
	p.loops = max(1, int(loops*1000/best))
	return nil
}

func (p *Platform) cpuOf(ctx context.Context, s *Scenario, host string) (int64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(s.Target, "/")+"/000000000000", nil)
	if err != nil {
		return 0, err
	}
	r.Host = host
	r.Header.Set("Authorization", "Bearer "+p.Token)
	resp, err := p.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	us, err := strconv.ParseInt(resp.Header.Get("X-Switchyard-Cpu-Us"), 10, 64)
	if err == nil && us < 1 || resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s and no CPU time", host, resp.Status)
	}
	return us, err
}

// HasOrigin reports whether fanout Workers have what to fetch from.
func (p *Platform) HasOrigin() bool { return p.origin != "" }
