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
	if got := ratio(of(2, 30, 4), of(1, 10, 4), closedCPU); got != 2 {
		t.Errorf("ratio is %v, not 2", got)
	}
	if got := spreadOf(of(1, 2), pacedCPU).median; !math.IsNaN(got) {
		t.Errorf("the median of nothing is %v", got)
	}
}
