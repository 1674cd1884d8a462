package webcrypto

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"

	"switchyard/isolate/service"
)

// maxDER bounds a key that is parsed, in bytes.
const maxDER = 8 << 10

func parsePrivate(der []byte) (any, error) {
	if len(der) > maxDER {
		return nil, errKey
	}
	k, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errKey
	}
	return k, nil
}

// parsePublic knows compressed points, which Go's parser does not.
func parsePublic(der []byte) (any, error) {
	if len(der) > maxDER {
		return nil, errKey
	}
	if k, err := x509.ParsePKIXPublicKey(der); err == nil {
		return k, nil
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	var oid asn1.ObjectIdentifier
	if rest, err := asn1.Unmarshal(der, &info); err != nil || len(rest) > 0 {
		return nil, errKey
	}
	if _, err := asn1.Unmarshal(info.Algorithm.Parameters.FullBytes, &oid); err != nil || !info.Algorithm.Algorithm.Equal(oidEC) {
		return nil, errKey
	}
	curve, ok := curveOIDs[oid.String()]
	if !ok {
		return nil, errKey
	}
	k, err := publicPoint(curve, info.Key.RightAlign())
	if err != nil {
		return nil, errKey
	}
	return k, nil
}

var (
	oidEC     = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	curveOIDs = map[string]string{"1.2.840.10045.3.1.7": "P-256", "1.3.132.0.34": "P-384", "1.3.132.0.35": "P-521"}
)

func privateOf[K any](der []byte) (K, error) {
	k, err := parsePrivate(der)
	if err != nil {
		return *new(K), err
	}
	return k.(K), nil
}

func publicOf[K any](der []byte) (K, error) {
	k, err := parsePublic(der)
	if err != nil {
		return *new(K), err
	}
	return k.(K), nil
}

func marshalPrivate(k any) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	mustBe(err)
	return der
}

func marshalPublic(k any) []byte {
	der, err := x509.MarshalPKIXPublicKey(k)
	mustBe(err)
	return der
}

func mustBe(err error) {
	if err != nil {
		panic("BUG: webcrypto: a key of our own: " + err.Error())
	}
}

// importDER: 1 for PKCS #8 and 0 for SubjectPublicKeyInfo, the bytes.
func importDER(r *service.Request) (service.Answer, error) {
	parse := parsePublic
	if r.Number(0) == 1 {
		parse = parsePrivate
		r.Meter.Afford(privateRSA(len(r.Part(1)) * 2)) // a PKCS #8 has 4.5 bits for each of the modulus
	}
	k, err := parse(r.Part(1))
	if err != nil {
		return service.Answer{}, err
	}
	d := describe(k)
	if d == nil {
		return service.Answer{}, errKey
	}
	return answer(d)
}

// describe is what an import gives: the key as we keep it, what it is, and for RSA the modulus'
// length and the public exponent. nil: no key that Web Cryptography knows.
func describe(k any) []byte {
	switch k := k.(type) {
	case *rsa.PrivateKey:
		return describeRSA(marshalPrivate(k), &k.PublicKey, maxPrivate)
	case *rsa.PublicKey:
		return describeRSA(marshalPublic(k), k, maxModulus)
	case *ecdsa.PrivateKey, ed25519.PrivateKey, *ecdh.PrivateKey:
		if name := curveName(publicFrom(k)); name != "" {
			return fields(marshalPrivate(k), []byte(name))
		}
	case *ecdsa.PublicKey, ed25519.PublicKey, *ecdh.PublicKey:
		if name := curveName(k); name != "" {
			return fields(marshalPublic(k), []byte(name))
		}
	}
	return nil
}

func describeRSA(der []byte, k *rsa.PublicKey, maxBits int) []byte {
	if k.N.BitLen() > maxBits {
		return nil
	}
	bits := uint32(k.N.BitLen())
	return fields(der, []byte("RSA"), []byte{byte(bits), byte(bits >> 8), 0, 0}, big.NewInt(int64(k.E)).Bytes())
}

func publicFrom(k any) any {
	public := k.(interface{ Public() crypto.PublicKey }).Public()
	return public
}

// curveName is the curve of a public key, "" when it is none of ours.
func curveName(k any) string {
	switch k := k.(type) {
	case *ecdsa.PublicKey:
		if name := k.Curve.Params().Name; curves[name] != nil {
			return name
		}
	case ed25519.PublicKey:
		return "Ed25519"
	case *ecdh.PublicKey:
		if k.Curve() == ecdh.X25519() {
			return "X25519"
		}
	}
	return ""
}

// rawPublic is the uncompressed point, or the 32 bytes of an Edwards or Montgomery key.
func rawPublic(k any) []byte {
	switch k := k.(type) {
	case *ecdsa.PublicKey:
		b, err := k.Bytes()
		mustBe(err)
		return b
	case *ecdh.PublicKey:
		return k.Bytes()
	}
	return k.(ed25519.PublicKey)
}

// fieldsOf: 1 for a private key and 0 for a public one, the key. RSA's numbers, or a curve's
// public key and private scalar.
func fieldsOf(r *service.Request) (service.Answer, error) {
	if r.Number(0) == 0 {
		k, err := parsePublic(r.Part(1))
		if err != nil {
			return service.Answer{}, err
		}
		if k, ok := k.(*rsa.PublicKey); ok {
			return answer(fields(fieldsRSA(k)...))
		}
		return answer(fields(rawPublic(k)))
	}
	k, err := parsePrivate(r.Part(1))
	if err != nil {
		return service.Answer{}, err
	}
	if k, ok := k.(*rsa.PrivateKey); ok {
		return answer(fields(privateFieldsRSA(k)...))
	}
	return answer(fields(rawPublic(publicFrom(k)), rawPrivate(k)))
}

func rawPrivate(k any) []byte {
	switch k := k.(type) {
	case *ecdsa.PrivateKey:
		b, err := k.Bytes()
		mustBe(err)
		return b
	case *ecdh.PrivateKey:
		return k.Bytes()
	}
	return k.(ed25519.PrivateKey).Seed()
}
