package isolate

import (
	"bytes"
	"context"

	"github.com/tetratelabs/wazero/api"
)

// guestOutput is a guest's stdout and stderr: lines for the log of the running call. Runtimes
// write a line in pieces, so a line is kept until its end is there, or its call leaves.
type guestOutput struct {
	is   *Isolate
	line []byte // begun, at most maxLine
}

// maxLine is the most of one log line that is kept.
const maxLine = 16 << 10

// maxVectors is how many buffers one call may have, as IOV_MAX. wazero's own functions take millions,
// which they look at in one go.
const maxVectors = 1024

// fdWrite: fd, iovs, count, out.
func fdWrite(ctx context.Context, _ api.Module, stack []uint64) {
	a := arguments(stack)
	stack[0] = isolateOf(ctx).fdWrite(a.u32(0), a.u32(1), a.u32(2), a.u32(3))
}

func (is *Isolate) fdWrite(fd, at, count, out uint32) (errno uint64) {
	if fd != 1 && fd != 2 {
		return errnoBadf
	}
	if count > maxVectors {
		return errnoInval
	}
	vectors, number := is.bytesAt(at, 8*count), is.bytesAt(out, 4)
	if vectors == nil || number == nil {
		return errnoFault
	}
	var n uint32
	for i := range int(count) {
		p := is.bytesAt(getWord(vectors, 2*i), getWord(vectors, 2*i+1))
		if p == nil {
			return errnoFault
		}
		is.log.write(p)
		n += uint32(len(p))
	}
	putWord(number, 0, n)
	return errnoSuccess
}

// fdRead: fd, iovs, count, out. Standard input is at its end.
func fdRead(ctx context.Context, _ api.Module, stack []uint64) {
	a := arguments(stack)
	number := isolateOf(ctx).bytesAt(a.u32(3), 4)
	switch {
	case a.u32(0) != 0:
		stack[0] = errnoBadf
	case number == nil:
		stack[0] = errnoFault
	default:
		putWord(number, 0, 0)
		stack[0] = errnoSuccess
	}
}

// write takes what the guest writes. A piece may be millions of empty lines.
func (o *guestOutput) write(p []byte) {
	c := o.is.meter.call
	for rest := p; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		start := monotonic()
		o.take(c, line, whole)
		o.is.afterWork(start)
		rest = after
	}
}

// take takes a line, or a piece of one that is not whole yet.
func (o *guestOutput) take(c *Call, line []byte, whole bool) {
	if whole && len(o.line) == 0 {
		logLine(c, line)
		return
	}
	o.line = append(o.line, line[:min(len(line), maxLine-len(o.line))]...)
	if whole {
		o.flush(c)
	}
}

// flush logs the line that has begun, for c.
func (o *guestOutput) flush(c *Call) {
	if len(o.line) > 0 {
		logLine(c, o.line)
		o.line = o.line[:0]
	}
}

func logLine(c *Call, line []byte) {
	if c != nil {
		c.log(LogInfo, line[:min(len(line), maxLine)])
	}
}
