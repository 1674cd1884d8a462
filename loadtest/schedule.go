package loadtest

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// request is one request, from when it is due until its outcome is known.
type request struct {
	class  int
	tenant int // from 1
	seq    uint64
	due    time.Duration // since the run began
	oldest uint32        // version that may answer
}

// crowd is a class that is being run: who is asked next, and when.
type crowd struct {
	*Class
	index      int
	kinds      []kind
	kindOf     []uint8 // by tenant - 1; nil where the Workers are not ours
	versions   *versions
	pacer      *pacer // nil in a closed loop and in a replay
	replay     *replay
	popularity *popularity
	due        time.Duration // of the next request
}

// versions of a class's tenants: a request may be answered by the newest that was acknowledged
// when it was sent, or by any that began to be deployed since.
type versions struct {
	acknowledged, begun []atomic.Uint32 // by tenant - 1
}

func newVersions(n int) *versions {
	v := &versions{make([]atomic.Uint32, n), make([]atomic.Uint32, n)}
	for i := range n {
		v.acknowledged[i].Store(1)
		v.begun[i].Store(1)
	}
	return v
}

// streams of randomness, so that one class's draws do not change another's.
const (
	streamArrivals uint64 = iota
	streamTenants
	streamKinds
	streamOther
)

func (s *Scenario) random(class int, stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(s.Seed, uint64(class)<<8|stream))
}

// newCrowds prepares the classes of a scenario that is complete.
func newCrowds(s *Scenario) []*crowd {
	var out []*crowd
	for i := range s.Classes {
		c := &crowd{Class: &s.Classes[i], index: i}
		if c.Host == "" {
			m, err := newMix(c.Tenants.Kinds)
			if err != nil {
				panic("BUG: " + err.Error()) // Complete has checked
			}
			c.kinds, c.kindOf = m.kinds, m.assign(c.Tenants.total(), s.random(i, streamKinds))
			if i == 0 && s.Trace != nil && s.Trace.cpu != nil {
				c.kinds, c.kindOf = s.Trace.kinds()
			}
			c.versions = newVersions(c.Tenants.total())
		}
		out = append(out, c)
	}
	return out
}

// start rewinds a crowd to the beginning of a phase.
func (c *crowd) start(s *Scenario) {
	c.pacer, c.replay, c.due = nil, nil, never
	c.popularity = newPopularity(&c.Tenants, s.random(c.index, streamTenants))
	switch {
	case c.VUs > 0:
	case c.index == 0 && s.Trace != nil:
		c.replay = &replay{s.Trace.Arrivals}
		c.due = s.Warmup + c.replay.next() // the trace's first request is measured too
	default:
		c.pacer = newPacer(&c.Arrivals, s.Warmup+s.Duration, s.random(c.index, streamArrivals))
		c.due = c.pacer.next()
	}
}

// model names the crowd's loop, for every report.
func (c *crowd) model() string {
	if c.replay != nil {
		return "open loop, a trace"
	}
	return c.loop()
}

// never is later than every run ends.
const never = time.Duration(1<<63 - 1)

// kind is that of a tenant's Worker; nil where it is not ours.
func (c *crowd) kind(tenant int) *kind {
	if c.kindOf == nil {
		return nil
	}
	return &c.kinds[c.kindOf[tenant-1]]
}

// schedule merges what several crowds are due.
type schedule struct {
	crowds []*crowd // that run
	all    []*crowd // by the class's index
	warmup time.Duration
	seq    uint64
}

func (s *schedule) crowd(class int) *crowd { return s.all[class] }

// next is the crowd that is due first, nil when only closed loops run.
func (s *schedule) next() *crowd {
	var first *crowd
	for _, c := range s.crowds {
		if c.VUs == 0 && (first == nil || c.due < first.due) {
			first = c
		}
	}
	return first
}

// draw makes the crowd's request that is due now.
func (s *schedule) draw(c *crowd, due time.Duration) request {
	s.seq++
	r := request{class: c.index, seq: s.seq, due: due}
	if c.replay != nil {
		r.tenant = c.replay.take()
	} else {
		r.tenant = c.popularity.next()
	}
	if c.versions != nil {
		r.oldest = c.versions.acknowledged[r.tenant-1].Load()
	}
	switch {
	case c.pacer != nil:
		c.due = c.pacer.next()
	case c.replay != nil:
		c.due = s.warmup + min(c.replay.next(), never-s.warmup)
	}
	return r
}
