package isolate

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"time"

	"github.com/tetratelabs/wazero/api"
	"golang.org/x/net/idna"

	"switchyard/isolate/abi"
	"switchyard/isolate/js"
)

// hostEntry is the engine's one import: host(op, req, b, c, d).
func hostEntry(ctx context.Context, _ api.Module, stack []uint64) {
	is := isolateOf(ctx)
	r := is.host(js.HostOp(uint32(stack[0])), uint32(stack[1]), uint32(stack[2]), uint32(stack[3]), uint32(stack[4]))
	stack[0] = uint64(uint32(r))
}

// host answers one host operation of request id req; 0 is module scope.
func (is *Isolate) host(op js.HostOp, req, x, y, z uint32) int32 {
	switch op { // what needs no request
	case js.HostNow:
		ms := float64(is.now().UnixMilli())
		binary.LittleEndian.PutUint64(is.mustBytes(x, 8), math.Float64bits(ms))
		return 0
	case js.HostIDNA:
		return is.hostIDNA(x, y, z)
	case js.HostLog:
		is.hostLog(is.callOrCurrent(req), x, is.mustBytes(y, z))
		return 0
	case js.HostRejected:
		is.hostRejected(is.callOrCurrent(req), is.mustBytes(x, y))
		return 0
	case js.HostService:
		return is.hostService(req, x, y)
	case js.HostFull:
		panic(ErrMemoryLimit)
	case js.HostTake:
		return is.hostTake(req, x, y)
	case js.HostWake:
		return is.hostWake(req)
	case js.HostSource:
		return is.hostSource(req, string(is.mustBytes(x, y)))
	case js.HostWasmCall, js.HostWasmMemory, js.HostWasmInstantiate, js.HostWasmGlobal, js.HostWasmCustom, js.HostWasmValidate,
		js.HostWasmCount, js.HostWasmAddress:
		return is.hostNested(op, x, y, z)
	}
	c := is.call(req)
	if c == nil {
		is.setText("This operation is not allowed outside of a request.")
		return js.Refused
	}
	return is.hostCall(c, op, x, y, z)
}

// hostLog answers LOG. A message that is no JSON is as good as none.
func (is *Isolate) hostLog(c *Call, word uint32, line []byte) {
	level, n := LogLevel(word&js.LogLevelMask), word>>js.LogLineShift
	if level > LogLog || n > uint32(len(line)) {
		breach("log level %d, line of %d bytes", level, n)
	}
	if n > 0 {
		if message := line[n:]; len(message) <= maxLine && json.Valid(message) {
			c.Message = message
		}
		line = line[:n]
	}
	is.logFor(c, level, line)
	c.Message = nil
}

// hostSource answers SOURCE: the text of a module of Node's, for a version that may have it.
func (is *Isolate) hostSource(req uint32, name string) int32 {
	c := is.callOrCurrent(req)
	source := c.state.node.source(name)
	if name == js.IntlModule {
		source = js.IntlSource()
	}
	if source == nil {
		return js.Refused
	}
	return is.hand(c, source)
}

// hostCall answers what belongs to a request.
func (is *Isolate) hostCall(c *Call, op js.HostOp, x, y, z uint32) int32 {
	switch op {
	case js.HostRespond:
		is.hostRespond(c, x)
	case js.HostThrown:
		is.hostThrown(c, is.mustBytes(x, y), is.mustBytes(x+y, z))
	case js.HostFetch:
		return is.hostFetch(c, x, y)
	case js.HostRead:
		return is.refused(c.startRead(y, x))
	case js.HostCancel:
		c.state.handles.cancel(x)
	case js.HostGone:
		c.state.gone.ask(x)
		return js.Pending
	case js.HostWrite:
		return is.write(c, c.state.out, is.mustBytes(x, y), z)
	case js.HostEnd:
		c.hostEnd(is.mustBytes(x, y))
	case js.HostTimer:
		if c.startTimer(x, time.Duration(max(0, int32(y)))*time.Millisecond) == nil {
			return is.refused(errOperations)
		}
		return js.Pending
	case js.HostStop:
		c.stop(x)
	case js.HostRandom:
		is.randomise(is.mustBytes(x, y))
	case js.HostHold:
		c.state.holds += int(int32(x))
	case js.HostHead:
		return is.hostHead(c, x, y, z)
	case js.HostStream:
		return int32(c.state.handles.add(handle{kind: handleStream, stream: newGuestStream(c)}))
	case js.HostWrite2:
		return is.hostWrite2(c, is.mustBytes(x, js.Write2Bytes))
	case js.HostEnd2:
		if h := c.state.handles.get(x, handleStream); h != nil {
			c.endStream(h.stream, streamFailure(is.mustBytes(y, z)))
			*h = handle{}
		}
	default:
		breach("host operation %d is unknown", op)
	}
	return 0
}

