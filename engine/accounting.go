package engine

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"switchyard/engine/store"
)

// accounting writes down what was spent.
//
//	ledgers ──drain──► book.minute ──flush, every few seconds, synced──► rows of the minute
//	 (calls add)         (accounting.mu)                                   └─► hour ─► day
//
// A row is written whole, as often as its minute grows, so that writing it twice is writing it
// once. What the process loses when it is killed is what came since the last flush, and calls that
// were not over. A new minute begins only when the last one is written: a disk that refuses for a
// while makes usage late, not lost.
type accounting struct {
	store    *store.Store
	logger   *slog.Logger
	now      func() time.Time
	interval time.Duration
	keep     retention
	slots    metricSlots

	stop context.CancelFunc
	done chan struct{}

	writing sync.Mutex // one flush at a time; taken before mu

	mu struct {
		sync.Mutex
		accounts []*account
		minute   time.Time                // that is being counted
		base     map[usageID]store.Counts // rows of this minute that an earlier process wrote
		rolled   map[time.Duration]time.Time
		tallies  map[string]*tally
		history  map[Period]*bygone
	}
}

// retention is how long rows are kept.
type retention struct{ minutes, hours, days time.Duration }

// usageID names whose row it is.
type usageID struct{ namespace, script string }

// book is what accounting knows of an account.
type book struct {
	total  sums // since the process started
	minute sums // since the minute began, or the process
	dirty  bool // minute has something that is not written
	tags   []string
	plan   string
	script string // names
	space  string
	slot   *metricSlot // nil: among the others
	idle   int         // drains in a row that found the script gone and nothing spent
}

// goneDrains is after how many empty drains the account of a script that is gone is dropped: calls that were
// inside are over by then.
const goneDrains = 1000

// openAccounting continues the books of the store.
func openAccounting(st *store.Store, o *Options) (*accounting, error) {
	a := &accounting{
		store: st, logger: o.Logger, now: o.now, interval: o.UsageFlush,
		keep: retention{o.KeepMinutes, o.KeepHours, o.KeepDays}, slots: metricSlots{most: o.MetricScripts},
	}
	a.mu.base = map[usageID]store.Counts{}
	a.mu.tallies = map[string]*tally{}
	a.mu.history = map[Period]*bygone{}
	a.mu.rolled = map[time.Duration]time.Time{}
	a.mu.minute = a.now().UTC().Truncate(store.Minute)
	for _, span := range []time.Duration{store.Hour, store.Day} {
		last, found, err := st.LastUsage(span)
		if err != nil {
			return nil, err
		}
		if found {
			a.mu.rolled[span] = last.Add(span)
		}
	}
	return a, st.Usage(store.Minute, a.mu.minute, a.mu.minute.Add(store.Minute), func(u store.Usage) error {
		a.mu.base[usageID{u.NamespaceID, u.ScriptID}] = u.Counts
		return nil
	})
}

// start begins to flush. close ends it.
func (a *accounting) start() {
	ctx, cancel := context.WithCancel(context.Background())
	a.stop, a.done = cancel, make(chan struct{})
	go func() {
		defer close(a.done)
		for t := time.NewTicker(a.interval); ; {
			select {
			case <-ctx.Done():
				t.Stop()
				return
			case <-t.C:
				a.tick(ctx)
			}
		}
	}()
}

// close writes the rest down.
func (a *accounting) close() {
	a.stop()
	<-a.done
	a.tick(context.Background())
}

func (a *accounting) tick(ctx context.Context) {
	a.rollTallies()
	err := a.flush(ctx)
	if err == nil {
		err = a.rollUp(ctx)
	}
	if err != nil && ctx.Err() == nil {
		a.logger.Warn("engine: usage is not written yet", "reason", err)
	}
}

// of returns the account of a script, made at its first call.
func (a *accounting) of(s *script) *account {
	if acc := s.account.Load(); acc != nil {
		return acc
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if acc := s.account.Load(); acc != nil {
		return acc
	}
	acc := newAccount(s.namespace, s)
	a.mu.accounts = append(a.mu.accounts, acc)
	a.applyLocked(acc, s)
	acc.describe()
	s.account.Store(acc)
	return acc
}

// note takes down the tags and the plan of a script that is about to go.
func (a *accounting) note(s *script) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if acc := s.account.Load(); acc != nil {
		acc.describe()
	}
}

