// Package encoding is TextDecoder (WHATWG Encoding) for all encodings but UTF-8 and UTF-16, which the shim
// decodes itself. The algorithms are the standard's; its indexes are those of golang.org/x/text, corrected where they
// differ. It keeps nothing: a decoder's state is four bytes that its owner sends along with each chunk, so that a
// decoder may be made at module scope and live in a snapshot.
package encoding

import (
	"unicode/utf8"

	"switchyard/isolate/service"
)

// Methods, as the shim numbers them.
const (
	find   = 1 // label -> name; nothing: there is no such encoding
	decode = 2 // name, state, flags, data -> new state, UTF-8; nothing: fatal, and the data is not valid
)

// The flags of decode.
const (
	more  = 1 << 0 // data will follow
	fatal = 1 << 1 // what is not valid ends it
)

// Serve answers one request of a TextDecoder.
func Serve(r *service.Request) (service.Answer, error) {
	switch r.Method {
	case find:
		return service.Answer{Bytes: []byte(labelled(string(r.Part(0))))}, nil
	case decode:
		c := encodings[string(r.Part(0))]
		if c == nil {
			panic("BUG: encoding: the shim asks for " + string(r.Part(0)))
		}
		return service.Answer{Bytes: c.decode(r)}, nil
	}
	panic("BUG: encoding: the shim asks for a method that there is not")
}

// stateBytes is the length of the state before the text.
const stateBytes = 4

// piece is how much is decoded before the caller's time is looked at: less than a millisecond.
const piece = 32 << 10

func (e *encoding) decode(r *service.Request) []byte {
	data, flags := r.Part(3), r.Number(2)
	d := decoder{state: stateOf(r.Part(1)), out: make([]byte, stateBytes, stateBytes+len(data)+len(data)/2)}
	for len(data) > piece {
		e.chunk(&d, data[:piece])
		data = data[piece:]
		r.Meter.Pace()
	}
	e.chunk(&d, data)
	if flags&more == 0 {
		e.end(&d)
	}
	if d.failed && flags&fatal != 0 {
		return nil
	}
	copy(d.out, d.state[:])
	return d.out
}

// state is what a decoder remembers between two bytes; zero at the beginning.
type state [stateBytes]byte

// decoder is one call of decode: the text so far, and the state.
type decoder struct {
	state  state
	out    []byte
	failed bool
}

// fail is the standard's "return error".
func (d *decoder) fail() {
	d.out = append(d.out, "\uFFFD"...)
	d.failed = true
}

// put is the standard's "return a code point"; 0 is what an index does not have.
func (d *decoder) put(r rune) bool {
	if r == 0 {
		return false
	}
	d.out = utf8.AppendRune(d.out, r)
	return true
}

func (d *decoder) putOrFail(r rune) {
	if !d.put(r) {
		d.fail()
	}
}

// stateOf is the state as it was sent; without one it is the beginning.
func stateOf(sent []byte) (s state) {
	copy(s[:], sent)
	return s
}
