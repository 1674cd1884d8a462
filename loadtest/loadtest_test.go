package loadtest

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"time"
)

// TestChecks runs the self-tests that do not depend on the machine's peace.
func TestChecks(t *testing.T) {
	for _, c := range Checks() {
		t.Run(c.Name, func(t *testing.T) {
			if c.Timed {
				t.Skip("timed: loadtest selftest runs it")
			}
			if detail, err := c.Run(t.Context(), Options{}); err != nil {
				t.Error(err)
			} else {
				t.Log(detail)
			}
		})
	}
}

// TestBadScenarios: what is wrong is named, and nothing is sent.
func TestBadScenarios(t *testing.T) {
	const good = "target: http://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: 1}}]\n"
	if s, err := ParseScenario([]byte(good)); err != nil {
		t.Fatal(err)
	} else if _, err := s.Complete(); err != nil {
		t.Fatal(err)
	}
	for doc, want := range map[string]string{
		"target: http://127.0.0.1:1\ntargets: x":                                   "targets",
		good + "---\n" + good:                                                      "more than one",
		"classes: [{name: a, arrivals: {rate: 1}}]":                                "target",
		"target: https://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: 1}}]":   "target",
		"target: http://127.0.0.1:1/x\nclasses: [{name: a, arrivals: {rate: 1}}]":  "target",
		"target: http://127.0.0.1:1":                                               "classes",
		good + "duration: -1s":                                                     "duration",
		good + "duration: 2h":                                                      "duration",
		good + "in_flight: 1000000":                                                "in_flight",
		good + "max_requests: -1":                                                  "max_requests",
		good + "churn: {class: b, rate: 1}":                                        "churn.class",
		good + "churn: {class: a, rate: 0}":                                        "churn.rate",
		good + "origin: {latency: quick}":                                          "origin.latency",
		"target: http://127.0.0.1:1\nclasses: [{name: A, arrivals: {rate: 1}}]":    "name",
		"target: http://127.0.0.1:1\nclasses: [{name: a}]":                         "classes[0]: arrivals.rate",
		"target: http://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: .nan}}]": "arrivals.rate",
		"target: http://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: 1}}, {name: a, arrivals: {rate: 1}}]":  "taken",
		"target: http://127.0.0.1:1\nclasses: [{name: a, vus: 2, arrivals: {rate: 1}}]":                          "vus",
		"target: http://127.0.0.1:1\nclasses: [{name: a, role: hog, arrivals: {rate: 1}}]":                       "role",
		"target: http://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: 1, process: often}}]":                  "process",
		"target: http://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: 1, shape: ramp}}]":                     "arrivals.to",
		"target: http://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: 1, process: mmpp, peak: 20}}]":         "peak",
		"target: http://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: 1}, slo: p98<1ms}]":                    "p98",
		"target: http://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: 1}, path: /x}]":                        "path",
		"target: http://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: 1}, host: \"a b\"}]":                   "host",
		"target: http://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: 1}, host: h, tenants: {cold: 0.1}}]":   "not with host",
		"target: http://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: 1}, tenants: {count: 2000000}}]":       "tenants.count",
		"target: http://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: 1}, tenants: {zipf: -1}}]":             "tenants.zipf",
		"target: http://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: 1}, tenants: {cold: 2}}]":              "tenants.cold",
		"target: http://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: 1}, tenants: {kinds: {fast: 1}}}]":     "no kind",
		"target: http://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: 1}, tenants: {kinds: {cpu:0: 1}}}]":    "1 to 10000",
		"target: http://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: 1}, tenants: {kinds: {js-hello: 0}}}]": "weight",
		"target: http://127.0.0.1:1\nclasses: [{name: a, arrivals: {rate: 1}, tenants: {isolation: both}}]":      "isolation",
	} {
		s, err := ParseScenario([]byte(doc))
		if err == nil {
			_, err = s.Complete()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v, want %q", doc, err, want)
		}
	}
}

