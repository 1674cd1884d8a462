package nodecrypto

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"encoding/asn1"
	"math/big"
	"time"

	"switchyard/isolate/service"
)

var hashes = map[string]crypto.Hash{
	"sha1": crypto.SHA1, "sha224": crypto.SHA224, "sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512,
	"sha512-224": crypto.SHA512_224, "sha512-256": crypto.SHA512_256,
	"sha3-224": crypto.SHA3_224, "sha3-256": crypto.SHA3_256, "sha3-384": crypto.SHA3_384, "sha3-512": crypto.SHA3_512,
}

// What the operations take, to be refused beforehand by who cannot afford it.
const (
	publicWork  = 200 * time.Microsecond
	hashedBytes = 3 * time.Nanosecond
)

// digest hashes the data. A key that hashes itself names none.
func digest(name string, data []byte) (crypto.Hash, []byte, error) {
	h, ok := hashes[name]
	if !ok {
		return 0, nil, service.Fail("Error", "error:03000086:digital envelope routines::initialization error")
	}
	w := h.New()
	w.Write(data)
	return h, w.Sum(nil), nil
}

func sign(r *service.Request) ([]byte, error) {
	key, err := private(r.Part(0))
	if err != nil {
		return nil, err
	}
	data := r.Part(5)
	r.Meter.Afford(time.Duration(len(data)) * hashedBytes)
	if k, ok := key.(ed25519.PrivateKey); ok {
		return ed25519.Sign(k, data), nil
	}
	h, sum, err := digest(string(r.Part(1)), data)
	if err != nil {
		return nil, err
	}
	var signature []byte
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if string(r.Part(2)) == "pss" {
			signature, err = rsa.SignPSS(rand.Reader, k, h, sum, &rsa.PSSOptions{SaltLength: saltLength(r.Number(3), rsa.PSSSaltLengthAuto)})
		} else {
			signature, err = rsa.SignPKCS1v15(nil, k, h, sum)
		}
	case *ecdsa.PrivateKey:
		if signature, err = ecdsa.SignASN1(rand.Reader, k, sum); err == nil && string(r.Part(4)) == "ieee-p1363" {
			signature, err = flat(signature, size(k.Curve.Params().BitSize))
		}
	default:
		return nil, service.Fail("Error", "error:03000096:digital envelope routines::operation not supported for this keytype")
	}
	if err != nil {
		return nil, service.Fail("Error", "error:0200006E:rsa routines::data too large for key size")
	}
	return signature, nil
}

func verify(r *service.Request) ([]byte, error) {
	key, err := public(r.Part(0))
	if err != nil {
		return nil, err
	}
	data, signature := r.Part(5), r.Part(6)
	r.Meter.Afford(publicWork + time.Duration(len(data))*hashedBytes)
	if k, ok := key.(ed25519.PublicKey); ok {
		return truth(ed25519.Verify(k, data, signature)), nil
	}
	h, sum, err := digest(string(r.Part(1)), data)
	if err != nil {
		return nil, err
	}
	switch k := key.(type) {
	case *rsa.PublicKey:
		if string(r.Part(2)) == "pss" {
			return truth(rsa.VerifyPSS(k, h, sum, signature, &rsa.PSSOptions{SaltLength: saltLength(r.Number(3), rsa.PSSSaltLengthAuto)}) == nil), nil
		}
		return truth(rsa.VerifyPKCS1v15(k, h, sum, signature) == nil), nil
	case *ecdsa.PublicKey:
		if string(r.Part(4)) == "ieee-p1363" {
			if signature, err = asn1Of(signature, size(k.Curve.Params().BitSize)); err != nil {
				return truth(false), nil
			}
		}
		return truth(ecdsa.VerifyASN1(k, sum, signature)), nil
	}
	return nil, service.Fail("Error", "error:03000096:digital envelope routines::operation not supported for this keytype")
}

func truth(ok bool) []byte {
	if ok {
		return []byte{1}
	}
	return []byte{0}
}

// saltLength translates Node's RSA_PSS_SALTLEN_DIGEST (-1), _AUTO and _MAX_SIGN (-2).
func saltLength(n, auto int) int {
	switch {
	case n == -1:
		return rsa.PSSSaltLengthEqualsHash
	case n < 0:
		return auto
	}
	return n
}

func size(bits int) int { return (bits + 7) / 8 }

type pair struct{ R, S *big.Int }

// flat and asn1Of translate between the two encodings of an ECDSA signature.
func flat(signature []byte, size int) ([]byte, error) {
	var p pair
	if _, err := asn1.Unmarshal(signature, &p); err != nil {
		return nil, err
	}
	return append(p.R.FillBytes(make([]byte, size)), p.S.FillBytes(make([]byte, size))...), nil
}

func asn1Of(signature []byte, size int) ([]byte, error) {
	if len(signature) != 2*size {
		return nil, asn1.SyntaxError{Msg: "length"}
	}
	return asn1.Marshal(pair{new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])})
}

func encrypt(r *service.Request) ([]byte, error) {
	key, err := public(r.Part(0))
	k, ok := key.(*rsa.PublicKey)
	if err != nil || !ok {
		return nil, decoderFailure()
	}
	r.Meter.Afford(publicWork)
	var out []byte
	if string(r.Part(1)) == "oaep" {
		h, known := hashes[string(r.Part(2))]
		if !known {
			return nil, service.Fail("Error", "Invalid digest")
		}
		out, err = rsa.EncryptOAEP(h.New(), rand.Reader, k, r.Part(4), r.Part(3))
	} else {
		//lint:ignore SA1019 RSA_PKCS1_PADDING is what the caller chose
		out, err = rsa.EncryptPKCS1v15(rand.Reader, k, r.Part(4))
	}
	if err != nil {
		return nil, service.Fail("Error", "error:0200006E:rsa routines::data too large for key size")
	}
	return out, nil
}

func decrypt(r *service.Request) ([]byte, error) {
	key, err := private(r.Part(0))
	k, ok := key.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, decoderFailure()
	}
	var out []byte
	if string(r.Part(1)) == "oaep" {
		h, known := hashes[string(r.Part(2))]
		if !known {
			return nil, service.Fail("Error", "Invalid digest")
		}
		out, err = rsa.DecryptOAEP(h.New(), nil, k, r.Part(4), r.Part(3))
	} else {
		//lint:ignore SA1019 RSA_PKCS1_PADDING is what the caller chose
		out, err = rsa.DecryptPKCS1v15(nil, k, r.Part(4))
	}
	if err != nil {
		return nil, service.Fail("Error", "error:02000079:rsa routines::oaep decoding error")
	}
	return out, nil
}
