package loadtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

func always(uint64) fault { return fine }

// checkFixed compares both clocks: the stub's own says how long it slept.
func checkFixed(ctx context.Context, o Options) (string, error) {
	s, err := startStub(always, func() { time.Sleep(5 * time.Millisecond) })
	if err != nil {
		return "", err
	}
	defer s.Close()
	r, err := runOne(ctx, o, stubScenario(s.url(), 500, 4*time.Second))
	if err != nil {
		return "", err
	}
	got, want := r.Classes[0].Response.P50, s.percentile(50)
	if math.Abs(got-want) > 200 {
		return "", fmt.Errorf("p50 is %.0f µs, the server's own %.0f µs", got, want)
	}
	return fmt.Sprintf("p50 %.0f µs, the server's own %.0f µs", got, want), nil
}

// checkStall stops a server for 400 ms in every 2 s. A fifth of an open loop's requests are due in
// a stall and wait for the rest of it: p99 is 95 % of a stall. One user who waits meets one stall
// in two thousand answers.
func checkStall(ctx context.Context, o Options) (string, error) {
	const stall, every = 400 * time.Millisecond, 2 * time.Second
	var gate sync.RWMutex
	s, err := startStub(always, func() {
		gate.RLock()
		defer gate.RUnlock()
	})
	if err != nil {
		return "", err
	}
	defer s.Close()
	stop := make(chan struct{})
	var stalls sync.WaitGroup
	took := newHistogram()
	stalls.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(every - stall):
			}
			gate.Lock()
			began := time.Now()
			time.Sleep(stall)
			gate.Unlock()
			took.record(time.Since(began)) // read once this has ended
		}
	})
	open := stubScenario(s.url(), 1000, 3*every)
	open.Timeout = 5 * time.Second
	closed := open
	closed.Classes = []Class{{Name: "a", VUs: 1}}
	a, err1 := runOne(ctx, o, open)
	b, err2 := runOne(ctx, o, closed)
	close(stop)
	stalls.Wait()
	if err := errors.Join(err1, err2); err != nil {
		return "", err
	}
	want := 0.95 * took.Mean() / 1000
	p99, hidden := a.Classes[0].Response.P99/1000, b.Classes[0].Response.P99/1000
	if math.Abs(p99/want-1) > 0.1 || hidden > 50 {
		return "", fmt.Errorf("p99 is %.0f ms in the open loop, not about %.0f; %.1f ms in the closed one, which should hide it", p99, want, hidden)
	}
	return fmt.Sprintf("p99 %.0f ms, %.0f expected; a closed loop would say %.2f ms", p99, want, hidden), nil
}

func checkRates(ctx context.Context, o Options) (string, error) {
	s, err := startStub(always, nothing)
	if err != nil {
		return "", err
	}
	defer s.Close()
	text := ""
	for _, rate := range []float64{100, 1000, 5000, 20_000} {
		r, err := runOne(ctx, o, stubScenario(s.url(), rate, 2*time.Second))
		if err != nil {
			return "", err
		}
		got := float64(r.Sent+r.Dropped) / 2
		if r.Lag.P99 > 10_000 {
			return "", fmt.Errorf("%.0f/s: lag p99 is %.0f µs: the machine is too busy to tell", rate, r.Lag.P99)
		}
		if math.Abs(got/rate-1) > 0.005 {
			return "", fmt.Errorf("%.1f/s instead of %.0f/s", got, rate)
		}
		text += fmt.Sprintf("%.0f/s: %+.2f %%, lag p99 %.0f µs; ", rate, 100*(got/rate-1), r.Lag.P99)
	}
	return text, nil
}
