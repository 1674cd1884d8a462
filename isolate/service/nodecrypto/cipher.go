package nodecrypto

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"regexp"
	"strconv"
	"time"

	"switchyard/isolate/service"
)

// stream is a cipher that is given its data piece by piece.
type stream interface {
	update(data []byte, m service.Meter) ([]byte, error)
	final(pads bool, tag []byte) ([]byte, error)
	extra(data []byte) error
	tag() ([]byte, error)
}

var cipherName = regexp.MustCompile(`^(?:id-)?aes-?(128|192|256)-(cbc|ecb|ctr|gcm)$`)

// cipherBytes is about what a cipher's state is.
const cipherBytes = 2048

// cipheredByte is what a byte takes.
const cipheredByte = 2 * time.Nanosecond

func newCipher(r *service.Request) (service.Answer, error) {
	m := cipherName.FindStringSubmatch(string(r.Part(0)))
	if m == nil {
		return service.Answer{}, service.Fail("Error", "Unknown cipher")
	}
	key, iv := bytes.Clone(r.Part(2)), bytes.Clone(r.Part(3))
	if bits, _ := strconv.Atoi(m[1]); len(key)*8 != bits {
		return service.Answer{}, service.Fail("RangeError", "Invalid key length")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("BUG: nodecrypto: " + err.Error())
	}
	s, err := newStream(block, m[2], r.Number(1) != 0, iv, r.Number(4))
	return service.Answer{Object: s, Held: cipherBytes}, err
}

func newStream(block cipher.Block, mode string, decrypts bool, iv []byte, tagLength int) (stream, error) {
	invalid := service.Fail("TypeError", "Invalid initialization vector")
	if mode == "gcm" {
		if len(iv) == 0 {
			return nil, invalid
		}
		return newGCM(block, decrypts, iv, tagLength)
	}
	if want := map[string]int{"ecb": 0, "cbc": aes.BlockSize, "ctr": aes.BlockSize}[mode]; len(iv) != want {
		return nil, invalid
	}
	switch {
	case mode == "ctr":
		return &counted{cipher.NewCTR(block, iv)}, nil
	case mode == "ecb":
		return &blocks{crypt: ecb{block, decrypts}, decrypts: decrypts}, nil
	case decrypts:
		return &blocks{crypt: cipher.NewCBCDecrypter(block, iv), decrypts: true}, nil
	}
	return &blocks{crypt: cipher.NewCBCEncrypter(block, iv)}, nil
}

func noTag() error { return service.Fail("Error", "Invalid state for operation getAuthTag") }

// plain has no authentication.
type plain struct{}

func (plain) extra([]byte) error   { return service.Fail("Error", "Invalid state for operation setAAD") }
func (plain) tag() ([]byte, error) { return nil, noTag() }

// counted is CTR.
type counted struct{ cipher.Stream }

func (counted) extra(data []byte) error { return plain{}.extra(data) }
func (counted) tag() ([]byte, error)    { return nil, noTag() }

func (c *counted) update(data []byte, m service.Meter) ([]byte, error) {
	m.Afford(time.Duration(len(data)) * cipheredByte)
	out := make([]byte, len(data))
	c.XORKeyStream(out, data)
	return out, nil
}

func (c *counted) final(bool, []byte) ([]byte, error) { return nil, nil }

// blocks is CBC or ECB: whole blocks go on, and deciphering keeps the last one back, which ends in the padding.
type blocks struct {
	plain
	crypt    cipher.BlockMode
	decrypts bool
	rest     []byte
}

func (b *blocks) update(data []byte, m service.Meter) ([]byte, error) {
	m.Afford(time.Duration(len(data)) * cipheredByte)
	b.rest = append(b.rest, data...)
	n := len(b.rest) / aes.BlockSize * aes.BlockSize
	if b.decrypts && n == len(b.rest) && n > 0 {
		n -= aes.BlockSize
	}
	out := make([]byte, n)
	b.crypt.CryptBlocks(out, b.rest[:n])
	b.rest = append([]byte(nil), b.rest[n:]...)
	return out, nil
}

