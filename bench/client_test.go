package main

import (
	"math"
	"testing"
)

func TestAnswered(t *testing.T) {
	for _, c := range []struct {
		got         string
		whole, fail bool
	}{
		{"", false, false},
		{"HTTP/1.1 200 OK\r\nContent-Len", false, false},
		{"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nHel", false, false},
		{"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\n\r\nHello", true, false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true, false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello!", false, true},
		{"HTTP/1.1 200 OK\r\n\r\n", false, true},
		{"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", false, true},
		{"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", false, true},
	} {
		whole, err := answered([]byte(c.got))
		if whole != c.whole || (err != nil) != c.fail {
			t.Errorf("%q: %v, %v", c.got, whole, err)
		}
	}
}

// A round without the figure does not count; a ratio is that of the rounds, not of medians.
func TestRatio(t *testing.T) {
	of := func(cpus ...float64) (rounds []round) {
		for _, cpu := range cpus {
			rounds = append(rounds, round{closed: figures{cpu: cpu}, paced: nothing})
		}
		return rounds
	}
	if got := ratio(of(2, 30, 4), of(1, 10, 4), closedCPU).median; got != 2 {
		t.Errorf("ratio is %v, not 2", got)
	}
	if got := spreadOf(over(of(1, 2), pacedCPU)).median; !math.IsNaN(got) {
		t.Errorf("the median of nothing is %v", got)
	}
}

// The ranks are those of the sign test's tables for 95 %.
func TestMedianRank(t *testing.T) {
	for n, want := range map[int]int{1: 0, 5: 0, 6: 0, 8: 0, 9: 1, 12: 2, 15: 3, 20: 5, 25: 7} {
		if got := medianRank(n); got != want {
			t.Errorf("of %d values the interval begins at %d, not %d", n, got, want)
		}
	}
}

// Whatever is asked for is answered by scenarios of different names that can be measured.
func TestScenarios(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenarios {
		if seen[s.name] || s.what == "" || (s.study == nil) == (s.contenders == nil) {
			t.Errorf("scenario %q is there twice, or says nothing", s.name)
		}
		seen[s.name] = true
		for i, c := range s.contenders {
			if c.peer == product && i > 0 {
				t.Errorf("%s: Switchyard is not the first", s.name)
			}
		}
	}
}
