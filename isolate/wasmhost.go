package isolate

import (
	"context"
	"errors"

	"github.com/tetratelabs/wazero/api"

	"switchyard/isolate/abi"
)

// arguments are those of a host function, the request's id first. i32 ones carry garbage in
// their high halves.
type arguments []uint64

func (a arguments) u32(i int) uint32 { return uint32(a[i]) }

// guestFunction implements one function of abi.Functions. Without module, c is the call that
// the guest named; with it, it is nil when the guest named none.
type guestFunction struct {
	module bool // may be called without a request: id 0
	wide   bool // its result is an i64
	fn     func(is *Isolate, c *Call, a arguments) int64
}

// guestImplementations has an entry for every line of abi.Functions; ABI.md says what each
// one does.
var guestImplementations = map[string]guestFunction{
	"request_head":   {fn: guestRequestHead},
	"request_body":   {fn: guestRequestBody},
	"body_read":      {fn: guestBodyRead},
	"response_send":  {fn: guestResponseSend},
	"response_start": {fn: guestResponseStart},
	"response_pass":  {fn: guestResponsePass},
	"throw":          {fn: guestThrow},
	"stream_new":     {fn: guestStreamNew},
	"stream_write":   {fn: guestStreamWrite},
	"stream_end":     {fn: guestStreamEnd},
	"fetch":          {fn: guestFetch},
	"wait":           {fn: guestWait},
	"op_response":    {fn: guestOpResponse},
	"op_error":       {fn: guestOpError},
	"response_head":  {fn: guestResponseHead},
	"response_body":  {fn: guestResponseBody},
	"response_url":   {fn: guestResponseURL},
	"close":          {fn: guestClose},
	"env":            {module: true, fn: guestEnvText},
	"binding":        {module: true, fn: guestBinding},
	"log":            {module: true, fn: guestLog},
	"now":            {module: true, wide: true, fn: guestNow},
	"random":         {module: true, fn: guestRandom},
}

// guestFunctions is what wasm Workers import.
func guestFunctions() []hostFunction {
	var list []hostFunction
	for _, f := range abi.Functions {
		im, ok := guestImplementations[f.Name]
		if !ok {
			panic("BUG: no implementation of " + f.Name)
		}
		params, results := f.Type()
		list = append(list, hostFunction{abi.Module, f.Name, params, results, im.host})
	}
	return list
}

// host is the function as wazero calls it.
func (f guestFunction) host(ctx context.Context, _ api.Module, stack []uint64) {
	is := isolateOf(ctx)
	c := is.meter.call
	switch id := uint32(stack[0]); {
	case id == 0 && f.module:
		c = nil
	case id == 0:
		stack[0] = result(abi.OutOfScope)
		return
	case id != c.state.id:
		breach("request %d is not the one that is being answered", id)
	}
	is.fuel.Set(is.fuel.Get() - hostFuel)
	r := f.fn(is, c, stack)
	if stack[0] = uint64(uint32(r)); f.wide {
		stack[0] = uint64(r)
	}
}

func result(code abi.Code) uint64 { return uint64(uint32(code)) }

func code(c abi.Code) int64 { return int64(c) }

// codeOf tells a guest why something was refused.
func codeOf(err error) int64 {
	switch {
	case err == nil:
		return code(abi.OK)
	case errors.Is(err, abi.ErrHead):
		return code(abi.BadHead)
	case errors.Is(err, errBody), errors.Is(err, errStream):
		return code(abi.BadHandle)
	case errors.Is(err, errOperations), errors.Is(err, ErrSubrequests):
		return code(abi.Limit)
	}
	return code(abi.BadArg)
}

// give copies data to the guest if its room is enough, and returns the length it needs.
func (is *Isolate) giveGuest(data []byte, ptr, room uint32) int64 {
	p := is.mustBytes(ptr, room)
	if len(data) <= len(p) {
		copy(p, data)
	}
	return int64(len(data))
}

func guestRequestHead(is *Isolate, c *Call, a arguments) int64 {
	return is.giveGuest(c.Request.Head, a.u32(1), a.u32(2))
}

func guestRequestBody(_ *Isolate, c *Call, _ arguments) int64 {
	switch t := c.state.handles; {
	case t.get(eventBody, handleBody) != nil:
		return eventBody
	case t.get(eventBody, handleNone) != nil:
		return 0
	}
	return code(abi.BadState)
}

// guestThrow: ptr, len of the message, and stack_len bytes of stack right behind it.
func guestThrow(is *Isolate, c *Call, a arguments) int64 {
	message := is.mustBytes(a.u32(1), a.u32(2))
	stack := is.mustBytes(a.u32(1)+a.u32(2), a.u32(3))
	if len(message)+len(stack) > maxThrown {
		return code(abi.BadArg)
	}
	if c.answered() || c.state.delivered {
		return code(abi.BadState)
	}
	c.state.err = &Exception{Message: string(message), Stack: string(stack)}
	return code(abi.OK)
}

// maxThrown bounds an exception's message and stack.
const maxThrown = 64 << 10
