package isolate

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestTimersInOrder sets and stops timers at random and compares the order in which they are
// ready with a sorted list: by due time, then as they were set.
func TestTimersInOrder(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	synctest.Test(t, func(t *testing.T) {
		c := testCall()
		type timer struct {
			id  uint32
			due time.Time
		}
		var want []timer
		var got []uint32
		collect := func() {
			for {
				op, err := c.take()
				if err != nil {
					t.Fatal(err)
				}
				if op == nil {
					return
				}
				got = append(got, op.id)
				c.spareOperation(op)
			}
		}
		for id := uint32(1); id < 500; id++ {
			d := time.Duration(random.IntN(20)) * time.Millisecond
			want = append(want, timer{id, time.Now().Add(d)})
			c.startTimer(id, d)
			if random.IntN(4) == 0 {
				time.Sleep(time.Duration(random.IntN(5)) * time.Millisecond)
				synctest.Wait()
				collect()
			}
			if i := random.IntN(len(want)); random.IntN(3) == 0 && want[i].due.After(time.Now()) {
				c.stop(want[i].id)
				want = slices.Delete(want, i, i+1)
			}
		}
		time.Sleep(time.Second)
		collect()
		slices.SortStableFunc(want, func(a, b timer) int { return a.due.Compare(b.due) })
		if !slices.EqualFunc(got, want, func(id uint32, w timer) bool { return id == w.id }) {
			t.Errorf("ready %v, want %v", got, want)
		}
		if s := &c.state; s.mu.running != 0 || s.mu.timers.armed || len(s.mu.live) != 0 {
			t.Errorf("%d running, armed %v, %d live", s.mu.running, s.mu.timers.armed, len(s.mu.live))
		}
	})
}

// TestTimersLeaveNothing: a call that ends with timers set is done at once, and can be used again.
func TestTimersLeaveNothing(t *testing.T) {
	c := testCall()
	for range 2 {
		done := false
		c.Done = func(*Call, Usage) { done = true }
		for id := range uint32(100) {
			c.startTimer(id+1, time.Hour)
		}
		c.finish()
		if !done {
			t.Fatal("the call waits for its timers")
		}
		c.begin(nil)
	}
}
