package loadtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Usage is what a process and its children have spent.
type Usage struct {
	CPU float64 `json:"cpu"`           // seconds, user and system
	RSS float64 `json:"rss,omitempty"` // MiB resident
}

func (u Usage) minus(v Usage) Usage { return Usage{CPU: u.CPU - v.CPU, RSS: u.RSS} }

// UsageSource tells what the server has spent so far.
type UsageSource func() (Usage, error)

// ProcessUsage reads /proc for a process and all that it started.
func ProcessUsage(pid int) UsageSource {
	return func() (Usage, error) { return treeUsage(pid, 0) }
}

func treeUsage(pid, depth int) (Usage, error) {
	u, err := processUsage(pid)
	if err != nil || depth > 8 {
		return u, err
	}
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is well-formed
	for _, list := range lists {
		children, _ := os.ReadFile(list) // the thread may have ended
		for child := range strings.FieldsSeq(string(children)) {
			n, _ := strconv.Atoi(child)
			if c, err := treeUsage(n, depth+1); err == nil { // else it has ended: its parent's count has it
				u.CPU += c.CPU
				u.RSS += c.RSS
			}
		}
	}
	return u, nil
}

var errProcShape = errors.New("/proc has another shape")

// processUsage reads fields 14 to 17 of stat, counted after the name in parentheses: ticks of
// the process and of its children that have ended.
func processUsage(pid int) (Usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Usage{}, err
	}
	end := strings.LastIndex(string(stat), ") ")
	if end < 0 {
		return Usage{}, errProcShape
	}
	fields := strings.Fields(string(stat)[end+2:])
	if len(fields) < 22 {
		return Usage{}, errProcShape
	}
	var u Usage
	for _, field := range fields[11:15] {
		ticks, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return u, errProcShape
		}
		u.CPU += ticks / 100 // USER_HZ
	}
	pages, err := strconv.ParseFloat(fields[21], 64)
	if err != nil {
		return u, errProcShape
	}
	u.RSS = pages * float64(os.Getpagesize()) / (1 << 20)
	return u, nil
}

// ownUsage is that of this process.
func ownUsage() Usage {
	var r unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &r) != nil {
		return Usage{}
	}
	return Usage{CPU: time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds(), RSS: float64(r.Maxrss) / 1024}
}

// stopwatch measures this process's own usage between two calls.
type stopwatch struct{ last Usage }

func (s *stopwatch) start() Usage {
	s.last = ownUsage()
	return s.last
}

func (s *stopwatch) since() Usage {
	now := ownUsage()
	d := now.minus(s.last)
	s.last = now
	return d
}

// sampler asks the server every second, as windows end.
type sampler struct {
	source UsageSource
	begun  time.Time
	stop   chan struct{}
	done   chan struct{}
	at     []time.Duration
	got    []Usage
	err    error
}

// startSampler runs until finish, which waits for it.
func startSampler(source UsageSource, warmup time.Duration) *sampler {
	s := &sampler{source: source, begun: time.Now().Add(warmup), stop: make(chan struct{}), done: make(chan struct{})}
	if source == nil {
		close(s.done)
		return s
	}
	go s.run()
	return s
}

func (s *sampler) run() {
	defer close(s.done)
	wait := time.NewTimer(time.Until(s.begun))
	defer wait.Stop()
	for s.err == nil {
		select {
		case <-s.stop:
			s.sample()
			return
		case <-wait.C:
		}
		s.sample()
		wait.Reset(time.Until(s.begun.Add(time.Duration(len(s.got)) * windowLength)))
	}
}

func (s *sampler) sample() {
	u, err := s.source()
	if err != nil {
		s.err = err
		return
	}
	s.at, s.got = append(s.at, time.Since(s.begun)), append(s.got, u)
}

// finish lays what the server spent over the windows and returns the whole: CPU between the
// first sample and the last, and the seconds that lie between them.
func (s *sampler) finish(windows []Window) (u Usage, seconds float64, err error) {
	if s.source != nil {
		close(s.stop)
	}
	<-s.done
	for i := range windows {
		if second := windows[i].Second; second+1 < len(s.got) {
			d := s.got[second+1].minus(s.got[second])
			windows[i].Server = &d
		}
	}
	if n := len(s.got); n > 1 {
		return s.got[n-1].minus(s.got[0]), (s.at[n-1] - s.at[0]).Seconds(), s.err
	}
	return Usage{}, 0, s.err
}
