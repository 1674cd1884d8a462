// Package nodehash is what node:crypto's Hash and Hmac do: hashes by the names that Node has for
// them, of data that is there, or piece by piece.
package nodehash

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"hash"

	"switchyard/isolate/service"
)

// Methods, as nodelib/hash.mjs numbers them. A key of no bytes is one, so a part says whether there is any.
const (
	methodSum    = 1 // algorithm, keyed, key, data -> bytes
	methodNew    = 2 // algorithm, keyed, key -> object
	methodUpdate = 3 // object; data
	methodDigest = 4 // object -> bytes
	methodCopy   = 5 // object without a key -> object
)

// algorithms by Node's names, in lower case.
var algorithms = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New,
	"sha224": sha256.New224, "sha256": sha256.New,
	"sha384": sha512.New384, "sha512": sha512.New, "sha512-224": sha512.New512_224, "sha512-256": sha512.New512_256,
	"sha3-224": func() hash.Hash { return sha3.New224() }, "sha3-256": func() hash.Hash { return sha3.New256() },
	"sha3-384": func() hash.Hash { return sha3.New384() }, "sha3-512": func() hash.Hash { return sha3.New512() },
}

// hasherBytes is about what a hash's state is, and an HMAC's two.
const hasherBytes = 1024

// Serve answers one request.
func Serve(r *service.Request) (service.Answer, error) {
	switch r.Method {
	case methodSum:
		h := newHash(r)
		feed(h, r.Part(3), r.Meter)
		return service.Answer{Bytes: h.Sum(nil)}, nil
	case methodNew:
		return service.Answer{Object: newHash(r), Held: hasherBytes}, nil
	case methodUpdate:
		feed(r.Object.(hash.Hash), r.Part(0), r.Meter)
		return service.Answer{}, nil
	case methodDigest:
		return service.Answer{Bytes: r.Object.(hash.Hash).Sum(nil)}, nil
	case methodCopy:
		return copyOf(r.Object.(hash.Hash))
	}
	panic("BUG: nodehash: nodelib/hash.mjs asks for a method that there is not")
}

func newHash(r *service.Request) hash.Hash {
	algorithm := algorithms[string(r.Part(0))]
	if algorithm == nil {
		panic("BUG: nodehash: nodelib/hash.mjs lists an algorithm that there is not")
	}
	if r.Number(1) != 0 {
		return hmac.New(algorithm, r.Part(2))
	}
	return algorithm()
}

func copyOf(h hash.Hash) (service.Answer, error) {
	c, ok := h.(hash.Cloner)
	if !ok {
		return service.Answer{}, service.Fail("TypeError", "This hash cannot be copied.")
	}
	copied, err := c.Clone()
	if err != nil {
		return service.Answer{}, service.Fail("TypeError", "This hash cannot be copied.")
	}
	return service.Answer{Object: copied, Held: hasherBytes}, nil
}

// piece is what is hashed before the caller's time is looked at: some 100 µs.
const piece = 64 << 10

func feed(h hash.Hash, data []byte, m service.Meter) {
	for len(data) > piece {
		h.Write(data[:piece])
		data = data[piece:]
		m.Pace()
	}
	h.Write(data)
}
