package isolate

import (
	"errors"
	"io"
	"sync"
)

// A guest reads a body that stays in the host by operations: each brings some of its bytes.

// readChunk is the most that one read of a body brings: what fits the I/O buffer of the
// JavaScript engine beside its length.
const readChunk = 64<<10 - 8

var readBuffers = sync.Pool{New: func() any { b := make([]byte, readChunk); return &b }}

// startRead registers a read of the body handle. Bytes are ready at once, copied: the guest may
// give the response that owns them away meanwhile.
func (c *Call) startRead(id, body uint32) error {
	h := c.state.handles.get(body, handleBody)
	if h == nil || h.busy {
		return errBody
	}
	c.state.handles.open(h)
	if d, ok := h.body.Stream.(*decoder); ok && d.inMemory {
		return c.readDecoded(id, body, d)
	}
	op := operation{id: id, kind: opRead, state: opFresh, body: body, stream: h.body.Stream, room: readChunk}
	n := 0
	if h.body.Stream == nil {
		op.state, op.buf = opReady, readBuffers.Get().(*[]byte)
		n = copy(*op.buf, h.body.Bytes)
		op.data = (*op.buf)[:n]
	}
	if c.register(op) == nil {
		op.recycle()
		return errOperations
	}
	h.body.Bytes, h.busy = h.body.Bytes[n:], h.body.Stream != nil
	return nil
}

// readDecoded is startRead for what is decoded from memory, which takes no goroutine.
func (c *Call) readDecoded(id, body uint32, d *decoder) error {
	op := operation{id: id, kind: opRead, state: opReady, body: body, buf: readBuffers.Get().(*[]byte)}
	n, err := readSome(d, *op.buf)
	if op.data = (*op.buf)[:n]; err != io.EOF {
		op.err = err
	}
	c.state.is.spendTime(d.takeSpent())
	if c.register(op) == nil {
		op.recycle()
		return errOperations
	}
	return nil
}

var errBody = errors.New("This body has already been used.")

// readDone lets the body be read or given away again, or ends it.
func (c *Call) readDone(op *operation) {
	if _, ok := op.stream.(*decoder); ok {
		c.chargeJobs()
	}
	if h := c.state.handles.get(op.body, handleBody); h != nil {
		h.busy = false
		if op.err == nil && len(op.data) == 0 {
			c.state.handles.spend(op.body)
		}
	}
}

func (op *operation) read() error {
	op.buf = readBuffers.Get().(*[]byte)
	n, err := readSome(op.stream, (*op.buf)[:op.room])
	op.data = (*op.buf)[:n]
	if d, ok := op.stream.(*decoder); ok {
		op.call.state.jobs.Add(int64(d.takeSpent()))
	}
	if err == io.EOF {
		err = nil
	}
	return err
}

// readSome reads at least one byte, unless the body ends or breaks.
func readSome(r io.Reader, p []byte) (n int, err error) {
	for tries := 0; n == 0 && err == nil; tries++ {
		if tries == 100 {
			return 0, io.ErrNoProgress
		}
		n, err = r.Read(p)
	}
	if n > 0 {
		err = nil // it comes again with the next read
	}
	return n, err
}
