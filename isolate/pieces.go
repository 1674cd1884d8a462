package isolate

import (
	"crypto/rand"
	"strings"
	"unsafe"
)

// The host copies for a guest in pieces, and after each the guest's time is looked at: a body of
// 100 MB would else be a slice of 50 ms.
const copyPiece = 128 << 10

// copyIn copies into the guest's memory.
func (is *Isolate) copyIn(to, from []byte) {
	for len(from) > copyPiece {
		copy(to, from[:copyPiece])
		to, from = to[copyPiece:], from[copyPiece:]
		is.pace()
	}
	copy(to, from)
}

// appendIn appends bytes, the guest's as a rule, to buf. The room for what takes more than one
// piece is made at once, so that nothing is copied twice.
func (is *Isolate) appendIn(buf, from []byte) []byte {
	if len(from) > copyPiece {
		buf = withRoom(buf, len(from))
	}
	for len(from) > copyPiece {
		buf = append(buf, from[:copyPiece]...)
		from = from[copyPiece:]
		is.pace()
	}
	return append(buf, from...)
}

// withRoom has room for n more bytes.
func withRoom(buf []byte, n int) []byte {
	if cap(buf)-len(buf) >= n {
		return buf
	}
	return append(uncleared(len(buf)+n), buf...)
}

// uncleared is room for n > 0 bytes that hold anything: clearing 50 MB takes 6 to 20 ms in one go.
// Of what Go has, only a strings.Builder gets such memory.
func uncleared(n int) []byte {
	var b strings.Builder
	b.Grow(n)
	b.WriteByte(0)
	return unsafe.Slice(unsafe.StringData(b.String()), n)[:0]
}

// randomise fills p. A guest may ask for all of its memory at once.
func (is *Isolate) randomise(p []byte) {
	for len(p) > maxRandom {
		rand.Read(p[:maxRandom])
		p = p[maxRandom:]
		is.pace()
	}
	rand.Read(p)
	is.spend(len(p))
}
