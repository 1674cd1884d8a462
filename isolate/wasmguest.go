package isolate

import (
	"sync"

	"switchyard/isolate/abi"
)

// wasmGuest runs calls in wasm Workers on switchyard:abi/1: one call at a time in an isolate,
// one entry a call. What the guest waits for, it waits for inside a host function.
//
//	Invoke ─► [reseed] ─► handle(req) ─► (host functions)* ─► outcome ─► reset or keep
//
// A module that cannot stream its response runs on the caller's goroutine. One that imports
// response_start has a goroutine of its own, so that Invoke returns with the response's head
// while the guest goes on writing its body.
type wasmGuest struct {
	pool    *Pool
	env     guestEnv
	streams bool // it imports response_start
}

// outcome is what Invoke returns.
type outcome struct {
	response *Response
	err      error
}

// answers are channels of capacity one, by which a guest's goroutine hands the outcome over.
// They are not the Call's: that may be in use again before Invoke has looked at its channel.
var answers = sync.Pool{New: func() any { return make(chan outcome, 1) }}

func (g *wasmGuest) invoke(is *Isolate, c *Call) (*Response, error) {
	reseed := g.needsReseed(is)
	c.state.is, c.state.id = is, is.nextID()
	c.state.handles.addEvent(c.Request)
	if !g.streams {
		g.handle(is, c, reseed)
		r, err := c.deliver()
		g.leave(is, c)
		return r, err
	}
	answer := answers.Get().(chan outcome)
	c.state.wasm.answer = answer
	go g.serve(is, c, reseed) // ends with handle, which the call's limits end at the latest
	o := <-answer
	answers.Put(answer)
	return o.response, o.err
}

// needsReseed says that the isolate equals its snapshot, and so every other clone.
func (g *wasmGuest) needsReseed(is *Isolate) bool {
	if is.ids == 0 {
		is.reseed = is.instance.ExportedFunction(abi.ExportReseed)
	}
	return is.reseed != nil && (is.ids == 0 || g.pool.spec.Policy == PolicyRequest)
}

// serve is the goroutine of a guest that may stream. After the answer the Call belongs to the
// guest's goroutine alone.
func (g *wasmGuest) serve(is *Isolate, c *Call, reseed bool) {
	c.state.holds = 1 // handle is running: the call goes on after its response
	g.handle(is, c, reseed)
	c.state.holds = 0
	if !c.state.delivered {
		c.state.wasm.hand(c.deliver())
	}
	g.leave(is, c)
}

// handle enters the guest and makes sure that the call has an outcome.
func (g *wasmGuest) handle(is *Isolate, c *Call, reseed bool) {
	var err error
	if reseed {
		err = is.call0(c, is.reseed)
	}
	if err == nil {
		_, err = is.enter(c, c.state.id, 0, 0, 0)
	}
	is.log.flush(c)
	switch {
	case err != nil:
		g.died(is, c, err)
	case !c.answered() && !c.state.delivered:
		c.fail(ErrNoResponse)
	case c.state.out != nil && !c.state.out.over():
		c.fail(errUnended)
	}
}

// errFetchOnly is what else than fetch() a wasm Worker answers with.
var errFetchOnly = &Exception{Message: "TypeError: This Worker is of wasm: it has a fetch handler only."}

var errUnended = &Exception{Message: "The Worker returned before the end of its response's body."}

// died makes err the outcome; when the answer is out already, only the log can tell.
func (g *wasmGuest) died(is *Isolate, c *Call, err error) {
	err = g.outOfMemory(is, err)
	if c.answered() || c.state.delivered {
		c.log(LogError, []byte(err.Error()))
	}
	c.fail(err)
}

// leave readies the isolate for the next call.
func (g *wasmGuest) leave(is *Isolate, c *Call) {
	c.state.wasm.drop()
	keep := !is.dead && (g.pool.spec.Policy == PolicyReuse || is.reset() == nil)
	c.finish()
	g.pool.vacate(is, keep)
}

// outOfMemory recognises a guest that gave up because it has all the memory that it may have:
// allocators end in an unreachable instruction, runtimes in an exit.
func (g *wasmGuest) outOfMemory(is *Isolate, err error) error {
	if gaveUp(err) && is.pages != nil && int64(is.size()) >= g.pool.spec.Memory {
		return ErrMemoryLimit
	}
	return err
}
