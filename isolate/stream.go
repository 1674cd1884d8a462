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
// asked to wait before the next one. What is buffered counts among what the host holds for the
// call, so that a guest gains no memory by large or many writes.
//
// Its lock comes before the call's: nobody who holds callState.mu calls into a stream.
type guestStream struct {
	mu struct {
		sync.Mutex
		buf    []byte
		off    int // of buf: read already
		err    error
		ended  bool       // by the guest, cleanly or with err
		closed bool       // by the reader
		wait   *operation // the write that waits for room
		call   *Call      // pays for the buffer, and is woken when the reader goes; nil once ended
	}
	readable sync.Cond
	encoder  *encoder // of what the guest writes; nil: it goes as it is
	gone     *gone    // of a response's body: told when its reader goes first
}

// streamWindow is how much a guest may be ahead of the reader.
const streamWindow = 64 << 10

func newGuestStream(c *Call) *guestStream {
	s := &guestStream{}
	s.readable.L = &s.mu
	s.mu.call = c
	return s
}

// reserve makes room for a write of n bytes that comes in pieces. It panics with ErrMemoryLimit.
func (s *guestStream) reserve(n int) {
	if n <= copyPiece {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mu.closed && !s.mu.ended && s.mu.wait == nil {
		s.mu.call.hold(n) // which the pieces do again, one by one
		s.mu.call.unhold(n)
		s.mu.buf, s.mu.off = withRoom(s.mu.buf[s.mu.off:], n), 0
	}
}

// write takes a copy of p and reports whether somebody still reads. When the window is full
// it keeps op, if there is one, which completes when there is room again or the reader goes. A guest that did
// not wait for that is refused as if the reader had gone. It panics with ErrMemoryLimit.
func (s *guestStream) write(p []byte, op *operation) (ok, full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed || s.mu.ended || s.mu.wait != nil {
		return false, false
	}
	if s.encoder != nil {
		p = s.encoder.write(p)
	}
	s.mu.call.hold(len(p))
	if s.mu.off == len(s.mu.buf) {
		s.mu.buf, s.mu.off = s.mu.buf[:0], 0
	}
	if s.mu.off > 0 && len(s.mu.buf)+len(p) > cap(s.mu.buf) { // move down rather than grow
		s.mu.buf = s.mu.buf[:copy(s.mu.buf, s.mu.buf[s.mu.off:])]
		s.mu.off = 0
	}
	s.mu.buf = append(s.mu.buf, p...)
	s.readable.Signal()
	full = s.bufferedLocked() >= streamWindow
	if full {
		s.mu.wait = op
	}
	return true, full
}

func (s *guestStream) bufferedLocked() int { return len(s.mu.buf) - s.mu.off }

// end is the end of the body: clean, or with the error that the reader gets. It returns the
// write that waited, which the caller settles: what it wrote is accepted.
func (s *guestStream) end(err error) (wait *operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.ended {
		return nil
	}
	s.mu.call.unhold(s.bufferedLocked())
	if s.encoder != nil && err == nil && !s.mu.closed {
		s.mu.buf = append(s.mu.buf, s.encoder.end()...)
	} else if s.encoder != nil {
		s.encoder.drop()
	}
	wait = s.mu.wait
	s.mu.ended, s.mu.err, s.mu.wait, s.mu.call = true, err, nil, nil
	s.readable.Signal()
	return wait
}

// over says that nothing more comes, or that nobody would read it.
func (s *guestStream) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.ended || s.mu.closed
}

// Read implements io.Reader.
func (s *guestStream) Read(p []byte) (int, error) {
	n, op, err := s.read(p)
	if op != nil {
		op.settle(nil)
	}
	return n, err
}

// read is Read, and returns the write that has room now.
func (s *guestStream) read(p []byte) (n int, room *operation, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.bufferedLocked() == 0 && !s.mu.ended && !s.mu.closed {
		s.readable.Wait()
	}
	n = copy(p, s.mu.buf[s.mu.off:])
	s.mu.off += n
	if s.mu.call != nil {
		s.mu.call.unhold(n)
	}
	if s.bufferedLocked() < streamWindow/2 {
		room, s.mu.wait = s.mu.wait, nil
	}
	return n, room, s.readErrorLocked(n)
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
	if op := s.close(); op != nil {
		op.settle(errReaderGone)
	}
	return nil
}

// close is Close, and returns the write that waited.
func (s *guestStream) close() (wait *operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.mu.call; c != nil {
		c.unhold(s.bufferedLocked())
		if s.gone != nil {
			s.gone.left.Store(true)
		}
		c.state.signal()
	}
	s.mu.closed = true
	s.mu.buf, s.mu.off = nil, 0
	s.readable.Signal()
	wait, s.mu.wait = s.mu.wait, nil
	return wait
}
