package isolate

import "encoding/binary"

// word reads a u32 of guest memory; out of bounds is a breach of contract.
func (is *Isolate) word(ptr uint32) uint32 {
	b := is.bytesAt(ptr, 4)
	if b == nil {
		breach("address %#x is out of bounds", ptr)
	}
	return binary.LittleEndian.Uint32(b)
}

// mustBytes is bytesAt for a guest's arguments.
func (is *Isolate) mustBytes(ptr, n uint32) []byte {
	b := is.bytesAt(ptr, n)
	if b == nil {
		breach("%d bytes at address %#x are out of bounds", n, ptr)
	}
	return b
}

// getWord and putWord reach the u32 number i of a block.
func getWord(b []byte, i int) uint32    { return binary.LittleEndian.Uint32(b[4*i:]) }
func putWord(b []byte, i int, v uint32) { binary.LittleEndian.PutUint32(b[4*i:], v) }
