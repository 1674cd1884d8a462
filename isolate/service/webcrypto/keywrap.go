package webcrypto

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"

	"switchyard/isolate/service"
)

// AES key wrap, RFC 3394: six rounds over the key's 64-bit blocks R[1…n] and a check value A.

const wrapBlock = 8

var wrapCheck = []byte{0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6}

func wrapKW(m service.Meter, block cipher.Block, key, _ []byte, _ int, _ []byte) ([]byte, error) {
	n := len(key) / wrapBlock
	if len(key)%wrapBlock != 0 || n < 2 {
		return nil, service.Fail("OperationError", "AES-KW wraps a multiple of 8 bytes, at least 16.")
	}
	out := append(append([]byte(nil), wrapCheck...), key...)
	var b [2 * wrapBlock]byte
	copy(b[:], wrapCheck)
	for t := 1; t <= 6*n; t++ {
		r := out[((t-1)%n+1)*wrapBlock:][:wrapBlock]
		copy(b[wrapBlock:], r)
		block.Encrypt(b[:], b[:])
		mixStep(b[:], t)
		copy(r, b[wrapBlock:])
		paceSteps(m, t)
	}
	copy(out, b[:wrapBlock])
	return out, nil
}

func unwrapKW(m service.Meter, block cipher.Block, data, _ []byte, _ int, _ []byte) ([]byte, error) {
	n := len(data)/wrapBlock - 1
	if len(data)%wrapBlock != 0 || n < 2 {
		return nil, errOperation
	}
	out := append([]byte(nil), data...)
	var b [2 * wrapBlock]byte
	copy(b[:], out)
	for t := 6 * n; t >= 1; t-- {
		r := out[((t-1)%n+1)*wrapBlock:][:wrapBlock]
		mixStep(b[:], t)
		copy(b[wrapBlock:], r)
		block.Decrypt(b[:], b[:])
		copy(r, b[wrapBlock:])
		paceSteps(m, t)
	}
	if subtle.ConstantTimeCompare(b[:wrapBlock], wrapCheck) != 1 {
		return nil, errOperation
	}
	return out[wrapBlock:], nil
}

// mixStep is A ← A xor t.
func mixStep(a []byte, t int) {
	binary.BigEndian.PutUint64(a, binary.BigEndian.Uint64(a)^uint64(t))
}

func paceSteps(m service.Meter, t int) {
	if t%(piece/16) == 0 {
		m.Pace()
	}
}