// TestRemote: load leaves this machine only when it is meant to.
func TestRemote(t *testing.T) {
	s := stubScenario("http://192.0.2.1:80", 1, time.Millisecond)
	if _, err := Run(context.Background(), s, Options{}); err == nil || !strings.Contains(err.Error(), "--allow-remote") {
		t.Errorf("%v, want a refusal", err)
	}
	if _, err := NewPlatform("http://192.0.2.1:80", "t", false); err == nil || !strings.Contains(err.Error(), "--allow-remote") {
		t.Errorf("%v, want a refusal", err)
	}
}

// TestDrops: what the ceiling keeps from being sent makes a run invalid.
func TestDrops(t *testing.T) {
	s, err := startStub(func(uint64) fault { return faultSilence }, nothing)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	scenario := stubScenario(s.url(), 100, 300*time.Millisecond)
	scenario.InFlight = 3
	r, err := runOne(t.Context(), Options{}, scenario)
	if err != nil {
		t.Fatal(err)
	}
	c := r.Class("a")
	if r.Dropped < 10 || !strings.Contains(strings.Join(r.Invalid, "\n"), "never sent") || c.Outcomes[timeout] != r.Sent || c.Errors() != 1 {
		t.Errorf("dropped %d, invalid %q, outcomes %v, errors %v", r.Dropped, r.Invalid, c.Outcomes.ByName(), c.Errors())
	}
}

// TestKeptConnections: a server that closes connections when it likes costs nobody an answer.
func TestKeptConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { // ends with the listener
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // ends with the connection: a second one must not wait for the first one's next request
				defer c.Close()
				b := make([]byte, 4096)
				c.Read(b)
				c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"))
				c.Read(b) // the next request gets no answer
			}()
		}
	}()
	scenario := stubScenario("http://"+l.Addr().String(), 200, 300*time.Millisecond)
	scenario.Classes[0].Host = "h"
	r, err := runOne(t.Context(), Options{}, scenario)
	if err != nil {
		t.Fatal(err)
	}
	if o := r.Outcomes(); o[ok] != r.Sent || r.Retries == 0 {
		t.Errorf("%v of %d, retries %d", o.ByName(), r.Sent, r.Retries)
	}
}

// TestRecord: what is written is read again, whole.
func TestRecord(t *testing.T) {
	s, err := startStub(always, nothing)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	scenario := stubScenario(s.url(), 300, 1200*time.Millisecond)
	results, err := Run(t.Context(), scenario, Options{Repeats: 2, Usage: ProcessUsage(1)})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := (&Record{NewHead(scenario, ""), results}).Write(&file); err != nil {
		t.Fatal(err)
	}
	got, err := ReadRecord(&file)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Results) != 2 || len(got.Results[1].Windows) == 0 || got.Head.Seed != scenario.Seed {
		t.Fatalf("%d results, %+v", len(got.Results), got.Head)
	}
	sum, err := MergeLatencies(got.Results[0].Classes[0].Response, got.Results[1].Classes[0].Response)
	if err != nil || sum.N != results[0].Sent+results[1].Sent {
		t.Errorf("%d samples, %v", sum.N, err)
	}
	for doc, want := range map[string]string{"": "format", "x": "line 1", `{"head":{"format":2}}`: "format", `{"head":{"format":1}}`: "did not end"} {
		if _, err := ReadRecord(strings.NewReader(doc)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", doc, err, want)
		}
	}
}

func TestSLO(t *testing.T) {
	c := &ClassResult{Response: Latency{N: 1000, P50: 900, P99: 20_000}}
	c.Outcomes[ok], c.Outcomes[status5xx] = 998, 2
	for text, want := range map[string]int{"": 0, "p99<50ms": 0, "p99<20ms,p50<1ms": 1, "errors<0.3%": 0, "err<0.1%,p50<0.5ms": 2} {
		slo, err := ParseSLO(text)
		if err != nil || len(slo.Broken(c)) != want {
			t.Errorf("%s: %v, %v, want %d broken", text, slo.Broken(c), err, want)
		}
	}
	for text, want := range map[string]string{"p99": "NAME<LIMIT", "p98<1ms": `"p98"`, "p99<fast": "fast", "errors<x": "x", "p99<-1s": "above 0"} {
		if _, err := ParseSLO(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
