package isolate

// A handle is a small number by which a guest names something that stays in the host: a body
// it has not read, a response, an outgoing body that it writes. Handles are valid within one
// call; giving a body away ends its handle.
type handle struct {
	kind     handleKind
	body     Body
	response *Response
	pair     uint32 // of a response: the handle of its body; of its body: the response's
	busy     bool   // a read of the body is under way
	opened   bool   // the body is read as plain bytes
	decoded  Coding // what an opened body was coded in
	stream   *guestStream
}

type handleKind uint8

const (
	handleFree handleKind = iota
	handleBody
	handleResponse
	handleStream // an outgoing body that the guest writes; busy once somebody reads it
	handleNone   // eventBody of a request without a body: never used again in this call
	handleSpent  // eventBody once it was given away: the same
)

// eventBody is the handle of the incoming request's body: the first one of a call, and no other.
const eventBody = 1

// maxHandles bounds what one call may keep open. JavaScript has more: it gives the handles of
// responses back at the end of its call only, since it may ask for their heads until then.
const (
	maxHandles       = 4096
	maxScriptHandles = 1 << 15
)

// handles is a call's table; index + 1 is the handle.
type handles []handle

// add returns a new handle, 0 when the table is full.
func (t *handles) add(h handle) uint32 { return t.addBelow(maxHandles, h) }

func (t *handles) addBelow(most int, h handle) uint32 {
	for i := len(*t) - 1; i >= 0 && i > len(*t)-8; i-- { // freed ones are mostly near the end
		if (*t)[i].kind == handleFree {
			(*t)[i] = h
			return uint32(i + 1)
		}
	}
	if len(*t) >= most {
		return 0
	}
	*t = append(*t, h)
	return uint32(len(*t))
}

// get returns what id names, nil when that is nothing of this kind.
func (t handles) get(id uint32, kind handleKind) *handle {
	if id == 0 || id > uint32(len(t)) || t[id-1].kind != kind {
		return nil
	}
	return &t[id-1]
}

// open makes a body that the guest reads one of plain bytes.
func (t handles) open(h *handle) {
	if h.opened {
		return
	}
	h.opened, h.decoded = true, t.codingOf(h)
	h.body.Decode(h.decoded)
}

// codingOf returns what the bytes of a body are coded in: only responses' are in anything.
func (t handles) codingOf(h *handle) Coding {
	if r := t.get(h.pair, handleResponse); r != nil && !h.opened {
		return CodingOf(r.response.Head.Headers())
	}
	return CodingIdentity
}

// takeBodyAs moves a body out, coded as it is wanted.
func (t handles) takeBodyAs(id uint32, want Coding) (b Body, ok bool) {
	var from Coding
	if h := t.get(id, handleBody); h != nil {
		from = t.codingOf(h)
	}
	b, ok = t.takeBody(id)
	if ok {
		b.recode(from, want)
	}
	return b, ok
}

// takeBody moves a body out as it is; its handle ends.
func (t handles) takeBody(id uint32) (b Body, ok bool) {
	h := t.get(id, handleBody)
	if h == nil || h.busy {
		return b, false
	}
	b = h.body
	*h = handle{}
	if id == eventBody {
		h.kind = handleSpent
	}
	return b, true
}

// cancel closes a body that the guest will not read on, also while a read of it runs: that ends.
func (t handles) cancel(id uint32) {
	b, ok := t.takeBody(id)
	if h := t.get(id, handleBody); !ok && h != nil {
		b, h.body = h.body, Body{} // busy; readDone looks for the handle
	}
	b.Close()
}

// addEvent takes the incoming request's body over as eventBody; 0 when there is none.
func (t *handles) addEvent(r *Request) uint32 {
	if r.Body.empty() {
		t.add(handle{kind: handleNone})
		return 0
	}
	t.add(handle{kind: handleBody, body: r.Body})
	r.Body = Body{}
	return eventBody
}

// addResponse gives r and its body handles below most; without room for both there is none, and
// r is released. The body's bytes stay r's.
func (t *handles) addResponse(most int, r *Response) (response, body uint32) {
	response = t.addBelow(most, handle{kind: handleResponse, response: r})
	if response == 0 {
		r.Release()
		return 0, 0
	}
	if r.Body.empty() {
		return response, 0
	}
	if body = t.addBelow(most, handle{kind: handleBody, body: r.Body, pair: response}); body == 0 {
		r.Release()
		(*t)[response-1] = handle{}
		return 0, 0
	}
	r.Body = Body{}
	(*t)[response-1].pair = body
	return response, body
}

// addFetched is addResponse for what a fetch brought. A Worker may answer HEAD with the body of a GET: it
// stays with the response, for who wants its length, and the guest sees none.
func (t *handles) addFetched(most int, r *Response, head bool) (response, body uint32) {
	if !head {
		return t.addResponse(most, r)
	}
	unseen := r.Body
	r.Body = Body{}
	if response, _ = t.addResponse(most, r); response == 0 {
		unseen.Close()
		return 0, 0
	}
	r.Body = unseen
	return response, 0
}

// spend gives back what a body that was read to its end kept, with its response's buffers: a
// long call may read many. The handles stay.
func (t handles) spend(id uint32) {
	b := t.get(id, handleBody)
	if b == nil {
		return
	}
	b.body.Close()
	if r := t.get(b.pair, handleResponse); r != nil && r.pair == id {
		r.response = r.response.headOnly()
	}
}

// takeResponse moves a response out together with its body, which must not have been given away.
func (t handles) takeResponse(id uint32) *Response {
	h := t.get(id, handleResponse)
	if h == nil {
		return nil
	}
	r := h.response
	if h.pair != 0 {
		b := t.get(h.pair, handleBody)
		if b == nil || b.busy || b.pair != id {
			return nil
		}
		r.Body = b.body
		r.Body.encode(b.decoded)
		*b = handle{}
	}
	*h = handle{}
	return r
}

// release closes whatever the guest left open.
func (t *handles) release() {
	for i := range *t {
		h := &(*t)[i]
		switch h.kind {
		case handleBody:
			h.body.Close()
		case handleResponse:
			h.response.Release()
		}
		*h = handle{}
	}
	*t = (*t)[:0]
}
