package isolate

import (
	"errors"
	"strings"

	"switchyard/isolate/js"
)

// jsGuest runs calls in JavaScript isolates: EVENT in, then one RESOLVE for each operation that
// completed, until the guest has answered and rests. What a call has come to is looked at in the
// isolate's turn only: code that runs for one request may settle another's promises.
type jsGuest struct{ pool *Pool }

func (g jsGuest) invoke(is *Isolate, c *Call) (*Response, error) {
	is.turn.Lock()
	if is.dead {
		is.turn.Unlock()
		return nil, errDead
	}
	c.state.is, c.state.id = is, is.nextID()
	is.calls = append(is.calls, c)
	if err := is.event(c); err != nil {
		g.died(c, err)
	}
	for !c.answered() && g.step(c) {
	}
	if !c.answered() {
		c.fail(ErrNoResponse)
	}
	r, err := c.deliver()
	if (err == nil || err == ErrCanceled && !is.dead) && c.resting() {
		is.turn.Unlock()
		go g.rest(c) // ends with the body's reader, then by Options.WaitUntil, at the latest
	} else {
		g.leave(c)
	}
	return r, err
}

// rest goes on with what the call does after its response: a stream, waitUntil.
func (g jsGuest) rest(c *Call) {
	c.state.is.turn.Lock()
	for c.resting() && g.step(c) {
		c.limitRest()
		g.tellGone(c)
	}
	if g.tellGone(c) { // it may have begun something
		for c.resting() && g.step(c) {
			c.limitRest()
		}
	}
	g.leave(c)
}

// step waits for the next operation and resolves it; it leaves the isolate's turn while it
// waits. It reports whether there may be another.
func (g jsGuest) step(c *Call) bool {
	if !c.hopes() {
		return false
	}
	is := c.state.is
	g.pool.share(is)
	is.turn.Unlock()
	op, err := c.next()
	is.turn.Lock()
	if !c.state.delivered && (err == ErrCanceled || c.Context.Err() != nil) {
		g.clientLeft(c)
	}
	switch {
	case err != nil:
		c.fail(err)
		return false
	case op == nil: // another request of the isolate did something for this one
		return true
	case is.dead:
		err = ErrReset
	default:
		err = is.resolve(c, op)
	}
	if op.response != nil { // the guest never got to see it
		op.discard()
	}
	c.spareOperation(op)
	if err != nil {
		g.died(c, err)
	}
	return err == nil
}

// died ends the call with err and, that having killed the isolate, all calls beside it.
func (g jsGuest) died(c *Call, err error) {
	if c.state.delivered { // the answer is out: only the log can tell
		c.log(LogError, []byte(err.Error()))
	}
	c.fail(err)
	c.state.holds = 0 // nothing comes of what it has under waitUntil
	is := c.state.is
	g.pool.shun(is)
	for _, other := range is.calls {
		if other != c {
			other.state.mu.Lock()
			other.state.mu.reset = true
			other.state.mu.Unlock()
			other.state.signal()
		}
	}
}

// leave takes the call out of its isolate, readies that for the next one and gives the turn up.
func (g jsGuest) leave(c *Call) {
	is := c.state.is
	is.calls = removeCall(is.calls, c)
	is.memory.learn()
	if !is.dead && g.pool.spec.Policy == PolicyRequest {
		if err := is.reset(); err != nil {
			is.dead = true
		}
	} else if !is.dead && (c.pending() || c.state.err != nil) {
		if _, err := is.enter(c, uint32(js.OpDrop), c.state.id, 0, 0); err != nil {
			g.died(c, err)
		}
	}
	for _, other := range is.calls {
		if other.state.idle != 0 {
			other.state.signal() // its hopes may have left with this one
		}
	}
	keep := !is.dead
	is.turn.Unlock()
	c.finish()
	g.pool.vacate(is, keep)
}

// hopes says that something may still come for the call: an operation of its own, or what one of the
// requests brings that were in the isolate when it had none left, and have some. Later ones do not
// count, or a request that hangs would do so for as long as others come.
func (c *Call) hopes() bool {
	s := &c.state
	if s.waiting() {
		s.idle = 0
		return true
	}
	if s.idle == 0 {
		s.idle = s.is.ids
	}
	for _, other := range s.is.calls {
		if other != c && other.state.id <= s.idle && (other.state.idle == 0 || other.state.waiting()) {
			return true
		}
	}
	return false
}

func removeCall(list []*Call, c *Call) []*Call {
	for i, x := range list {
		if x == c {
			list[i] = list[len(list)-1]
			list[len(list)-1] = nil
			return list[:len(list)-1]
		}
	}
	return list
}

// inlineBody is the largest request body that travels inside the EVENT block.
const inlineBody = 16 << 10

