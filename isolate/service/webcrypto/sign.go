package webcrypto

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"math/big"

	"switchyard/isolate/service"
)

// sign: algorithm, hash, private key, data, salt length. ECDSA and PSS are random, and so not for
// module scope.
func sign(r *service.Request) (service.Answer, error) {
	name, hash, key, data, salt := string(r.Part(0)), r.Part(1), r.Part(2), r.Part(3), r.Number(4)
	source, err := random(r)
	if err != nil && name != "Ed25519" && name != "RSASSA-PKCS1-v1_5" {
		return service.Answer{}, err
	}
	return r.Do(func(m service.Meter) ([]byte, error) {
		private, err := parsePrivate(key)
		if err != nil {
			return nil, err
		}
		var signature []byte
		switch k := private.(type) {
		case ed25519.PrivateKey:
			m.Afford(bulk(4 * len(data)))
			return ed25519.Sign(k, data), nil
		case *ecdsa.PrivateKey:
			var x, y *big.Int
			if x, y, err = ecdsa.Sign(source, k, sum(m, hashOf(hash), data)); err == nil {
				n := curveBytes(k.Curve)
				signature = append(x.FillBytes(make([]byte, n)), y.FillBytes(make([]byte, n))...)
			}
		case *rsa.PrivateKey:
			h := hashOf(hash)
			digest := sum(m, h, data)
			m.Afford(privateRSA(k.N.BitLen()))
			switch {
			case name == "RSASSA-PKCS1-v1_5":
				signature, err = rsa.SignPKCS1v15(nil, k, h, digest)
			case salt == 0:
				signature, err = signUnsalted(k, h, digest)
			default:
				signature, err = rsa.SignPSS(source, k, h, digest, &rsa.PSSOptions{SaltLength: salt})
			}
		}
		if err != nil {
			return nil, errOperation
		}
		return signature, nil
	})
}

// verify: algorithm, hash, public key, data, salt length, signature.
func verify(r *service.Request) (service.Answer, error) {
	name, hash, key, data, salt, signature := string(r.Part(0)), r.Part(1), r.Part(2), r.Part(3), r.Number(4), r.Part(5)
	return r.Do(func(m service.Meter) ([]byte, error) {
		public, err := parsePublic(key)
		if err != nil {
			return nil, err
		}
		ok := false
		switch k := public.(type) {
		case ed25519.PublicKey:
			m.Afford(bulk(4 * len(data)))
			ok = ed25519.Verify(k, data, signature)
		case *ecdsa.PublicKey:
			ok = verifyECDSA(k, sum(m, hashOf(hash), data), signature)
		case *rsa.PublicKey:
			h := hashOf(hash)
			digest := sum(m, h, data)
			m.Afford(publicRSA(k.N.BitLen()))
			ok = verifyRSA(name, k, h, digest, signature, salt)
		}
		return []byte{boolByte(ok)}, nil
	})
}

func verifyECDSA(k *ecdsa.PublicKey, digest, signature []byte) bool {
	n := curveBytes(k.Curve)
	if len(signature) != 2*n {
		return false
	}
	return ecdsa.Verify(k, digest, new(big.Int).SetBytes(signature[:n]), new(big.Int).SetBytes(signature[n:]))
}

func verifyRSA(name string, k *rsa.PublicKey, h crypto.Hash, digest, signature []byte, salt int) bool {
	switch {
	case name == "RSASSA-PKCS1-v1_5":
		return rsa.VerifyPKCS1v15(k, h, digest, signature) == nil
	case salt == 0:
		return verifyUnsalted(k, h, digest, signature)
	}
	return rsa.VerifyPSS(k, h, digest, signature, &rsa.PSSOptions{SaltLength: salt}) == nil
}
