package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Usage is what one script spent in one span of time. It is no part of the state that the log
// makes, and outlives its script: bills are written later. ScriptID is "" for what was spent on
// nobody: requests for Workers that are not there.
type Usage struct {
	Span        time.Duration `json:"-"` // Minute, Hour or Day
	Start       time.Time     `json:"-"` // a multiple of Span since the epoch
	NamespaceID string        `json:"-"`
	ScriptID    string        `json:"-"`

	Namespace string   `json:"namespace,omitempty"` // names, tags and plan when the span ended
	Script    string   `json:"script,omitempty"`
	Tags      []string `json:"tags,omitempty"`
	Plan      string   `json:"plan,omitempty"`
	Counts
}

// Counts are sums. Times are in nanoseconds, sizes in bytes.
type Counts struct {
	Requests        uint64            `json:"requests,omitempty"` // of the platform: whole chains of Workers
	Calls           uint64            `json:"calls,omitempty"`    // of the script itself
	Assets          uint64            `json:"assets,omitempty"`   // responses with static assets
	CPUDispatch     uint64            `json:"cpu_dispatch,omitempty"`
	CPUUser         uint64            `json:"cpu_user,omitempty"`
	CPUOutbound     uint64            `json:"cpu_outbound,omitempty"`
	Wall            uint64            `json:"wall,omitempty"`
	Subrequests     uint64            `json:"subrequests,omitempty"`
	IngressReceived uint64            `json:"ingress_received,omitempty"`
	IngressSent     uint64            `json:"ingress_sent,omitempty"`
	EgressReceived  uint64            `json:"egress_received,omitempty"`
	EgressSent      uint64            `json:"egress_sent,omitempty"`
	Errors          map[string]uint64 `json:"errors,omitempty"` // by kind
}

// Spans that usage is kept by.
const (
	Minute = time.Minute
	Hour   = time.Hour
	Day    = 24 * time.Hour
)

// spanBytes are the spans in a key.
var spanBytes = map[time.Duration]byte{Minute: 'm', Hour: 'h', Day: 'd'}

func spanOf(b byte) time.Duration {
	for span, c := range spanBytes {
		if b == c {
			return span
		}
	}
	return 0
}

func (u *Usage) key() []byte {
	k := usagePrefix(u.Span, u.Start)
	k = append(append(k, u.NamespaceID...), 0)
	return append(append(k, u.ScriptID...), 0)
}

func (u *Usage) validate() error {
	if spanBytes[u.Span] == 0 || u.Start.Unix() < 0 || u.Start.UnixNano()%int64(u.Span) != 0 {
		return invalid("usage: %s from %s on is no span", u.Span, u.Start)
	}
	if u.ScriptID == "" {
		return requireOwned("usage", u.NamespaceID)
	}
	return requireOwned("usage", u.NamespaceID, field{"script", u.ScriptID})
}

func decodeUsage(key, value []byte) (Usage, error) {
	var u Usage
	if err := decode(key, value, &u); err != nil {
		return u, err
	}
	if err := u.readKey(key); err != nil {
		return u, err
	}
	return u, u.validate()
}

// readKey fills in what stands in the key.
func (u *Usage) readKey(key []byte) error {
	const head = 2 + 8
	damaged := fmt.Errorf("%w: %s", ErrCorrupt, keyName(key))
	if len(key) < head {
		return damaged
	}
	seconds := binary.BigEndian.Uint64(key[2:head])
	if seconds > math.MaxInt64/uint64(time.Second) {
		return damaged
	}
	ids, ok := twoTexts(key[head:])
	if !ok {
		return damaged
	}
	u.Span, u.Start = spanOf(key[1]), time.Unix(int64(seconds), 0).UTC()
	u.NamespaceID, u.ScriptID = ids[0], ids[1]
	return nil
}

// PutUsage replaces rows, durably and all or none. Rows before the moments that expired gives for their spans go.
func (s *Store) PutUsage(ctx context.Context, rows []Usage, expired map[time.Duration]time.Time) error {
	var writes []write
	for span, before := range expired {
		writes = append(writes, write{key: usagePrefix(span, time.Unix(0, 0)), end: usagePrefix(span, before)})
	}
	for i := range rows {
		u := &rows[i]
		if err := u.validate(); err != nil {
			return err
		}
		value, err := encode(u.key(), u)
		if err != nil {
			return err
		}
		writes = append(writes, write{key: u.key(), value: value})
	}
	if len(writes) == 0 {
		return nil
	}
	return s.commit(ctx, &commit{synced: writes})
}

// Usage calls f with the rows of a span that start in [from, to), in order of start, namespace and script.
func (s *Store) Usage(span time.Duration, from, to time.Time, f func(Usage) error) error {
	if !from.Before(to) {
		return nil
	}
	bounds := &pebble.IterOptions{LowerBound: usagePrefix(span, from), UpperBound: usagePrefix(span, to)}
	return s.each(bounds, func(key, value []byte) error {
		u, err := decodeUsage(key, value)
		if err != nil {
			return err
		}
		return f(u)
	})
}

// UsageFrom returns the start of the first span with usage at or after from; false: there is none.
func (s *Store) UsageFrom(span time.Duration, from time.Time) (start time.Time, found bool, err error) {
	bounds := &pebble.IterOptions{LowerBound: usagePrefix(span, from), UpperBound: rangeEnd([]byte{tableUsage, spanBytes[span]})}
	return s.usageAt(bounds, (*pebble.Iterator).First)
}

// LastUsage returns the start of the last span with usage; false: there is none.
func (s *Store) LastUsage(span time.Duration) (start time.Time, found bool, err error) {
	bounds := &pebble.IterOptions{LowerBound: usagePrefix(span, time.Unix(0, 0)), UpperBound: rangeEnd([]byte{tableUsage, spanBytes[span]})}
	return s.usageAt(bounds, (*pebble.Iterator).Last)
}

func (s *Store) usageAt(bounds *pebble.IterOptions, seek func(*pebble.Iterator) bool) (start time.Time, found bool, err error) {
	err = s.iterate(bounds, func(it *pebble.Iterator) error {
		if !seek(it) {
			return nil
		}
		var u Usage
		if err := u.readKey(it.Key()); err != nil {
			return err
		}
		start, found = u.Start, true
		return nil
	})
	return start, found, err
}