// event writes the EVENT block and enters.
func (is *Isolate) event(c *Call) error {
	r := c.Request
	var flags, body uint32
	var inline []byte
	if !r.Body.empty() {
		flags = js.EventHasBody
		if r.Body.Stream == nil && len(r.Body.Bytes) <= inlineBody {
			flags |= js.EventInline
			inline = r.Body.Bytes
		}
	}
	body = c.state.handles.addEvent(r)
	props := len(c.Props)
	if props > 0 {
		props++ // the NUL that the guest's parser ends at
	}
	size := uint32(js.EventBytes + len(r.Head) + len(c.Params) + len(c.Entrypoint) + props + len(inline))
	ptr := is.io
	if size > js.IOBytes {
		p, err := is.enter(c, uint32(js.OpAlloc), size, 0, 0)
		if err != nil {
			return err
		}
		if ptr = uint32(p); ptr == 0 {
			is.dead = true
			return ErrMemoryLimit
		}
	}
	b := is.bytesAt(ptr, size)
	if b == nil {
		is.dead = true
		return &breachError{"its memory for an event is out of bounds"}
	}
	putWord(b, js.EventHeadLen, uint32(len(r.Head)))
	putWord(b, js.EventParamsLen, uint32(len(c.Params)))
	putWord(b, js.EventEntrypointLen, uint32(len(c.Entrypoint)))
	putWord(b, js.EventFlags, flags|uint32(c.Kind)<<js.EventKindShift)
	putWord(b, js.EventBody, body)
	putWord(b, js.EventInlineLen, uint32(len(inline)))
	putWord(b, js.EventPropsLen, uint32(props))
	at := js.EventBytes
	at += copy(b[at:], r.Head)
	at += copy(b[at:], c.Params)
	at += copy(b[at:], c.Entrypoint)
	if props > 0 {
		at += copy(b[at:], c.Props)
		b[at] = 0
		at++
	}
	copy(b[at:], inline)
	_, err := is.enter(c, uint32(js.OpEvent), c.state.id, ptr, size)
	if err == nil && ptr != is.io {
		err = is.unplace(c, ptr)
	}
	return err
}

// resolve brings an operation's result to the guest and runs what waited for it.
func (is *Isolate) resolve(c *Call, op *operation) error {
	status, ptr, allocated := uint32(js.ResolveOK), uint32(0), false
	switch op.kind {
	case opRead:
		c.readDone(op)
	case opJob:
		c.chargeJobs()
	}
	if c.left() < 0 { // by what was done for it elsewhere
		return ErrCPULimit
	}
	switch {
	case op.err != nil:
		status, ptr = js.ResolveFailed, is.io
		if x, ok := errors.AsType[*Exception](op.err); ok {
			status = js.ResolveThrown
			is.setText(x.Message)
		} else {
			is.setText(guestMessage(op.err))
		}
	case op.kind == opFetch:
		ptr = is.io
		if !is.putFetched(c, op) {
			status = js.ResolveFailed
			is.setText(errOperations.Error())
		}
	case op.kind == opRead:
		ptr = is.io
		b := is.bytesAt(is.io, js.IOBytes)
		putWord(b, 0, uint32(copy(b[4:], op.data)))
	case op.kind == opJob:
		var err error
		if ptr, allocated, err = is.putResult(c, op.data); err != nil {
			return err
		}
	}
	if op.kind == opTurn {
		c.state.turn = false
		_, err := is.enter(c, uint32(js.OpTurn), c.state.id, 0, 0)
		return err
	}
	_, err := is.enter(c, uint32(js.OpResolve), op.id, status, ptr)
	if err == nil && allocated {
		err = is.unplace(c, ptr)
	}
	return err
}

// putFetched writes the payload of a fetch: the response becomes the guest's handle. It reports
// whether there was one left.
func (is *Isolate) putFetched(c *Call, op *operation) bool {
	r := op.response
	op.response = nil
	length := int32(-1)
	if n := r.Body.Size(); n >= 0 && n <= 1<<31-1 && CodingOf(r.Head.Headers()) == CodingIdentity {
		length = int32(n)
	}
	status, text, redirected := r.Head.Status(), r.StatusText[:min(len(r.StatusText), maxStatusText)], uint32(0)
	url := r.URL[:min(len(r.URL), js.IOBytes-js.FetchedBytes-maxStatusText)]
	if r.Redirected {
		redirected = 1
	}
	handle, body := c.state.handles.addFetched(maxScriptHandles, r, op.head)
	if handle == 0 {
		return false
	}
	b := is.bytesAt(is.io, js.IOBytes)
	putWord(b, 0, uint32(status))
	putWord(b, 1, handle)
	putWord(b, 2, body)
	putWord(b, 3, uint32(length))
	putWord(b, 4, uint32(len(url)))
	putWord(b, 5, redirected)
	putWord(b, 6, uint32(len(text)))
	copy(b[js.FetchedBytes+copy(b[js.FetchedBytes:], url):], text)
	return true
}

// guestMessage is how an error reads to the guest that catches it. Another Worker's exception
// is known by its message alone where the guest has no classes.
func guestMessage(err error) string {
	text := err.Error()
	if strings.HasPrefix(text, "BUG:") {
		return "internal error"
	}
	if e := (*Exception)(nil); errors.As(err, &e) {
		if class, message, ok := strings.Cut(text, ": "); ok && strings.HasSuffix(class, "Error") && !strings.Contains(class, " ") {
			return message
		}
	}
	return text
}
