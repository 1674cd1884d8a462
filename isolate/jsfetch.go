package isolate

import (
	"errors"
	"fmt"

	"switchyard/isolate/abi"
)

// hostFetch registers a fetch; the driver performs it once the guest has left.
func (is *Isolate) hostFetch(c *Call, ptr, id uint32) int32 {
	block, err := abi.ParseFetchBlock(is.mustBytes(ptr, abi.FetchBlockSize))
	if err != nil {
		breach("%v", err)
	}
	if err := c.chargeSubrequest(); err != nil {
		return is.refused(err)
	}
	return is.refused(is.startFetch(c, &block, id))
}

// startFetch copies what the FETCH block points to into an operation.
func (is *Isolate) startFetch(c *Call, f *abi.FetchBlock, id uint32) error {
	r := newRequest()
	if err := is.fillRequest(c, r, f); err != nil {
		r.Release()
		return err
	}
	sub := Subrequest{Request: r, Binding: int(f.Binding), Redirect: redirects[f.Redirect], Kind: CallKind(f.Kind)}
	if f.NameLen > 0 {
		sub.Name = is.dispatchName(is.mustBytes(f.Name, f.NameLen))
	}
	if f.OptionsLen > 0 {
		sub.Options = is.appendIn(nil, is.mustBytes(f.Options, f.OptionsLen))
	}
	held := len(r.buf) + len(sub.Name) + len(sub.Options)
	if c.register(operation{id: id, kind: opFetch, state: opFresh, sub: sub, held: held, head: string(r.Head.Method()) == "HEAD"}) == nil {
		r.Release()
		return errOperations
	}
	c.hold(held)
	return nil
}

// redirects are the names of abi's redirect modes.
var redirects = [...]string{abi.RedirectFollow: "follow", abi.RedirectError: "error", abi.RedirectManual: "manual"}

func (is *Isolate) fillRequest(c *Call, r *Request, f *abi.FetchBlock) error {
	if f.Source == abi.SourceEvent {
		r.buf = append(r.buf[:0], c.Request.Head...)
		n := len(r.buf)
		if c.state.handles.get(eventBody, handleNone) == nil {
			if err := is.moveBody(c, &r.Body, &r.buf, eventBody, CodingIdentity); err != nil {
				return err
			}
		}
		r.Head = abi.RequestHead(r.buf[:n:n])
		return nil
	}
	if f.HeadLen > abi.MaxHeadBytes {
		return fmt.Errorf("%w: %d bytes", abi.ErrHead, f.HeadLen)
	}
	r.buf = append(r.buf[:0], is.mustBytes(f.Head, f.HeadLen)...)
	n := len(r.buf)
	head, err := abi.ParseRequestHead(r.buf)
	if err != nil {
		return err
	}
	if err := is.fillRequestBody(c, r, f, head); err != nil {
		return err
	}
	r.Head = abi.RequestHead(r.buf[:n:n])
	return nil
}

var errStream = errors.New("The request's body stream is not open.")

// fillRequestBody makes a body of plain bytes, whatever it came in: requests are not coded. What
// goes into a cache is a response.
func (is *Isolate) fillRequestBody(c *Call, r *Request, f *abi.FetchBlock, head abi.RequestHead) error {
	var coding Coding
	if f.Binding == FetchCache {
		coding = CodingOf(head.Headers())
	}
	switch f.BodyKind {
	case abi.BodyBytes:
		n := len(r.buf)
		r.buf = is.appendCoded(r.buf, is.mustBytes(f.Body, uint32(f.BodyLen)), coding)
		r.Body.Bytes = r.buf[n:]
	case abi.BodyHandle:
		return is.moveBody(c, &r.Body, &r.buf, f.Body, coding)
	case abi.BodyStream:
		h := c.state.handles.get(f.Body, handleStream)
		if h == nil || h.busy {
			return errStream
		}
		h.busy = true
		r.Body = Body{Stream: h.stream, Length: int64(f.BodyLen)}
		r.Body.encode(coding)
	}
	return nil
}
