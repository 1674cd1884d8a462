package isolate

import (
	"time"

	"switchyard/isolate/abi"
)

// Ceilings of what a fetch may carry besides its head and body.
const (
	maxFetchName    = 1 << 10
	maxFetchOptions = 256 << 10
)

// guestFetch starts a fetch. The first one is put off until the guest waits, so that a single
// subrequest runs on the guest's own goroutine; a second one starts both.
func guestFetch(is *Isolate, c *Call, a arguments) int64 {
	block, err := abi.ParseFetchBlock(is.mustBytes(a.u32(1), abi.FetchBlockSize))
	if err != nil || block.Binding < abi.BindingGlobal || block.Kind != abi.CallFetch || block.NameLen > maxFetchName || block.OptionsLen > maxFetchOptions {
		return code(abi.BadArg)
	}
	if block.HeadLen > abi.MaxHeadBytes {
		return code(abi.BadHead)
	}
	w := &c.state.wasm
	if _, live := c.live(0); live+len(w.settled) >= maxGuestFetches {
		return code(abi.Limit)
	}
	if err := c.chargeSubrequest(); err != nil {
		return codeOf(err)
	}
	w.started++
	id := opFirst + w.started
	if err := is.startFetch(c, &block, id); err != nil {
		return codeOf(err)
	}
	if _, live := c.live(0); live > 1 || block.BodyKind == abi.BodyStream { // who writes its body cannot wait for its response
		c.startAll()
	}
	return int64(id)
}

// guestWait: ops_ptr, count, timeout_ms. Without operations it sleeps.
func guestWait(is *Isolate, c *Call, a arguments) int64 {
	count, timeout := a.u32(2), time.Duration(int32(a.u32(3)))*time.Millisecond
	if count > maxGuestFetches || count == 0 && timeout < 0 {
		return code(abi.BadArg)
	}
	ids := is.mustBytes(a.u32(1), 4*count)
	for i := range int(count) {
		id := getWord(ids, i)
		if c.state.wasm.find(id) != nil {
			return int64(i)
		}
		if live, _ := c.live(id); !live || id < opFirst {
			return code(abi.BadHandle)
		}
	}
	if i := is.waitAny(c, ids, timeout); i >= 0 {
		return int64(i)
	}
	return code(abi.Timeout)
}

// completed finds the operation id; op is nil beside a code.
func (c *Call) completed(id uint32) (op *operation, refusal int64) {
	if op := c.state.wasm.find(id); op != nil {
		return op, 0
	}
	if live, _ := c.live(id); live && id >= opFirst {
		return nil, code(abi.Pending)
	}
	return nil, code(abi.BadHandle)
}

// guestOpResponse turns a completed fetch into the handle of its response.
func guestOpResponse(_ *Isolate, c *Call, a arguments) int64 {
	op, refusal := c.completed(a.u32(1))
	if op == nil {
		return refusal
	}
	if op.err != nil {
		return code(abi.Failed)
	}
	r, head := op.response, op.head
	op.response = nil
	c.forget(op)
	id, _ := c.state.handles.addFetched(maxHandles, r, head)
	if id == 0 {
		return code(abi.Limit)
	}
	return int64(id)
}

// guestOpError gives the text of a failed fetch, which is forgotten once it has been copied.
func guestOpError(is *Isolate, c *Call, a arguments) int64 {
	op, refusal := c.completed(a.u32(1))
	if op == nil {
		return refusal
	}
	if op.err == nil {
		return code(abi.BadState)
	}
	text := guestMessage(op.err)
	if len(text) <= int(a.u32(3)) {
		defer c.forget(op)
	}
	return is.giveGuest([]byte(text), a.u32(2), a.u32(3))
}

func guestResponseHead(is *Isolate, c *Call, a arguments) int64 {
	h := c.state.handles.get(a.u32(1), handleResponse)
	if h == nil {
		return code(abi.BadHandle)
	}
	return is.giveGuest(h.response.Head, a.u32(2), a.u32(3))
}

func guestResponseURL(is *Isolate, c *Call, a arguments) int64 {
	h := c.state.handles.get(a.u32(1), handleResponse)
	if h == nil {
		return code(abi.BadHandle)
	}
	return is.giveGuest([]byte(h.response.URL), a.u32(2), a.u32(3))
}

func guestResponseBody(_ *Isolate, c *Call, a arguments) int64 {
	id := a.u32(1)
	h := c.state.handles.get(id, handleResponse)
	if h == nil {
		return code(abi.BadHandle)
	}
	if h.pair == 0 {
		return 0
	}
	if b := c.state.handles.get(h.pair, handleBody); b == nil || b.pair != id {
		return code(abi.BadState)
	}
	return int64(h.pair)
}

// guestClose gives up a handle, or an operation whose result nobody wants.
func guestClose(_ *Isolate, c *Call, a arguments) int64 {
	id := a.u32(1)
	if id >= opFirst {
		return c.closeOperation(id)
	}
	return c.state.handles.close(c, id)
}

func (c *Call) closeOperation(id uint32) int64 {
	if op := c.state.wasm.find(id); op != nil {
		c.forget(op)
		return code(abi.OK)
	}
	if live, _ := c.live(id); !live {
		return code(abi.BadHandle)
	}
	c.stop(id)
	return code(abi.OK)
}

// close ends a handle. A response takes its body along, whose bytes are the response's.
func (t handles) close(c *Call, id uint32) int64 {
	if b, ok := t.takeBody(id); ok {
		b.Close()
		return code(abi.OK)
	}
	if h := t.get(id, handleStream); h != nil {
		c.endStream(h.stream, errUnended)
		*h = handle{}
		return code(abi.OK)
	}
	h := t.get(id, handleResponse)
	if h == nil {
		return code(abi.BadHandle)
	}
	if b := t.get(h.pair, handleBody); b != nil && b.pair == id {
		b.body.Close()
		*b = handle{}
	}
	h.response.Release()
	*h = handle{}
	return code(abi.OK)
}
