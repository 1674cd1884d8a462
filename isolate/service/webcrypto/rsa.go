package webcrypto

import (
	"crypto/rsa"
	"math/big"

	"switchyard/isolate/service"
)

const (
	minModulus = 1024 // bits of an RSA key
	maxModulus = 8192 // of a public one
	maxPrivate = 4096 // of a private one: an operation takes 5 ms then, 140 ms with 8192, and cannot be interrupted
)

// encryptOAEP: hash, public key, data, label.
func encryptOAEP(r *service.Request) (service.Answer, error) {
	source, err := random(r)
	if err != nil {
		return service.Answer{}, err
	}
	k, err := publicOf[*rsa.PublicKey](r.Part(1))
	if err != nil {
		return service.Answer{}, err
	}
	r.Meter.Afford(publicRSA(k.N.BitLen()))
	b, err := rsa.EncryptOAEP(hashOf(r.Part(0)).New(), source, k, r.Part(2), r.Part(3))
	if err != nil {
		return service.Answer{}, errOperation
	}
	return answer(b)
}

// decryptOAEP: hash, private key, data, label.
func decryptOAEP(r *service.Request) (service.Answer, error) {
	hash, key, data, label := hashOf(r.Part(0)), r.Part(1), r.Part(2), r.Part(3)
	return r.Do(func(m service.Meter) ([]byte, error) {
		k, err := privateOf[*rsa.PrivateKey](key)
		if err != nil {
			return nil, err
		}
		m.Afford(privateRSA(k.N.BitLen()))
		b, err := rsa.DecryptOAEP(hash.New(), nil, k, data, label)
		if err != nil {
			return nil, errOperation
		}
		return b, nil
	})
}

// generateRSA: bits, public exponent. Go makes keys with the usual exponent only.
func generateRSA(r *service.Request) (service.Answer, error) {
	bits, exponent := r.Number(0), new(big.Int).SetBytes(r.Part(1))
	switch {
	case bits < minModulus || bits > maxPrivate || bits%8 != 0:
		return service.Answer{}, service.Fail("OperationError", "The modulus length must be a multiple of 8 from 1024 to 4096.")
	case exponent.Cmp(big.NewInt(65537)) != 0:
		return service.Answer{}, service.Fail("OperationError", "The public exponent must be 65537.")
	}
	source, err := random(r)
	if err != nil {
		return service.Answer{}, err
	}
	return r.Do(func(m service.Meter) ([]byte, error) {
		m.Afford(newRSA(bits))
		k, err := rsa.GenerateKey(source, bits)
		if err != nil {
			return nil, errOperation
		}
		m.Pace()
		return fields(marshalPrivate(k), marshalPublic(&k.PublicKey)), nil
	})
}

// importRSA: n, e and for a private key d, p, q.
func importRSA(r *service.Request) (service.Answer, error) {
	for _, part := range r.Parts {
		if len(part) > maxModulus/8 {
			return service.Answer{}, errKey
		}
	}
	n, e := number(r.Part(0)), number(r.Part(1))
	if !e.IsInt64() || e.Int64() >= 1<<31 || e.Int64() < 3 || n.BitLen() > maxModulus || n.BitLen() < 512 {
		return service.Answer{}, errKey
	}
	public := rsa.PublicKey{N: n, E: int(e.Int64())}
	if len(r.Parts) == 2 {
		return answer(describe(&public))
	}
	if n.BitLen() > maxPrivate {
		return service.Answer{}, errKey
	}
	k := &rsa.PrivateKey{PublicKey: public, D: number(r.Part(2)), Primes: []*big.Int{number(r.Part(3)), number(r.Part(4))}}
	r.Meter.Afford(privateRSA(n.BitLen()))
	k.Precompute()
	if k.Validate() != nil {
		return service.Answer{}, errKey
	}
	return answer(describe(k))
}

func number(b []byte) *big.Int { return new(big.Int).SetBytes(b) }

// fieldsRSA are a JSON Web Key's: n, e, then d, p, q, dp, dq, qi.
func fieldsRSA(k *rsa.PublicKey) [][]byte {
	return [][]byte{k.N.Bytes(), big.NewInt(int64(k.E)).Bytes()}
}

func privateFieldsRSA(k *rsa.PrivateKey) [][]byte {
	k.Precompute()
	p := k.Precomputed
	return append(fieldsRSA(&k.PublicKey), k.D.Bytes(), k.Primes[0].Bytes(), k.Primes[1].Bytes(), p.Dp.Bytes(), p.Dq.Bytes(), p.Qinv.Bytes())
}