// call finds the request id among the isolate's calls.
func (is *Isolate) call(id uint32) *Call {
	if c := is.meter.call; id != 0 && c.state.id == id {
		return c
	}
	for _, c := range is.calls {
		if c.state.id == id {
			return c
		}
	}
	return nil
}

// callOrCurrent is whose log a line belongs to.
func (is *Isolate) callOrCurrent(id uint32) *Call {
	if c := is.call(id); c != nil {
		return c
	}
	return is.meter.call
}

// refused turns an error into Refused and its text; nil is Pending.
func (is *Isolate) refused(err error) int32 {
	if err == nil {
		return js.Pending
	}
	is.setText(guestMessage(err))
	return js.Refused
}

// hostWake asks for a turn of the request that claim is of: another one has settled what it waits for.
func (is *Isolate) hostWake(claim uint32) int32 {
	for _, c := range is.calls {
		if c.state.id&js.ClaimMask == claim {
			c.askTurn()
			return 0
		}
	}
	return js.Refused
}

func (is *Isolate) hostThrown(c *Call, message, stack []byte) {
	if !c.answered() && !c.state.delivered {
		c.state.err = &Exception{Message: thrown(message), Stack: thrown(stack)}
		is.wake(c)
	}
}

// thrown cuts a text of an exception at maxThrown.
func thrown(text []byte) string { return string(text[:min(len(text), maxThrown)]) }

func (is *Isolate) hostRejected(c *Call, text []byte) {
	is.logFor(c, LogError, append([]byte("Unhandled promise rejection: "), text[:min(len(text), maxLine)]...))
}

func (is *Isolate) hostHead(c *Call, id, ptr, room uint32) int32 {
	h := c.state.handles.get(id, handleResponse)
	if h == nil {
		return 0
	}
	head := h.response.Head
	if uint32(len(head)) <= room {
		copy(is.mustBytes(ptr, room), head)
	}
	return int32(len(head))
}

// hostRespond takes the handler's response over; everything is copied or moved.
func (is *Isolate) hostRespond(c *Call, ptr uint32) {
	if c.answered() || c.state.delivered {
		return
	}
	r, err := is.takeResponse(c, is.mustBytes(ptr, js.ResponseBytes))
	if err != nil {
		c.state.err = &Exception{Message: "TypeError: " + err.Error()}
	}
	c.state.response = r
	is.wake(c)
}

// wake tells the driver of a call that code of another request has settled it.
func (is *Isolate) wake(c *Call) {
	if c != is.meter.call {
		c.state.signal()
	}
}

func (is *Isolate) takeResponse(c *Call, b []byte) (*Response, error) {
	if getWord(b, js.ResponseFlags)&js.ResponseUntouched != 0 {
		if r := c.state.handles.takeResponse(getWord(b, js.ResponseHandle)); r != nil {
			return r, nil
		}
		return nil, errBody
	}
	r := newResponse()
	if err := is.fillResponse(c, r, b); err != nil {
		r.Release()
		return nil, err
	}
	return r, nil
}

// fillResponse builds head and body in the response's own buffer.
func (is *Isolate) fillResponse(c *Call, r *Response, b []byte) error {
	headers := is.mustBytes(getWord(b, js.ResponseHeaders), getWord(b, js.ResponseHeadersLen))
	headers = headers[:min(len(headers), abi.MaxHeadBytes+1)] // more is refused unseen
	r.buf = abi.AppendResponseHead(r.buf[:0], int(getWord(b, js.ResponseStatus)))
	binary.LittleEndian.PutUint32(r.buf[8:], getWord(b, js.ResponseHeaderCount))
	binary.LittleEndian.PutUint32(r.buf[12:], uint32(len(headers)))
	r.buf = append(r.buf, headers...)
	n := len(r.buf)
	head, err := abi.ParseResponseHead(r.buf)
	if err != nil {
		return err
	}
	coding := CodingOf(head.Headers())
	if getWord(b, js.ResponseFlags)&js.ResponseManual != 0 {
		coding = CodingIdentity
	}
	switch getWord(b, js.ResponseBodyKind) {
	case js.BodyBytes:
		body := is.mustBytes(getWord(b, js.ResponseBody), getWord(b, js.ResponseBodyLen))
		r.buf = is.appendCoded(r.buf, body, coding)
		r.Body.Bytes = r.buf[n:]
	case js.BodyHandle:
		if err := is.moveBody(c, &r.Body, &r.buf, getWord(b, js.ResponseBody), coding); err != nil {
			return err
		}
	case js.BodyStream:
		c.state.out = newGuestStream(c)
		c.state.out.gone = &c.state.gone
		r.Body = Body{Stream: c.state.out, Length: int64(int32(getWord(b, js.ResponseBodyLen)))}
		if c.state.out.encoder = newEncoder(coding); coding != CodingIdentity {
			r.Body.Length = -1
		}
	}
	r.StatusText = statusText(is.mustBytes(getWord(b, js.ResponseText), getWord(b, js.ResponseTextLen)))
	r.Head = head
	if len(r.buf) > n { // append may have moved it
		r.Head = abi.ResponseHead(r.buf[:n:n])
	}
	return nil
}

