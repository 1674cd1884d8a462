package isolate

import (
	"context"
	"testing"
	"time"
)

// laneClient computes for ever: it has the token, or waits for it.
type laneClient struct {
	share *Share
	turn  chan struct{}
}

// served finds who has the token now.
func served(clients []*laneClient) *laneClient {
	for _, c := range clients {
		if c.turn == nil {
			return c
		}
		select {
		case <-c.turn:
			c.turn = nil
			return c
		default:
		}
	}
	return nil
}

// TestLaneIsFair: a share gets what its weight says beside others, however many calls it has; one
// that comes later gets no more than from then on.
func TestLaneIsFair(t *testing.T) {
	l := &lane{tokens: 1}
	one, many, heavy, late := new(Share), new(Share), new(Share), new(Share)
	heavy.SetWeight(3)
	var clients []*laneClient
	add := func(s *Share, n int) {
		for range n {
			clients = append(clients, &laneClient{share: s, turn: l.queue(s)})
		}
	}
	run := func(turns int) map[*Share]time.Duration {
		had := map[*Share]time.Duration{}
		for range turns {
			c := served(clients)
			if c == nil {
				t.Fatal("nobody has the token")
			}
			l.leaveAndQueue(c, laneTurn)
			had[c.share] += laneTurn
		}
		return had
	}
	add(many, 20)
	add(one, 1)
	add(heavy, 1)
	had := run(500)
	for s, want := range map[*Share]time.Duration{one: 100 * laneTurn, many: 100 * laneTurn, heavy: 300 * laneTurn} {
		if got := had[s]; got < want-3*laneTurn || got > want+3*laneTurn {
			t.Errorf("a share of weight %d had %s of 500 turns, want %s", max(1, s.weight.Load()), got, want)
		}
	}
	add(late, 1)
	if had = run(600); had[late] < 97*laneTurn || had[late] > 103*laneTurn {
		t.Errorf("who came late had %s of 600 turns, want %s", had[late], 100*laneTurn)
	}
}

// leaveAndQueue gives the token up as c and waits for it again. Who is alone has it at once.
func (l *lane) leaveAndQueue(c *laneClient, held time.Duration) {
	next := make(chan struct{})
	l.mu.Lock()
	if len(c.share.queue) == 0 {
		l.mu.shares = append(l.mu.shares, c.share)
	}
	c.share.queue = append(c.share.queue, next)
	l.mu.Unlock()
	c.turn = next
	l.leave(c.share, held)
}

// TestHogsAreRefusedFirst fills the isolates of a version with calls that compute: few more wait, not
// for long, and the rest is refused at once. A version whose calls wait for others has a long queue.
func TestHogsAreRefusedFirst(t *testing.T) {
	spec := jsSpec(handler(`while (true);`))
	spec.MaxIsolates = 4
	p := newTestPool(t, spec)
	share := new(Share)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	call := func() error {
		_, err := p.Invoke(&Call{Context: ctx, Share: share, Request: testRequest("GET", "http://a.test/", ""), Limits: Limits{CPU: time.Minute}})
		return err
	}
	ended := make(chan error, 100)
	for range 4 {
		go func() { ended <- call() }()
	}
	for share.inside.Load() < 4 {
		time.Sleep(time.Millisecond)
	}
	for range maxWaitingToWork {
		go func() { ended <- call() }()
	}
	for p.Stats().Waiting < maxWaitingToWork {
		time.Sleep(time.Millisecond)
	}
	if err := call(); err != ErrBusy {
		t.Errorf("one more ended with %v", err)
	}
	for range maxWaitingToWork {
		if err := <-ended; err != ErrBusy { // after waitToWork
			t.Errorf("one that waited ended with %v", err)
		}
	}
	cancel()
	for range 4 {
		<-ended
	}
	if n := share.inside.Load(); n != 0 {
		t.Errorf("%d calls are in the lane", n)
	}
}
