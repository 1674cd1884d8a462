package isolate

import (
	"fmt"
	"strconv"

	"switchyard/isolate/abi"
)

// respondable says that the guest may answer now.
func (c *Call) respondable() bool { return !c.answered() && !c.state.delivered }

// guestResponse is a new response with the head at ptr, and room behind it in its buffer.
func (is *Isolate) guestResponse(ptr, n uint32) (*Response, error) {
	if n > abi.MaxHeadBytes {
		return nil, fmt.Errorf("%w: %d bytes", abi.ErrHead, n)
	}
	p := is.mustBytes(ptr, n)
	r := newResponse()
	r.buf = append(r.buf[:0], p...)
	head, err := abi.ParseResponseHead(r.buf)
	if err == nil && (head.Status() < 200 || head.Status() > 599) {
		err = fmt.Errorf("%w: status %d", abi.ErrHead, head.Status())
	}
	if err != nil {
		r.Release()
		return nil, err
	}
	r.Head = head
	return r, nil
}

// setBody copies a body behind the head.
func (is *Isolate) setBody(r *Response, body []byte) {
	if len(body) == 0 {
		return
	}
	n := len(r.Head)
	r.buf = is.appendIn(r.buf[:n], body)
	r.Head = abi.ResponseHead(r.buf[:n:n]) // append may have moved it
	r.Body.Bytes = r.buf[n:]
}

func guestResponseSend(is *Isolate, c *Call, a arguments) int64 {
	body := is.mustBytes(a.u32(3), a.u32(4))
	if !c.respondable() {
		return code(abi.BadState)
	}
	r, err := is.guestResponse(a.u32(1), a.u32(2))
	if err != nil {
		return codeOf(err)
	}
	is.setBody(r, body)
	c.state.response = r
	return code(abi.OK)
}

// guestResponseStart sends the head off and returns the stream that takes the body.
func guestResponseStart(is *Isolate, c *Call, a arguments) int64 {
	if !c.respondable() {
		return code(abi.BadState)
	}
	is.pace() // what was spent so far is part of what Invoke reports
	r, err := is.guestResponse(a.u32(1), a.u32(2))
	if err != nil {
		return codeOf(err)
	}
	out := newGuestStream(c)
	id := c.state.handles.add(handle{kind: handleStream, stream: out, busy: true})
	if id == 0 {
		r.Release()
		return code(abi.Limit)
	}
	r.Body = Body{Stream: out, Length: declaredLength(r.Head)}
	c.state.response, c.state.out = r, out
	c.state.wasm.hand(c.deliver())
	return int64(id)
}

// declaredLength is the content-length of a head, -1 when it has none.
func declaredLength(h abi.ResponseHead) int64 {
	n, err := strconv.ParseUint(string(h.Headers().Get("content-length")), 10, 63)
	if err != nil {
		return -1
	}
	return int64(n)
}

// guestResponsePass answers with a response or a body that stays in the host, under a head of
// the guest's when it gives one.
func guestResponsePass(is *Isolate, c *Call, a arguments) int64 {
	if !c.respondable() {
		return code(abi.BadState)
	}
	id, ptr, n := a.u32(1), a.u32(2), a.u32(3)
	if n == 0 {
		r := c.state.handles.takeResponse(id)
		if r == nil {
			return code(abi.BadHandle)
		}
		c.state.response = r
		return code(abi.OK)
	}
	r, err := is.guestResponse(ptr, n)
	if err != nil {
		return codeOf(err)
	}
	if err := is.passBody(c, r, id); err != nil {
		r.Release()
		return codeOf(err)
	}
	c.state.response = r
	return code(abi.OK)
}

// passBody moves the body that id is, or that the response id has, into r, coded as its head says.
func (is *Isolate) passBody(c *Call, r *Response, id uint32) error {
	t, coding := c.state.handles, CodingOf(r.Head.Headers())
	body, from := id, (*Response)(nil)
	if h := t.get(id, handleResponse); h != nil {
		if body = h.pair; body == 0 {
			t.takeResponse(id).Release()
			return nil
		}
		if b := t.get(body, handleBody); b == nil || b.pair != id {
			return errBody
		}
		from = h.response
	}
	b, ok := t.takeBodyAs(body, coding)
	if !ok {
		return errBody
	}
	if b.Stream == nil {
		is.setBody(r, b.Bytes)
	} else {
		r.Body = b
	}
	if from != nil {
		*t.get(id, handleResponse) = handle{}
		from.Release()
	}
	return nil
}