// maxStatusText bounds Response.StatusText.
const maxStatusText = 512

// statusText is a copy of a reason phrase, nothing for what is none.
func statusText(text []byte) string {
	if len(text) == 0 || len(text) > maxStatusText {
		return ""
	}
	for _, c := range text {
		if c < ' ' && c != '\t' || c == 0x7f {
			return ""
		}
	}
	return string(text)
}

// appendCoded appends a guest's bytes as coding has them.
func (is *Isolate) appendCoded(buf, body []byte, coding Coding) []byte {
	if coding == CodingIdentity || len(body) == 0 {
		return is.appendIn(buf, body)
	}
	e := newEncoder(coding)
	defer e.drop()
	for start := monotonic(); ; start = monotonic() {
		piece := body[:min(len(body), copyPiece)]
		buf, body = append(buf, e.write(piece)...), body[len(piece):]
		is.afterWork(start)
		if len(body) == 0 {
			return append(buf, e.end()...)
		}
	}
}

// moveBody gives the guest's body handle away into body, coded as it is wanted. Bytes belong to an
// exchange that may be released first, so they are copied behind what is in buf; a stream is moved.
func (is *Isolate) moveBody(c *Call, body *Body, buf *[]byte, id uint32, want Coding) error {
	b, ok := c.state.handles.takeBodyAs(id, want)
	if !ok {
		return errBody
	}
	if b.Stream != nil {
		*body = b
		return nil
	}
	n := len(*buf)
	*buf = is.appendIn(*buf, b.Bytes)
	body.Bytes = (*buf)[n:]
	return nil
}

// write appends to a stream of the call: 0 accepted, Pending wait for RESOLVE of id, Refused
// the reader has gone.
func (is *Isolate) write(c *Call, out *guestStream, p []byte, id uint32) int32 {
	if out == nil {
		return js.Refused
	}
	if out.encoder != nil {
		defer is.afterWork(monotonic())
	}
	for out.reserve(len(p)); len(p) > copyPiece; p = p[copyPiece:] {
		if ok, _ := out.write(p[:copyPiece], nil); !ok {
			return js.Refused
		}
		is.pace()
	}
	op := c.newOperation(id, opWrite, opRunning)
	if op == nil {
		return js.Refused
	}
	ok, full := out.write(p, op)
	if full {
		return js.Pending
	}
	c.withdraw(op)
	if !ok {
		return js.Refused
	}
	return 0
}

// withdraw takes back a running operation that nobody else knows yet.
func (c *Call) withdraw(op *operation) {
	s := &c.state
	s.mu.Lock()
	s.removeLocked(op)
	s.mu.running--
	s.mu.spare = append(s.mu.spare, op)
	s.mu.Unlock()
}

func (c *Call) hostEnd(message []byte) {
	if c.state.out != nil {
		c.endStream(c.state.out, streamFailure(message))
		c.state.out = nil
	}
}

func (is *Isolate) hostWrite2(c *Call, b []byte) int32 {
	h := c.state.handles.get(getWord(b, 0), handleStream)
	if h == nil {
		return js.Refused
	}
	return is.write(c, h.stream, is.mustBytes(getWord(b, 1), getWord(b, 2)), getWord(b, 3))
}

func streamFailure(message []byte) error {
	if len(message) == 0 {
		return nil
	}
	return &Exception{Message: thrown(message)}
}

// hostIDNA maps a domain to ASCII as WHATWG's URL standard asks (UTS #46, non-transitional).
func (is *Isolate) hostIDNA(ptr, n, out uint32) int32 {
	domain := is.mustBytes(ptr, n)
	if len(domain) > js.MaxIDNA { // mapping takes the square of it
		return js.Refused
	}
	ascii, err := toASCII.ToASCII(string(domain))
	if err != nil || len(ascii) > js.MaxIDNA {
		return js.Refused
	}
	return int32(copy(is.mustBytes(out, js.MaxIDNA), ascii))
}

var toASCII = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.CheckHyphens(false),
	idna.CheckJoiners(true), idna.BidiRule(), idna.StrictDomainName(false), idna.VerifyDNSLength(false))
