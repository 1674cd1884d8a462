package loadtest

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Run sends the plan's requests and measures them. It ends after the plan's duration and the
// last answer, or when ctx does.
func Run(ctx context.Context, p Plan) (*Result, error) {
	p, err := p.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &runner{plan: p, result: newResult(p), slots: make(chan struct{}, p.InFlight)}
	r.client = newHTTPClient(p)
	defer r.client.CloseIdleConnections()
	r.run(ctx)
	r.result.finish()
	return r.result, nil
}

// newHTTPClient connects to the target whatever the Host header says, keeps connections, and
// follows no redirect: what the platform answers is what is measured.
func newHTTPClient(p Plan) *http.Client {
	u, _ := url.Parse(p.Target) // checked by withDefaults
	dialer := &net.Dialer{Timeout: p.Timeout}
	return &http.Client{
		Timeout: p.Timeout,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, u.Host)
			},
			MaxIdleConnsPerHost: p.InFlight,
			MaxIdleConns:        p.InFlight,
			DisableCompression:  true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// runner is one Run.
type runner struct {
	plan   Plan
	client *http.Client
	result *Result
	slots  chan struct{} // one element a request in flight
	wg     sync.WaitGroup
}

// run starts each request when it is due, never because another one was answered: a slow
// server meets the same load as a fast one.
func (r *runner) run(ctx context.Context) {
	pacer, tenants := newPacer(&r.plan), newPopularity(&r.plan)
	start := time.Now()
	end := r.plan.Warmup + r.plan.Duration
	for {
		offset := pacer.next()
		if offset >= end {
			break
		}
		due := start.Add(offset)
		if !sleepUntil(ctx, due) {
			break
		}
		tenant, measured := tenants.next(), offset >= r.plan.Warmup
		select {
		case r.slots <- struct{}{}:
		default:
			if measured {
				r.result.drop()
			}
			continue
		}
		r.wg.Go(func() {
			r.send(ctx, tenant, due, measured)
			<-r.slots
		})
	}
	r.wg.Wait()
}

func sleepUntil(ctx context.Context, due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// send performs one request. Its response time counts from when it was due, its service time
// from when it was sent: the difference is what a closed-loop client would hide.
func (r *runner) send(ctx context.Context, tenant int, due time.Time, measured bool) {
	sent := time.Now()
	outcome := r.fetch(ctx, tenant)
	if measured {
		done := time.Now()
		r.result.add(outcome, done.Sub(due), done.Sub(sent), sent.Sub(due))
	}
}

func (r *runner) fetch(ctx context.Context, tenant int) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.plan.Target+r.plan.Path, nil)
	if err != nil {
		return "request"
	}
	req.Host = r.plan.hostOf(tenant)
	resp, err := r.client.Do(req)
	if err != nil {
		return classify(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return "body: " + classify(err)
	}
	return statusClass(resp.StatusCode)
}
