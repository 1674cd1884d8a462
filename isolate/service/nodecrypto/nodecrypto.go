// Package nodecrypto is what node:crypto's keys, signatures and ciphers do, by Node's names. Keys come and go
// as DER: PKCS #8 and SPKI.
package nodecrypto

import (
	"time"

	"golang.org/x/crypto/scrypt"

	"switchyard/isolate/service"
)

// Methods, as nodelib/keys.mjs and its neighbours number them.
const (
	methodImport   = 1  // key in PEM or DER, format, type -> JSON: importedKey
	methodExport   = 2  // DER, "private" or "public", format, type -> bytes
	methodPublic   = 3  // private DER -> public DER
	methodSign     = 4  // private DER, hash, scheme, salt length, DSA encoding, data -> signature
	methodVerify   = 5  // public DER, hash, scheme, salt length, DSA encoding, data, signature -> one byte
	methodEncrypt  = 6  // public DER, padding, hash, label, data -> bytes
	methodDecrypt  = 7  // private DER, padding, hash, label, data -> bytes
	methodGenerate = 8  // type, curve or bits -> private DER
	methodCipher   = 9  // name, decrypts, key, iv, tag length -> object
	methodUpdate   = 10 // object; data -> bytes
	methodFinal    = 11 // object; pads, tag -> bytes
	methodExtra    = 12 // object; additional data
	methodTag      = 13 // object -> tag
	methodScrypt   = 14 // password, salt, N, r, p, length -> bytes
	methodAgree    = 15 // private DER, public DER -> shared secret
)

// Serve answers one request.
func Serve(r *service.Request) (a service.Answer, err error) {
	if r.Method <= methodVerify || r.Method == methodDecrypt {
		r.Meter.Afford(keyWork(len(r.Part(0))))
	}
	switch r.Method {
	case methodImport:
		a.Bytes, err = importKey(r.Part(0), string(r.Part(1)), string(r.Part(2)))
	case methodExport:
		a.Bytes, err = exportKey(r.Part(0), string(r.Part(1)), string(r.Part(2)), string(r.Part(3)))
	case methodPublic:
		a.Bytes, err = publicOf(r.Part(0))
	case methodSign:
		a.Bytes, err = sign(r)
	case methodVerify:
		a.Bytes, err = verify(r)
	case methodEncrypt:
		a.Bytes, err = encrypt(r)
	case methodDecrypt:
		a.Bytes, err = decrypt(r)
	case methodGenerate:
		a.Bytes, err = generate(r)
	case methodCipher:
		return newCipher(r)
	case methodUpdate:
		a.Bytes, err = r.Object.(stream).update(r.Part(0), r.Meter)
	case methodFinal:
		a.Bytes, err = r.Object.(stream).final(r.Number(0) != 0, r.Part(1))
	case methodExtra:
		err = r.Object.(stream).extra(r.Part(0))
	case methodTag:
		a.Bytes, err = r.Object.(stream).tag()
	case methodScrypt:
		a.Bytes, err = derive(r)
	case methodAgree:
		a.Bytes, err = agree(r)
	default:
		panic("BUG: nodecrypto: nodelib asks for a method that there is not")
	}
	return a, err
}

// keyWork is about what an operation with a private RSA key takes, and its checks: cubic in its length, which is a
// sixth of its text's bits.
func keyWork(size int) time.Duration {
	k := time.Duration(min(size, maxKey))
	return 3 * time.Millisecond * k / 1200 * k / 1200 * k / 1200
}

// maxScrypt is the memory that scrypt may take: 128·N·r bytes. It is Node's default for maxmem.
const maxScrypt = 32 << 20

func derive(r *service.Request) ([]byte, error) {
	n, block, parallel, length := r.Number(2), r.Number(3), r.Number(4), r.Number(5)
	const invalid = "Invalid scrypt params"
	if n < 2 || block < 1 || parallel < 1 || length < 0 || length > 1<<20 || parallel > 1<<10 || block > 1<<16 || n > maxScrypt/128 {
		return nil, service.Fail("RangeError", invalid)
	}
	if 128*n*block > maxScrypt {
		return nil, service.Fail("RangeError", invalid+": memory limit exceeded")
	}
	r.Meter.Afford(time.Duration(n*block*parallel) * 500 * time.Nanosecond)
	key, err := scrypt.Key(r.Part(0), r.Part(1), n, block, parallel, length)
	if err != nil {
		return nil, service.Fail("RangeError", invalid)
	}
	return key, nil
}
