package webcrypto

import (
	"crypto"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/subtle"
	"encoding/binary"
	"hash"

	"switchyard/isolate/service"
)

// hkdfBits: hash, key, salt, info, length in bytes.
func hkdfBits(r *service.Request) (service.Answer, error) {
	hash := hashOf(r.Part(0))
	b, err := hkdf.Key(hash.New, r.Part(1), r.Part(2), string(r.Part(3)), r.Number(4))
	if err != nil {
		return service.Answer{}, service.Fail("OperationError", "HKDF gives at most 255 hashes.")
	}
	return answer(b)
}

// maxDerived bounds what PBKDF2 is asked for, in bytes.
const maxDerived = 1 << 20

// pbkdf2Bits: hash, password, salt, iterations, length in bytes.
func pbkdf2Bits(r *service.Request) (service.Answer, error) {
	hash, password, salt := hashOf(r.Part(0)), r.Part(1), r.Part(2)
	iterations, length := uint32(r.Number(3)), r.Number(4)
	if length > maxDerived || length < 0 {
		return service.Answer{}, service.Fail("OperationError", "PBKDF2 is asked for too much.")
	}
	return r.Do(func(m service.Meter) ([]byte, error) {
		return pbkdf2Bytes(m, hash, password, salt, iterations, length), nil
	})
}

// pbkdf2Bytes is RFC 8018's, which crypto/pbkdf2 is too: this one can be interrupted.
func pbkdf2Bytes(m service.Meter, hash crypto.Hash, password, salt []byte, iterations uint32, length int) []byte {
	prf := hmac.New(hash.New, password)
	var out []byte
	for block := uint32(1); len(out) < length; block++ {
		out = append(out, pbkdf2Block(m, prf, salt, iterations, block)...)
	}
	return out[:length]
}

func pbkdf2Block(m service.Meter, prf hash.Hash, salt []byte, iterations, block uint32) []byte {
	const pieceIterations = 128 // about 50 µs
	prf.Reset()
	prf.Write(salt)
	prf.Write(binary.BigEndian.AppendUint32(nil, block))
	u := prf.Sum(nil)
	t := append([]byte(nil), u...)
	for i := uint32(1); i < iterations; i++ {
		prf.Reset()
		prf.Write(u)
		u = prf.Sum(u[:0])
		subtle.XORBytes(t, t, u)
		if i%pieceIterations == 0 {
			m.Pace()
		}
	}
	m.Pace()
	return t
}
