package isolate

import (
	"context"
	"encoding/binary"
	"math"

	"github.com/tetratelabs/wazero/api"

	"switchyard/isolate/abi"
)

// WASI's poll_oneoff with what there is to wait for here: clocks. It takes the place of
// wazero's own, which multiplies the guest's count without looking at it.
//
//	subscription, 48 bytes            event, 32 bytes
//	  0  u64 user data                  0  u64 user data
//	  8  u8  type                       8  u16 errno
//	 16  u32 clock id                  10  u8  type
//	 24  u64 timeout in ns             16  u64, u16: 0
//	 40  u16 flags, 1: absolute
const (
	subscriptionSize = 48
	eventSize        = 32
	maxSubscriptions = 1024
)

// Types of events, and errnos.
const (
	eventClock = 0

	errnoSuccess = 0
	errnoBadf    = 8
	errnoFault   = 21
	errnoInval   = 28
)

// wasiFunctions take the place of wazero's own.
func wasiFunctions() []hostFunction {
	return []hostFunction{
		wasiFunction("poll_oneoff", pollOneoff), wasiFunction("fd_write", fdWrite), wasiFunction("fd_read", fdRead),
	}
}

func wasiFunction(name string, fn api.GoModuleFunc) hostFunction {
	f, ok := abi.Import(abi.WASIModule, name)
	if !ok {
		panic("BUG: no " + name)
	}
	params, results := f.Type()
	return hostFunction{abi.WASIModule, f.Name, params, results, fn}
}

// pollOneoff: in, out, count, events. Whatever is no clock has ended in an error at once;
// without such, it waits for the earliest clock.
func pollOneoff(ctx context.Context, _ api.Module, stack []uint64) {
	is := isolateOf(ctx)
	a := arguments(stack)
	count := a.u32(2)
	if count == 0 || count > maxSubscriptions {
		stack[0] = errnoInval
		return
	}
	in := is.mustBytes(a.u32(0), count*subscriptionSize)
	out := is.mustBytes(a.u32(1), count*eventSize)
	number := is.mustBytes(a.u32(3), 4)
	due, failed := is.earliest(in)
	putWord(number, 0, is.putEvents(in, out, due, failed)) // before the clock moves
	if !failed {
		is.sleep(due)
	}
	stack[0] = errnoSuccess
}

// earliest is when the first clock of the subscriptions strikes, in ns from now, and whether
// one of them is no clock.
func (is *Isolate) earliest(in []byte) (due int64, failed bool) {
	due = math.MaxInt64
	for ; len(in) > 0; in = in[subscriptionSize:] {
		if in[8] != eventClock {
			return 0, true
		}
		due = min(due, is.timeout(in))
	}
	return due, false
}

// timeout is a clock subscription's, in ns from now.
func (is *Isolate) timeout(subscription []byte) int64 {
	ns := int64(min(binary.LittleEndian.Uint64(subscription[24:]), math.MaxInt64))
	if subscription[40]&1 == 0 {
		return ns
	}
	if subscription[16] == 0 { // the wall clock
		return ns - is.now().UnixNano()
	}
	return ns - is.nanotime()
}

// putEvents writes the clocks that will have struck, or the subscriptions that failed.
func (is *Isolate) putEvents(in, out []byte, due int64, failed bool) (events uint32) {
	for ; len(in) > 0; in = in[subscriptionSize:] {
		clock := in[8] == eventClock
		if clock == failed || clock && is.timeout(in) > due {
			continue
		}
		clear(out[:eventSize])
		copy(out[:8], in[:8])
		if failed {
			out[8] = errnoBadf
		}
		out[10] = in[8]
		out = out[eventSize:]
		events++
	}
	return events
}
