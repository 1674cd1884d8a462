package loadtest

import (
	"os"
	"strings"
	"testing"
	"time"
)

func readTrace(t *testing.T, file string, o TraceOptions) *Trace {
	t.Helper()
	f, err := os.Open("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	trace, err := ReadTrace(f, o)
	if err != nil {
		t.Fatal(err)
	}
	return trace
}

func (t *Trace) countOf(tenant int) (n int) {
	for _, a := range t.Arrivals {
		if a.Tenant == tenant {
			n++
		}
	}
	return n
}

// TestTrace2019: minutes of counts become arrivals within them.
func TestTrace2019(t *testing.T) {
	trace := readTrace(t, "azure2019.csv", TraceOptions{Speed: 60})
	if trace.Functions != 3 || len(trace.Arrivals) != 305 || trace.countOf(1) != 200 || trace.countOf(2) != 100 || trace.countOf(3) != 5 {
		t.Errorf("%d functions, %d arrivals, %d %d %d", trace.Functions, len(trace.Arrivals), trace.countOf(1), trace.countOf(2), trace.countOf(3))
	}
	for i, a := range trace.Arrivals {
		if a.Tenant == 2 && (a.At < 3*time.Second || a.At > 4*time.Second) || i > 0 && a.At < trace.Arrivals[i-1].At {
			t.Errorf("arrival %d at %v", i, a.At)
		}
	}
	if timers := readTrace(t, "azure2019.csv", TraceOptions{Trigger: "timer"}); timers.Functions != 1 || len(timers.Arrivals) != 5 {
		t.Errorf("%d functions with a timer, %d arrivals", timers.Functions, len(timers.Arrivals))
	}
	if later := readTrace(t, "azure2019.csv", TraceOptions{From: 4 * time.Minute}); later.countOf(1) != 40 {
		t.Errorf("%d arrivals from minute 4 on", later.countOf(1))
	}
	if half := readTrace(t, "azure2019.csv", TraceOptions{Scale: 0.5}); len(half.Arrivals) < 110 || len(half.Arrivals) > 195 {
		t.Errorf("%d of 305 is not about half", len(half.Arrivals))
	}
}

// TestTrace2021: an arrival is the end less the duration, and durations become CPU time.
func TestTrace2021(t *testing.T) {
	trace := readTrace(t, "azure2021.csv", TraceOptions{CPUScale: 0.2})
	if trace.Functions != 3 || len(trace.Arrivals) != 120 || len(trace.cpu) != 3 {
		t.Fatalf("%d functions, %d arrivals, %v", trace.Functions, len(trace.Arrivals), trace.cpu)
	}
	if trace.cpu[0] != 1 || trace.cpu[1] != 10 || trace.cpu[2] != 200 {
		t.Errorf("CPU %v ms", trace.cpu)
	}
	small, err := ReadTrace(strings.NewReader("app,func,end_timestamp,duration\na,f,10.5,0.5\na,g,10.2,9.2\na,g,1,5\n"), TraceOptions{Speed: 2})
	if err != nil {
		t.Fatal(err)
	}
	if a := small.Arrivals; a[0].At != 0 || a[1].At != 500*time.Millisecond || a[2] != (Arrival{5 * time.Second, 2}) {
		t.Errorf("%v", a)
	}
}

func TestBadTraces(t *testing.T) {
	for text, want := range map[string]string{
		"": "EOF", "a,b,c\n": "neither format", "app,func,end_timestamp,duration\n": "nothing to send",
		"app,func,end_timestamp,duration\na,b,1\n": "line 2", "app,func,end_timestamp,duration\na,b,x,1\n": "line 2", "app,func,end_timestamp,duration\na,b,1,-1\n": "line 2",
		"HashOwner,HashApp,HashFunction,Trigger,1\no,a,f,http,-3\n": "minute 1", "HashOwner,HashApp,HashFunction,Trigger,1\no,a,f,http,2000000\n": "more than 1000000",
	} {
		if _, err := ReadTrace(strings.NewReader(text), TraceOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := ReadTrace(strings.NewReader(""), TraceOptions{Scale: 2}); err == nil {
		t.Error("a share of 2 was accepted")
	}
}

// TestReplay: a stub is asked for what the trace has.
func TestReplay(t *testing.T) {
	s, err := startStub(always, nothing)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	scenario := Scenario{Target: s.url(), Warmup: time.Millisecond, Classes: []Class{{Name: "a"}}}
	trace := readTrace(t, "azure2019.csv", TraceOptions{Speed: 600})
	trace.Apply(&scenario)
	r, err := runOne(t.Context(), Options{}, scenario)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Class("a"); got.Outcomes[ok] != 305 || got.Tenants[0].Sent != 200 || got.Tenants[2].Sent != 5 {
		t.Errorf("%v, %+v", got.Outcomes.ByName(), got.Tenants)
	}
}
