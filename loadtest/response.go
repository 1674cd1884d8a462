package loadtest

import (
	"bytes"
	"errors"
	"strconv"
)

// response reads one HTTP/1.1 answer as its bytes come in, RFC 9112. It knows what servers
// send, not what intermediaries may: no trailers' contents, no obsolete folding.
type response struct {
	state   responseState
	status  int
	left    int    // of the body or chunk
	got     int    // bytes of body so far
	body    []byte // up to keep of them
	keep    int
	line    []byte // of the head or of a chunk's size, while it is not whole
	lines   int
	close   bool // the connection ends with the body
	isolate isolateState
	cpu     int64 // µs of the server's, -1 unknown
}

type responseState uint8

const (
	inHead responseState = iota
	inBody
	inChunkSize
	inChunk
	inChunkEnd
	inTrailer
	untilClose
	complete
)

const (
	maxLine  = 16 << 10
	maxLines = 1000
	maxBody  = 1 << 40
)

var (
	errProtocol = errors.New("not an HTTP/1.1 answer")
	errTooMuch  = errors.New("bytes behind the answer")
)

// begin makes r ready for the next answer, of which up to keep bytes of body are kept.
func (r *response) begin(keep int) {
	*r = response{body: r.body[:0], line: r.line[:0], keep: keep, cpu: -1}
}

// begun reports whether a byte has come.
func (r *response) begun() bool { return r.lines > 0 || len(r.line) > 0 }

// feed takes what was read.
func (r *response) feed(b []byte) error {
	for len(b) > 0 {
		var err error
		switch r.state {
		case inHead, inChunkSize, inChunkEnd, inTrailer:
			b, err = r.feedLine(b)
		case inBody, inChunk:
			b = r.feedBody(b)
		case untilClose:
			r.take(b)
			b = nil
		case complete:
			return errTooMuch
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// feedLine takes up to the end of a line.
func (r *response) feedLine(b []byte) ([]byte, error) {
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		if len(r.line)+len(b) > maxLine {
			return nil, errProtocol
		}
		r.line = append(r.line, b...)
		return nil, nil
	}
	line := b[:end]
	if len(r.line) > 0 {
		r.line = append(r.line, line...)
		line = r.line
	}
	if r.lines++; r.lines > maxLines && r.state != inChunkSize && r.state != inChunkEnd || len(line) > maxLine {
		return nil, errProtocol
	}
	line = bytes.TrimSuffix(line, []byte("\r"))
	err := r.takeLine(line)
	r.line = r.line[:0]
	return b[end+1:], err
}

func (r *response) takeLine(line []byte) error {
	switch r.state {
	case inChunkSize:
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(bytes.TrimSpace(size)), 16, 40)
		if err != nil {
			return errProtocol
		}
		r.left, r.state = int(n), inChunk
		if n == 0 {
			r.state = inTrailer
		}
	case inChunkEnd:
		if len(line) > 0 {
			return errProtocol
		}
		r.state = inChunkSize
	case inTrailer:
		if len(line) == 0 {
			r.state = complete
		}
	case inHead:
		return r.takeHead(line)
	}
	return nil
}

func (r *response) takeHead(line []byte) error {
	switch {
	case r.status == 0:
		return r.takeStatus(line)
	case len(line) == 0:
		return r.endHead()
	}
	name, value, found := bytes.Cut(line, []byte(":"))
	if !found {
		return errProtocol
	}
	return r.takeField(name, bytes.TrimSpace(value))
}

func (r *response) takeStatus(line []byte) error {
	if len(line) < 12 || string(line[:7]) != "HTTP/1." || line[8] != ' ' {
		return errProtocol
	}
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return errProtocol
		}
		r.status = 10*r.status + int(c-'0')
	}
	if r.status < 100 {
		return errProtocol
	}
	r.close = line[7] == '0'
	r.left = -1
	return nil
}

// takeField looks at the fields that say where the body ends, and at ours. Lengths are told apart
// first, as it happens for every answer.
func (r *response) takeField(name, value []byte) error {
	switch len(name) {
	case len("connection"):
		if bytes.EqualFold(name, []byte("connection")) {
			r.close = bytes.EqualFold(value, []byte("close"))
		}
	case len("content-length"):
		if !bytes.EqualFold(name, []byte("content-length")) {
			return nil
		}
		n, err := strconv.ParseUint(string(value), 10, 40)
		if err != nil || n > maxBody {
			return errProtocol
		}
		if r.state == inHead && r.left != leftChunked {
			r.left = int(n)
		}
	case len("transfer-encoding"):
		if bytes.EqualFold(name, []byte("transfer-encoding")) {
			if !bytes.EqualFold(value, []byte("chunked")) {
				return errProtocol
			}
			r.left = leftChunked
		}
	case len("x-switchyard-isolate"):
		if bytes.EqualFold(name, []byte("x-switchyard-isolate")) {
			r.isolate = isolateOf(value)
		}
	case len("x-switchyard-cpu-us"):
		if bytes.EqualFold(name, []byte("x-switchyard-cpu-us")) {
			if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
				r.cpu = n
			}
		}
	}
	return nil
}

// leftChunked stands in left for a length that chunks tell.
const leftChunked = -2

func (r *response) endHead() error {
	switch {
	case r.status < 200: // another head follows
		r.status = 0
	case r.status == 204, r.status == 304, r.left == 0:
		r.state = complete
	case r.left == leftChunked:
		r.state = inChunkSize
	case r.left < 0:
		r.state, r.close = untilClose, true
	default:
		r.state = inBody
	}
	return nil
}

func (r *response) feedBody(b []byte) []byte {
	n := min(r.left, len(b))
	r.take(b[:n])
	if r.left -= n; r.left == 0 {
		if r.state == inBody {
			r.state = complete
		} else {
			r.state = inChunkEnd
		}
	}
	return b[n:]
}

func (r *response) take(b []byte) {
	r.got += len(b)
	if room := r.keep - len(r.body); room > 0 {
		r.body = append(r.body, b[:min(room, len(b))]...)
	}
}

// closed says what the end of the connection means.
func (r *response) closed() outcome {
	switch {
	case !r.begun():
		return reset
	case r.state == untilClose:
		r.state = complete
		return ok
	}
	return short
}

// isolateState is what x-switchyard-isolate tells the operator.
type isolateState uint8

const (
	unknown isolateState = iota
	warm
	reskin
	clone
	initial
	isolateStates
)

var isolateNames = [isolateStates]string{"unknown", "warm", "reskin", "clone", "init"}

func isolateOf(value []byte) isolateState {
	for i := range isolateNames {
		if string(value) == isolateNames[i] {
			return isolateState(i)
		}
	}
	return unknown
}
