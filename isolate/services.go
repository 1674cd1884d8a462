package isolate

import (
	"encoding/binary"
	"errors"
	"io"
	"time"

	"switchyard/isolate/js"
	"switchyard/isolate/service"
	"switchyard/isolate/service/compression"
	"switchyard/isolate/service/encoding"
	"switchyard/isolate/service/html"
	"switchyard/isolate/service/intl"
	"switchyard/isolate/service/nodecrypto"
	"switchyard/isolate/service/nodehash"
	"switchyard/isolate/service/webcrypto"
)

// services are what SERVICE can ask for, by number.
var services = map[uint32]service.Service{
	1: webcrypto.Serve,
	2: encoding.Serve,
	3: compression.Serve,
	5: html.Serve,
	6: nodehash.Serve,
	7: intl.Serve(js.IntlData, js.IntlLocales()),
	8: nodecrypto.Serve,
}

// methodFree is a method of every service: its object is not needed any more.
const methodFree = 0

// maxObjects bounds the objects of services that one call may make.
const maxObjects = 4096

var (
	errObjects = service.Fail("RangeError", "Too many objects in one request.")
	errScope   = errors.New("This operation is not allowed outside of a request.")
)

// object is what a service keeps for a call, and how much of held it stands for.
type object struct {
	value any
	held  int
}

// hostService answers SERVICE: the length of the result, which is in the I/O buffer when it
// fits and else waits for TAKE; or Pending; or Refused and a text.
func (is *Isolate) hostService(req, ptr, id uint32) int32 {
	c := is.call(req)
	if req == 0 {
		c = is.meter.call
	}
	if c == nil {
		is.setText(errScope.Error())
		return js.Refused
	}
	n, err := is.askService(c, is.mustBytes(ptr, js.ServiceBytes), req == 0, id)
	if err != nil {
		is.setText(guestMessage(err))
		return js.Refused
	}
	return n
}

func (is *Isolate) askService(c *Call, block []byte, scope bool, id uint32) (int32, error) {
	r := service.Request{Method: getWord(block, js.ServiceMethod), Scope: scope, Later: id != 0, Meter: isolateMeter{is}}
	object := getWord(block, js.ServiceObject)
	if r.Method == methodFree {
		c.freeObject(object)
		return 0, nil
	}
	var ok bool
	if r.Object, ok = c.object(object); !ok {
		return 0, service.Fail("TypeError", "This object belongs to another request.")
	}
	r.Parts = is.serviceParts(block, id != 0)
	answer, err := is.serve(getWord(block, js.ServiceNumber), &r)
	switch {
	case err != nil:
		return 0, err
	case answer.Job != nil:
		return js.Pending, c.startJob(answer.Job, id)
	case answer.Object != nil:
		if scope {
			return 0, errScope
		}
		if answer.Bytes, err = c.keepObject(&answer); err != nil {
			return 0, err
		}
	}
	return is.hand(c, answer.Bytes), nil
}

// serviceParts are the parts in guest memory, or copies of them for what may outlive this entry.
func (is *Isolate) serviceParts(block []byte, copies bool) [][]byte {
	parts := make([][]byte, min(getWord(block, js.ServiceCount), js.MaxParts))
	for i := range parts {
		at := js.ServiceParts + 2*i
		parts[i] = is.mustBytes(getWord(block, at), getWord(block, at+1))
		if copies {
			parts[i] = is.appendIn(nil, parts[i])
		}
	}
	return parts
}

// serve calls a service. The time that it takes is charged with the guest's, and taken from its
// fuel, so that a loop around a service comes to its yield as soon as any other.
func (is *Isolate) serve(number uint32, r *service.Request) (service.Answer, error) {
	s := services[number]
	if s == nil {
		breach("service %d is unknown", number)
	}
	start := monotonic()
	answer, err := s(r)
	is.spendTime(monotonic() - start)
	if e := (*service.Error)(nil); err != nil && !errors.As(err, &e) {
		panic("BUG: service: " + err.Error())
	}
	return answer, err
}

// hand leaves a result for the guest and returns its length.
func (is *Isolate) hand(c *Call, result []byte) int32 {
	if len(result) <= js.IOBytes {
		copy(is.bytesAt(is.io, js.IOBytes), result)
	} else {
		c.unhold(len(c.state.taken)) // the guest had no memory for it
		c.hold(len(result))
		c.state.taken = result
	}
	return int32(len(result))
}

// hostTake answers TAKE: the result that did not fit the I/O buffer, once.
func (is *Isolate) hostTake(req, ptr, n uint32) int32 {
	c := is.callOrCurrent(req)
	result := c.state.taken
	c.state.taken = nil
	c.unhold(len(result))
	if uint32(len(result)) != n {
		breach("a result of %d bytes is taken as %d", len(result), n)
	}
	is.copyIn(is.mustBytes(ptr, n), result)
	return 0
}

// isolateMeter is the account of a service that runs while its isolate waits.
type isolateMeter struct{ is *Isolate }

func (m isolateMeter) Pace() { m.is.pace() }

func (m isolateMeter) Afford(d time.Duration) {
	m.is.pace()
	if d > m.is.meter.call.left() {
		panic(ErrCPULimit)
	}
}

// object finds what id names; 0 names nothing.
func (c *Call) object(id uint32) (any, bool) {
	if id == 0 {
		return nil, true
	}
	if id > uint32(len(c.state.objects)) || c.state.objects[id-1].value == nil {
		return nil, false
	}
	return c.state.objects[id-1].value, true
}

// keepObject makes the answer's object one of the call's and returns its id and the bytes.
func (c *Call) keepObject(a *service.Answer) ([]byte, error) {
	if len(c.state.objects) == maxObjects { // ever: ids are not used again
		closeObject(a.Object)
		return nil, errObjects
	}
	c.state.objects = append(c.state.objects, object{a.Object, a.Held})
	id := uint32(len(c.state.objects))
	c.hold(a.Held)
	return append(binary.LittleEndian.AppendUint32(nil, id), a.Bytes...), nil
}

// freeObject closes what id names.
func (c *Call) freeObject(id uint32) {
	if _, ok := c.object(id); !ok || id == 0 {
		return
	}
	o := &c.state.objects[id-1]
	c.unhold(o.held)
	closeObject(o.value)
	*o = object{}
}

func closeObject(value any) {
	if c, ok := value.(io.Closer); ok {
		c.Close()
	}
}

// releaseObjects closes all that the call still has.
func (c *Call) releaseObjects() {
	for i := range c.state.objects {
		closeObject(c.state.objects[i].value)
	}
	clear(c.state.objects)
	c.state.objects, c.state.taken = c.state.objects[:0], nil
}
