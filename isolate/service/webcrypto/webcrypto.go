// Package webcrypto is the arithmetic under crypto.subtle, on Go's crypto. The prelude does what
// Web Cryptography says about names, dictionaries and usages; this does the rest.
//
// Keys are bytes of the guest: a secret's own, PKCS #8 of a private key, SubjectPublicKeyInfo of a
// public one, each as Go writes it. So a key that module scope imports is part of the snapshot.
package webcrypto

import (
	"crypto"
	_ "crypto/md5" // the hashes of Workers' digest
	"crypto/rand"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/binary"
	"io"

	"switchyard/isolate/service"
)

// methods by number; the prelude's 73-cryptohost.js has the same list.
var methods = map[uint32]service.Service{
	1: digest, 2: newDigest, 3: updateDigest, 4: endDigest,
	5: signHMAC, 6: verifyHMAC,
	7: encryptAES, 8: decryptAES,
	9: sign, 10: verify,
	11: encryptOAEP, 12: decryptOAEP,
	13: generateRSA, 14: generateCurve,
	15: importDER, 16: importRaw, 17: importRSA, 18: importCurve,
	19: fieldsOf,
	20: agree, 21: hkdfBits, 22: pbkdf2Bits,
	23: equal,
}

// Serve is the service.
func Serve(r *service.Request) (service.Answer, error) {
	method := methods[r.Method]
	if method == nil {
		panic("BUG: webcrypto: no such method")
	}
	return method(r)
}

// piece is how many bytes are hashed or ciphered between two looks at the request's time.
const piece = 64 << 10

var (
	errOperation = service.Fail("OperationError", "The operation failed.")
	errKey       = service.Fail("DataError", "The key's data is not valid.")
	errScope     = service.Fail("Error", "Random values cannot be generated within global scope. Perform this operation within a handler.")
)

func answer(b []byte) (service.Answer, error) { return service.Answer{Bytes: b}, nil }

func truth(ok bool) (service.Answer, error) {
	if ok {
		return answer([]byte{1})
	}
	return answer([]byte{0})
}

// fields are byte strings, each behind a u32 of its length.
func fields(list ...[]byte) []byte {
	var all []byte
	for _, f := range list {
		all = append(binary.LittleEndian.AppendUint32(all, uint32(len(f))), f...)
	}
	return all
}

// hashOf is the hash of a Web Cryptography name. The prelude lets no other through.
func hashOf(name []byte) crypto.Hash {
	switch string(name) {
	case "MD5":
		return crypto.MD5
	case "SHA-1":
		return crypto.SHA1
	case "SHA-256":
		return crypto.SHA256
	case "SHA-384":
		return crypto.SHA384
	case "SHA-512":
		return crypto.SHA512
	}
	panic("BUG: webcrypto: no such hash")
}

// feed writes data in pieces.
func feed(m service.Meter, w io.Writer, data []byte) {
	for len(data) > piece {
		w.Write(data[:piece])
		data = data[piece:]
		m.Pace()
	}
	w.Write(data)
}

func sum(m service.Meter, hash crypto.Hash, data []byte) []byte {
	h := hash.New()
	feed(m, h, data)
	return h.Sum(nil)
}

// random is the source for a request that may have one.
func random(r *service.Request) (io.Reader, error) {
	if r.Scope {
		return nil, errScope
	}
	return rand.Reader, nil
}