// nobody returns the account of a namespace's requests for scripts that are not there.
func (a *accounting) nobody(n *namespace) *account {
	if acc := n.nobody.Load(); acc != nil {
		return acc
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if acc := n.nobody.Load(); acc != nil {
		return acc
	}
	acc := newAccount(n, nil)
	a.mu.accounts = append(a.mu.accounts, acc)
	n.nobody.Store(acc)
	return acc
}

// drainLocked takes what was spent into the books.
func (a *accounting) drainLocked() {
	kept := a.mu.accounts[:0]
	for _, acc := range a.mu.accounts {
		if acc.drainToBook(&a.slots) {
			kept = append(kept, acc)
		}
	}
	clear(a.mu.accounts[len(kept):])
	a.mu.accounts = kept
	a.slots.rank(a.mu.accounts)
}

// drainToBook reports whether the account may have more to say later.
func (acc *account) drainToBook(slots *metricSlots) bool {
	b := &acc.book
	gone := acc.describe()
	var fresh sums
	if !acc.drain(&fresh) {
		if b.idle++; !gone {
			b.idle = 0
		}
		return b.dirty || b.idle < goneDrains || b.minute != sums{}
	}
	b.idle = 0
	b.dirty = true
	b.total.add(&fresh)
	b.minute.add(&fresh)
	acc.namespace.totals.add(&fresh)
	slots.all.add(&fresh)
	if slots.offer(acc); b.slot != nil {
		b.slot.sums.add(&fresh)
	}
	return true
}

// describe notes names, tags and plan, and reports whether the script is gone: then what it had
// last stays.
func (acc *account) describe() (gone bool) {
	b := &acc.book
	b.space = acc.namespace.name()
	if acc.script == nil {
		return false
	}
	b.script = acc.script.name
	state := acc.script.state.Load()
	if state.newest == nil {
		return true
	}
	b.tags, b.plan = state.record.Tags, acc.script.terms.Load().planName()
	return false
}

// flush writes down what was spent until now.
func (a *accounting) flush(ctx context.Context) error {
	a.writing.Lock()
	defer a.writing.Unlock()
	for {
		a.mu.Lock()
		a.drainLocked()
		rows, dirty := a.rowsLocked()
		if len(rows) == 0 {
			a.nextMinuteLocked()
			a.mu.Unlock()
			return nil
		}
		a.mu.Unlock()
		if err := a.store.PutUsage(ctx, rows, nil); err != nil {
			a.mu.Lock()
			for _, acc := range dirty {
				acc.book.dirty = true
			}
			a.mu.Unlock()
			return storeError(err)
		}
		if a.now().Before(a.minuteEnd()) {
			return nil // the next minute has not begun
		}
	}
}

func (a *accounting) minuteEnd() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.mu.minute.Add(store.Minute)
}

// rowsLocked makes the rows that have changed, and takes them for written.
func (a *accounting) rowsLocked() (rows []store.Usage, dirty []*account) {
	for _, acc := range a.mu.accounts {
		b := &acc.book
		if !b.dirty {
			continue
		}
		b.dirty = false
		dirty = append(dirty, acc)
		id := acc.id()
		row := store.Usage{
			Span: store.Minute, Start: a.mu.minute, NamespaceID: id.namespace, ScriptID: id.script,
			Namespace: b.space, Script: b.script, Tags: b.tags, Plan: b.plan, Counts: b.minute.record(),
		}
		if base, ok := a.mu.base[id]; ok {
			addCounts(&row.Counts, &base)
		}
		rows = append(rows, row)
	}
	return rows, dirty
}

func (acc *account) id() usageID {
	if acc.script == nil {
		return usageID{acc.namespace.id, ""}
	}
	return usageID{acc.namespace.id, acc.script.id}
}

// nextMinuteLocked begins a new minute if the clock has. All that was drained is written.
func (a *accounting) nextMinuteLocked() {
	minute := a.now().UTC().Truncate(store.Minute)
	if !minute.After(a.mu.minute) {
		return
	}
	a.mu.minute = minute
	clear(a.mu.base)
	for _, acc := range a.mu.accounts {
		acc.book.minute = sums{}
	}
}
