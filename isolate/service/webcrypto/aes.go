package webcrypto

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"

	"switchyard/isolate/service"
)

// A mode of AES ciphers data. iv is the initialisation vector, or the first counter block; number
// is the tag's length or the counter's, in bits; extra is data that is authenticated only.
type mode func(m service.Meter, block cipher.Block, data, iv []byte, number int, extra []byte) ([]byte, error)

var encryptModes = map[string]mode{"AES-CBC": sealCBC, "AES-CTR": xorCTR, "AES-GCM": sealGCM, "AES-KW": wrapKW}
var decryptModes = map[string]mode{"AES-CBC": openCBC, "AES-CTR": xorCTR, "AES-GCM": openGCM, "AES-KW": unwrapKW}

// encryptAES: name, key, data, iv, number, extra.
func encryptAES(r *service.Request) (service.Answer, error) { return cipherAES(r, encryptModes) }
func decryptAES(r *service.Request) (service.Answer, error) { return cipherAES(r, decryptModes) }

func cipherAES(r *service.Request, modes map[string]mode) (service.Answer, error) {
	run := modes[string(r.Part(0))]
	block, err := aes.NewCipher(r.Part(1))
	if run == nil || err != nil {
		panic("BUG: webcrypto: no such AES")
	}
	data, iv, number, extra := r.Part(2), r.Part(3), r.Number(4), r.Part(5)
	return r.Do(func(m service.Meter) ([]byte, error) { return run(m, block, data, iv, number, extra) })
}

// sealCBC pads as PKCS #7 does.
func sealCBC(m service.Meter, block cipher.Block, data, iv []byte, _ int, _ []byte) ([]byte, error) {
	pad := aes.BlockSize - len(data)%aes.BlockSize
	out := make([]byte, len(data)+pad)
	copy(out, data)
	for i := len(data); i < len(out); i++ {
		out[i] = byte(pad)
	}
	cryptBlocks(m, cipher.NewCBCEncrypter(block, iv), out)
	return out, nil
}

func openCBC(m service.Meter, block cipher.Block, data, iv []byte, _ int, _ []byte) ([]byte, error) {
	if len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, errOperation
	}
	out := append([]byte(nil), data...)
	cryptBlocks(m, cipher.NewCBCDecrypter(block, iv), out)
	n, ok := padding(out[len(out)-aes.BlockSize:])
	if !ok {
		return nil, errOperation
	}
	return out[:len(out)-n], nil
}

func cryptBlocks(m service.Meter, b cipher.BlockMode, data []byte) {
	for ; len(data) > piece; data = data[piece:] {
		b.CryptBlocks(data[:piece], data[:piece])
		m.Pace()
	}
	b.CryptBlocks(data, data)
}

// padding is how much of the last block is PKCS #7's.
func padding(last []byte) (n int, ok bool) {
	n = int(last[len(last)-1])
	if n == 0 || n > len(last) {
		return 0, false
	}
	for _, b := range last[len(last)-n:] {
		ok = int(b) == n
		if !ok {
			return 0, false
		}
	}
	return n, true
}

// xorCTR counts in the last bits of the block only: the counter wraps, the nonce before it stays.
//
//	┌── nonce: 128 − bits ──┬── counter: bits ──┐
func xorCTR(m service.Meter, block cipher.Block, data, counter []byte, bits int, _ []byte) ([]byte, error) {
	out := append([]byte(nil), data...)
	blocks := uint64(len(data)+aes.BlockSize-1) / aes.BlockSize
	if bits < 64 && blocks > 1<<bits {
		return nil, service.Fail("OperationError", "The counter is too short for the data.")
	}
	left := untilWrap(counter, bits)
	if left >= blocks {
		xorKeyStream(m, cipher.NewCTR(block, counter), out)
		return out, nil
	}
	xorKeyStream(m, cipher.NewCTR(block, counter), out[:left*aes.BlockSize])
	xorKeyStream(m, cipher.NewCTR(block, wrapped(counter, bits)), out[left*aes.BlockSize:])
	return out, nil
}

// untilWrap is how many blocks the counter has before it is 0 again, or a number that no data has.
func untilWrap(counter []byte, bits int) uint64 {
	const many = 1 << 60
	var value uint64
	for i := 0; i < bits; i++ { // bits from the counter's highest to its lowest
		at := 128 - bits + i
		zero := counter[at/8]>>(7-at%8)&1 == 0
		if zero && bits-i > 60 {
			return many // far from the end
		}
		value = value<<1 | uint64(boolByte(zero))
	}
	return value + 1
}

// wrapped is the block with its counter at 0.
func wrapped(counter []byte, bits int) []byte {
	block := append([]byte(nil), counter...)
	for at := 128 - bits; at < 128; at++ {
		block[at/8] &^= 1 << (7 - at%8)
	}
	return block
}

func xorKeyStream(m service.Meter, s cipher.Stream, data []byte) {
	for ; len(data) > piece; data = data[piece:] {
		s.XORKeyStream(data[:piece], data[:piece])
		m.Pace()
	}
	s.XORKeyStream(data, data)
}

func newGCM(block cipher.Block, iv []byte) (cipher.AEAD, error) {
	if len(iv) == 0 {
		return nil, errOperation
	}
	gcm, err := cipher.NewGCMWithNonceSize(block, len(iv))
	if err != nil {
		return nil, errOperation
	}
	return gcm, nil
}

const gcmTag = 16 // bytes of the whole tag

func sealGCM(m service.Meter, block cipher.Block, data, iv []byte, tagBits int, extra []byte) ([]byte, error) {
	gcm, err := newGCM(block, iv)
	if err != nil {
		return nil, err
	}
	m.Afford(bulk(len(data) + len(extra)))
	sealed := gcm.Seal(nil, iv, data, extra)
	return sealed[:len(data)+tagBits/8], nil
}

// openGCM knows short tags, which Go's AEAD does not: sealing what is sealed gives the text (the
// key stream is the same), and sealing that gives the tag to compare.
func openGCM(m service.Meter, block cipher.Block, data, iv []byte, tagBits int, extra []byte) ([]byte, error) {
	gcm, err := newGCM(block, iv)
	if err != nil {
		return nil, err
	}
	n := len(data) - tagBits/8
	if n < 0 {
		return nil, errOperation
	}
	m.Afford(bulk(len(data) + len(extra)))
	if tagBits == gcmTag*8 {
		text, err := gcm.Open(nil, iv, data, extra)
		if err != nil {
			return nil, errOperation
		}
		return text, nil
	}
	text := gcm.Seal(nil, iv, data[:n], nil)[:n]
	tag := gcm.Seal(nil, iv, text, extra)[n:]
	if subtle.ConstantTimeCompare(tag[:tagBits/8], data[n:]) != 1 {
		return nil, errOperation
	}
	return text, nil
}
