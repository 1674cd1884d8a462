package isolate

import (
	"errors"

	"switchyard/isolate/abi"
)

// guestBodyRead: body, ptr, cap. It blocks until there is at least one byte; 0 is the end.
func guestBodyRead(is *Isolate, c *Call, a arguments) int64 {
	id := a.u32(1)
	p := is.mustBytes(a.u32(2), a.u32(3))
	h := c.state.handles.get(id, handleBody)
	switch {
	case h == nil:
		return code(abi.BadHandle)
	case len(p) == 0:
		return code(abi.BadArg)
	}
	if c.state.handles.open(h); h.body.Stream == nil {
		n := copy(p[:min(len(p), readChunk)], h.body.Bytes)
		h.body.Bytes = h.body.Bytes[n:]
		return int64(n)
	}
	op := c.newOperation(opBlocking, opRead, opFresh)
	if op == nil {
		return code(abi.Limit)
	}
	op.body, op.stream, op.room = id, h.body.Stream, min(len(p), readChunk)
	h.busy = true
	if id != eventBody { // nobody else would end the read of an origin's body when the client leaves
		c.startAll()
	}
	is.block(c, op)
	defer c.spareOperation(op)
	c.readDone(op)
	if op.err != nil {
		return code(abi.Broken)
	}
	return int64(copy(p, op.data))
}

// guestStreamNew opens a stream for the body of a fetch.
func guestStreamNew(_ *Isolate, c *Call, _ arguments) int64 {
	id := c.state.handles.add(handle{kind: handleStream, stream: newGuestStream(c)})
	if id == 0 {
		return code(abi.Limit)
	}
	return int64(id)
}

// guestStreamWrite: stream, ptr, len. It takes at most a window's worth, and blocks while the
// reader is a window behind.
func guestStreamWrite(is *Isolate, c *Call, a arguments) int64 {
	p := is.mustBytes(a.u32(2), a.u32(3))
	h := c.state.handles.get(a.u32(1), handleStream)
	if h == nil {
		return code(abi.BadHandle)
	}
	p = p[:min(len(p), streamWindow)]
	op := c.newOperation(opBlocking, opWrite, opRunning)
	if op == nil {
		return code(abi.Limit)
	}
	ok, full := h.stream.write(p, op)
	if full {
		is.block(c, op)
		ok = op.err == nil
		c.spareOperation(op)
	} else {
		c.withdraw(op)
	}
	if !ok {
		return code(abi.Gone)
	}
	return int64(len(p))
}

// guestStreamEnd: stream, failed. The reader of a failed stream gets an error, not an end.
func guestStreamEnd(_ *Isolate, c *Call, a arguments) int64 {
	h := c.state.handles.get(a.u32(1), handleStream)
	if h == nil {
		return code(abi.BadHandle)
	}
	var err error
	if a.u32(2) != 0 {
		err = errProducer
	}
	c.endStream(h.stream, err)
	*h = handle{}
	c.limitRest()
	return code(abi.OK)
}

var errProducer = errors.New("The body's producer failed.")