func (b *blocks) final(pads bool, _ []byte) ([]byte, error) {
	if !b.decrypts && pads {
		n := aes.BlockSize - len(b.rest)%aes.BlockSize
		b.rest = append(b.rest, bytes.Repeat([]byte{byte(n)}, n)...)
	}
	if len(b.rest)%aes.BlockSize != 0 || (b.decrypts && pads && len(b.rest) == 0) {
		return nil, service.Fail("Error", "error:1C80006B:Provider routines::wrong final block length")
	}
	out := make([]byte, len(b.rest))
	b.crypt.CryptBlocks(out, b.rest)
	if b.decrypts && pads {
		return unpadded(out)
	}
	return out, nil
}

func unpadded(data []byte) ([]byte, error) {
	n := int(data[len(data)-1])
	if n == 0 || n > aes.BlockSize || !bytes.Equal(data[len(data)-n:], bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, service.Fail("Error", "error:1C800064:Provider routines::bad decrypt")
	}
	return data[:len(data)-n], nil
}

// ecb is the mode that Go has none for.
type ecb struct {
	cipher.Block
	decrypts bool
}

func (e ecb) CryptBlocks(to, from []byte) {
	for i := 0; i < len(from); i += aes.BlockSize {
		if e.decrypts {
			e.Decrypt(to[i:], from[i:])
		} else {
			e.Encrypt(to[i:], from[i:])
		}
	}
}

// gcm gives its bytes out at once, by the counter mode that is in it, and keeps them for the tag, which Go's own
// makes of the whole. So what goes through one is bounded.
type gcm struct {
	aead      cipher.AEAD
	counter   cipher.Stream // nil: the nonce is not of twelve bytes, and all comes at the end
	decrypts  bool
	iv        []byte
	tagLength int
	text      []byte // what has been given
	aad       []byte
	sum       []byte // the tag
}

const (
	maxGCM    = 32 << 20 // bytes
	nonceSize = 12
	tagSize   = 16
)

func newGCM(block cipher.Block, decrypts bool, iv []byte, tagLength int) (stream, error) {
	if tagLength == 0 {
		tagLength = tagSize
	}
	if tagLength != 4 && tagLength != 8 && (tagLength < 12 || tagLength > tagSize) {
		return nil, service.Fail("TypeError", "Invalid authentication tag length: "+strconv.Itoa(tagLength))
	}
	aead, err := cipher.NewGCMWithNonceSize(block, len(iv))
	if err != nil {
		return nil, service.Fail("TypeError", "Invalid initialization vector")
	}
	g := &gcm{aead: aead, decrypts: decrypts, iv: iv, tagLength: tagLength}
	if len(iv) == nonceSize {
		g.counter = cipher.NewCTR(block, binary.BigEndian.AppendUint32(bytes.Clone(iv), 2))
	}
	return g, nil
}

func (g *gcm) extra(data []byte) error {
	g.aad = append(g.aad, data...)
	return nil
}

func (g *gcm) update(data []byte, m service.Meter) ([]byte, error) {
	m.Afford(time.Duration(len(data)) * cipheredByte)
	if len(g.text)+len(data) > maxGCM {
		return nil, service.Fail("RangeError", "Too much data for one GCM cipher (limit 32 MiB).")
	}
	g.text = append(g.text, data...)
	if g.counter == nil {
		return nil, nil
	}
	out := make([]byte, len(data))
	g.counter.XORKeyStream(out, data)
	return out, nil
}

func (g *gcm) final(_ bool, tag []byte) ([]byte, error) {
	if g.decrypts {
		return g.open(tag)
	}
	sealed := g.aead.Seal(nil, g.iv, g.text, g.aad)
	g.sum = sealed[len(g.text):][:g.tagLength]
	if g.counter == nil {
		return sealed[:len(g.text)], nil
	}
	return nil, nil
}

// open deciphers with what the tag should be computed anew: a tag may be shorter than Go's own takes.
func (g *gcm) open(tag []byte) ([]byte, error) {
	plain := g.aead.Seal(nil, g.iv, g.text, nil)[:len(g.text)] // the counter mode is its own inverse
	sum := g.aead.Seal(nil, g.iv, plain, g.aad)[len(g.text):]
	if len(tag) == 0 || len(tag) > tagSize || subtle.ConstantTimeCompare(sum[:len(tag)], tag) != 1 {
		return nil, service.Fail("Error", "Unsupported state or unable to authenticate data")
	}
	if g.counter == nil {
		return plain, nil
	}
	return nil, nil
}

func (g *gcm) tag() ([]byte, error) {
	if g.sum == nil {
		return nil, noTag()
	}
	return g.sum, nil
}
