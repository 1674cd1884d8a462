package isolate

import (
	"io"
	"sync"
)

// guestStream is a body that a guest writes and somebody else reads: a bounded buffer between
// the isolate's turn and a reader's goroutine.
//
//	guest: write ─► [ buffer, about a window ] ─► Read: ingress, egress or another Worker
//	         ▲── the write operation completes once half the window is free ──┘
//
// The guest never blocks in it: a write that fills the window is accepted, and the guest is
// asked to wait before the next one.
type guestStream struct {
	mu struct {
		sync.Mutex
		buf    []byte
		off    int // of buf: read already
		err    error
		ended  bool       // by the guest, cleanly or with err
		closed bool       // by the reader
		wait   *operation // the write that waits for room
		call   *Call      // to be woken when the reader goes; nil once the guest has ended
	}
	readable sync.Cond
}

// streamWindow is how much a guest may be ahead of the reader.
const streamWindow = 64 << 10

func newGuestStream(c *Call) *guestStream {
	s := &guestStream{}
	s.readable.L = &s.mu
	s.mu.call = c
	return s
}

// write takes a copy of p and reports whether somebody still reads. When the window is full
// it keeps op, which completes when there is room again or the reader goes; op is nil for a
// caller that looks at full itself.
func (s *guestStream) write(p []byte, op *operation) (ok, full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed || s.mu.ended {
		return false, false
	}
	if s.mu.off == len(s.mu.buf) {
		s.mu.buf, s.mu.off = s.mu.buf[:0], 0
	}
	if s.mu.off > 0 && len(s.mu.buf)+len(p) > cap(s.mu.buf) { // move down rather than grow
		s.mu.buf = s.mu.buf[:copy(s.mu.buf, s.mu.buf[s.mu.off:])]
		s.mu.off = 0
	}
	s.mu.buf = append(s.mu.buf, p...)
	s.readable.Signal()
	full = len(s.mu.buf)-s.mu.off >= streamWindow
	if full {
		s.mu.wait = op
	}
	return true, full
}

// end is the end of the body: clean, or with the error that the reader gets. It reports
// whether it forgot a write that waited.
func (s *guestStream) end(err error) (forgot bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.ended {
		return false
	}
	forgot = s.mu.wait != nil
	s.mu.ended, s.mu.err, s.mu.wait, s.mu.call = true, err, nil, nil
	s.readable.Signal()
	return forgot
}

// over says that nothing more comes, or that nobody would read it.
func (s *guestStream) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.ended || s.mu.closed
}

// Read implements io.Reader.
func (s *guestStream) Read(p []byte) (int, error) {
	s.mu.Lock()
	for s.mu.off == len(s.mu.buf) && !s.mu.ended && !s.mu.closed {
		s.readable.Wait()
	}
	n := copy(p, s.mu.buf[s.mu.off:])
	s.mu.off += n
	err := s.readErrorLocked(n)
	var op *operation
	if len(s.mu.buf)-s.mu.off < streamWindow/2 {
		op, s.mu.wait = s.mu.wait, nil
	}
	s.mu.Unlock()
	if op != nil {
		op.settle(nil)
	}
	return n, err
}

func (s *guestStream) readErrorLocked(n int) error {
	switch {
	case s.mu.closed:
		return io.ErrClosedPipe
	case n > 0:
		return nil
	case s.mu.err != nil:
		return s.mu.err
	}
	return io.EOF
}

// Close implements io.Closer: the reader is gone.
func (s *guestStream) Close() error {
	s.mu.Lock()
	s.mu.closed = true
	s.mu.buf, s.mu.off = nil, 0
	s.readable.Signal()
	op := s.mu.wait
	s.mu.wait = nil
	if s.mu.call != nil {
		s.mu.call.state.signal()
	}
	s.mu.Unlock()
	if op != nil {
		op.settle(errReaderGone)
	}
	return nil
}
