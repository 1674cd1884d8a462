package wasm

// LEB128, the variable-length integers of the binary format: seven bits a byte, lowest first,
// the top bit set on all but the last. An integer of n bits takes at most ⌈n/7⌉ bytes, and
// the bits of its last byte that lie beyond n must be zero, or copies of the sign.

// u32 reads an unsigned integer of 32 bits.
func (r *reader) u32() uint32 {
	if r.p < len(r.b) && r.b[r.p] < 0x80 { // nearly all are one byte
		r.p++
		return uint32(r.b[r.p-1])
	}
	return r.u32Long()
}

func (r *reader) u32Long() uint32 {
	start, v := r.p, uint32(0)
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		if shift == 28 && c&0x70 != 0 && c < 0x80 {
			r.fail(start, "integer too large")
			return 0
		}
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	r.fail(start, "integer representation too long")
	return 0
}

// signed reads a signed integer of 32, 33 or 64 bits.
func (r *reader) signed(bits int) int64 {
	start, v := r.p, int64(0)
	for shift := 0; shift < bits; shift += 7 {
		c := r.byte()
		v |= int64(c&0x7f) << shift
		if c >= 0x80 {
			continue
		}
		if shift+7 < 64 {
			v = v << (57 - shift) >> (57 - shift)
		}
		if used := bits - shift; used < 7 && !signCopies(c, used) {
			r.fail(start, "integer too large")
			return 0
		}
		return v
	}
	r.fail(start, "integer representation too long")
	return 0
}

// signCopies reports whether all bits of c from the used-th lowest on, which holds the sign,
// to bit 6 are the same.
func signCopies(c byte, used int) bool {
	top := c & 0x7f >> (used - 1)
	return top == 0 || top == 0x7f>>(used-1)
}

func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func appendSigned(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && c&0x40 == 0) || (v == -1 && c&0x40 != 0) {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func appendName(b []byte, name string) []byte {
	return append(appendU32(b, uint32(len(name))), name...)
}
