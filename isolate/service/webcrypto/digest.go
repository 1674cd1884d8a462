package webcrypto

import (
	"crypto/hmac"
	"crypto/subtle"
	"hash"

	"switchyard/isolate/service"
)

// digest: hash, data.
func digest(r *service.Request) (service.Answer, error) {
	hash, data := hashOf(r.Part(0)), r.Part(1)
	return r.Do(func(m service.Meter) ([]byte, error) { return sum(m, hash, data), nil })
}

// hasherBytes is about what a hash's state is.
const hasherBytes = 512

// newDigest: hash. The object of a DigestStream.
func newDigest(r *service.Request) (service.Answer, error) {
	return service.Answer{Object: hashOf(r.Part(0)).New(), Held: hasherBytes}, nil
}

func updateDigest(r *service.Request) (service.Answer, error) {
	feed(r.Meter, hasherOf(r), r.Part(0))
	return service.Answer{}, nil
}

func endDigest(r *service.Request) (service.Answer, error) { return answer(hasherOf(r).Sum(nil)) }

func hasherOf(r *service.Request) hash.Hash {
	h, ok := r.Object.(hash.Hash)
	if !ok {
		panic("BUG: webcrypto: the object is no hash")
	}
	return h
}

// signHMAC: hash, key, data.
func signHMAC(r *service.Request) (service.Answer, error) {
	hash, key, data := hashOf(r.Part(0)), r.Part(1), r.Part(2)
	return r.Do(func(m service.Meter) ([]byte, error) {
		mac := hmac.New(hash.New, key)
		feed(m, mac, data)
		return mac.Sum(nil), nil
	})
}

// verifyHMAC: hash, key, data, signature.
func verifyHMAC(r *service.Request) (service.Answer, error) {
	hash, key, data, signature := hashOf(r.Part(0)), r.Part(1), r.Part(2), r.Part(3)
	return r.Do(func(m service.Meter) ([]byte, error) {
		mac := hmac.New(hash.New, key)
		feed(m, mac, data)
		return []byte{boolByte(hmac.Equal(mac.Sum(nil), signature))}, nil
	})
}

// equal: a, b of one length, compared in constant time.
func equal(r *service.Request) (service.Answer, error) {
	return truth(subtle.ConstantTimeCompare(r.Part(0), r.Part(1)) == 1)
}

func boolByte(ok bool) byte {
	if ok {
		return 1
	}
	return 0
}
