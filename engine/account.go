package engine

import (
	goruntime "runtime"
	"sync/atomic"
	"time"

	"switchyard/engine/store"
	"switchyard/isolate"
)

// account is what one script has while it runs: who may come in, and what was spent. It is made
// at the script's first call and outlives the script until all was written down.
//
// What was spent is counted in ledgers, one a processor, more or less: a chain brings the number
// of its ledger along, and sync.Pool gives a processor its own chains back. So cores seldom share
// a line, and a call takes no lock. accounting drains the ledgers.
type account struct {
	namespace *namespace
	script    *script // nil: of the namespace's requests for scripts that are not there
	gate      gate
	rate      rateGate
	share     isolate.Share
	quotas    atomic.Pointer[[]quota] // nil: none
	touched   atomic.Bool             // since the last drain
	ledgers   []ledger
	book      book // accounting.mu guards it
}

// ledger is what one processor's calls spent since it was last drained.
type ledger struct {
	counts [counters]atomic.Uint64
	_      [(128 - counters*8%128) % 128]byte // no line is shared with the next
}

// counter names a sum.
type counter int

const (
	countRequests counter = iota
	countCalls
	countAssets // responses with static assets
	countCPU    // in nanoseconds; one a stage
	countWall   = iota + counter(stages) - 1
	countSubrequests
	countOwnCPU // of the script's own calls, for whomever they are; not kept
	countIngressReceived
	countIngressSent
	countEgressReceived
	countEgressSent
	countErrors // one a kind
	counters    = int(countErrors) + len(faults) + 1
)

// stage is what a call is in the life of a request.
type stage uint8

const (
	stageDispatch stage = iota // before a user Worker: the dispatch Worker and what it calls
	stageUser                  // a user Worker and what it calls
	stageOutbound              // an outbound Worker
	stages
)

// ledgerCount is how many ledgers an account has.
var ledgerCount = min(goruntime.GOMAXPROCS(0), 8)

func newAccount(n *namespace, s *script) *account {
	return &account{namespace: n, script: s, ledgers: make([]ledger, ledgerCount)}
}

// add counts n. shard is the chain's.
func (a *account) add(shard int, c counter, n uint64) {
	a.ledgers[shard].counts[c].Add(n)
	if !a.touched.Load() { // the line is shared by all cores
		a.touched.Store(true)
	}
}

// spend counts guest code.
func (a *account) spend(shard int, s stage, cpu time.Duration) {
	a.add(shard, countCPU+counter(s), uint64(cpu))
	if quotas := a.quotas.Load(); quotas != nil {
		for _, q := range *quotas {
			q.now.Load().cpu.Add(int64(cpu))
		}
	}
}

// failed counts a call that ended without a response.
func (a *account) failed(shard int, err error) { a.fault(shard, faultKind(err)) }

func (a *account) fault(shard, kind int) { a.add(shard, countErrors+counter(kind), 1) }

// sums are the counters of an account.
type sums [counters]uint64

func (s *sums) add(o *sums) {
	for i, n := range o {
		s[i] += n
	}
}

// drain takes out what the ledgers have; false: nothing.
func (a *account) drain(into *sums) bool {
	if !a.touched.Swap(false) {
		return false
	}
	for i := range a.ledgers {
		for c := range a.ledgers[i].counts {
			if n := &a.ledgers[i].counts[c]; n.Load() != 0 {
				into[c] += n.Swap(0)
			}
		}
	}
	return true
}

// record makes the store's counts of s.
func (s *sums) record() store.Counts {
	c := store.Counts{
		Requests: s[countRequests], Calls: s[countCalls], Assets: s[countAssets], Wall: s[countWall], Subrequests: s[countSubrequests],
		CPUDispatch: s[countCPU+counter(stageDispatch)], CPUUser: s[countCPU+counter(stageUser)], CPUOutbound: s[countCPU+counter(stageOutbound)],
		IngressReceived: s[countIngressReceived], IngressSent: s[countIngressSent], EgressReceived: s[countEgressReceived], EgressSent: s[countEgressSent],
	}
	for i, n := range s[countErrors:] {
		if n > 0 {
			if c.Errors == nil {
				c.Errors = map[string]uint64{}
			}
			c.Errors[faultName(i)] += n
		}
	}
	return c
}

// addCounts adds c to into.
func addCounts(into *store.Counts, c *store.Counts) {
	into.Requests += c.Requests
	into.Calls += c.Calls
	into.Assets += c.Assets
	into.CPUDispatch += c.CPUDispatch
	into.CPUUser += c.CPUUser
	into.CPUOutbound += c.CPUOutbound
	into.Wall += c.Wall
	into.Subrequests += c.Subrequests
	into.IngressReceived += c.IngressReceived
	into.IngressSent += c.IngressSent
	into.EgressReceived += c.EgressReceived
	into.EgressSent += c.EgressSent
	into.Errors = addErrors(into.Errors, c.Errors)
}

// addErrors adds more to into, which may be nil, and returns it.
func addErrors(into, more map[string]uint64) map[string]uint64 {
	if into == nil && len(more) > 0 {
		into = map[string]uint64{}
	}
	for kind, n := range more {
		into[kind] += n
	}
	return into
}
