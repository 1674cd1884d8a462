package loadtest

import "time"

// waiting is a request under way, or one that was and is over: then its connection has moved on.
type waiting struct {
	conn   *conn
	serial uint64
	sent   time.Duration
}

// fifo holds requests by when they were sent, which is the order in which they time out.
type fifo struct {
	items []waiting
	first int
}

func (f *fifo) push(w waiting) {
	if f.first > 1024 && f.first > len(f.items)/2 {
		f.items = append(f.items[:0], f.items[f.first:]...)
		f.first = 0
	}
	f.items = append(f.items, w)
}

// deadline is when the oldest request times out. Requests that are over go on the way.
func (f *fifo) deadline(timeout time.Duration) time.Duration {
	for f.first < len(f.items) {
		w := &f.items[f.first]
		if w.conn.busy && w.conn.serial == w.serial {
			return w.sent + timeout
		}
		f.first++
	}
	return never
}

func (f *fifo) pop() waiting {
	w := f.items[f.first]
	f.first++
	return w
}
