package webcrypto

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/subtle"

	"switchyard/isolate/service"
)

var curves = map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}

func curveBytes(c elliptic.Curve) int { return (c.Params().BitSize + 7) / 8 }

// generateCurve: curve.
func generateCurve(r *service.Request) (service.Answer, error) {
	source, err := random(r)
	if err != nil {
		return service.Answer{}, err
	}
	var private, public any
	switch name := string(r.Part(0)); name {
	case "Ed25519":
		public, private, err = generateEd25519()
	case "X25519":
		var k *ecdh.PrivateKey
		if k, err = ecdh.X25519().GenerateKey(source); err == nil {
			private, public = k, k.PublicKey()
		}
	default:
		var k *ecdsa.PrivateKey
		if k, err = ecdsa.GenerateKey(curves[name], source); err == nil {
			private, public = k, &k.PublicKey
		}
	}
	if err != nil {
		return service.Answer{}, errOperation
	}
	return answer(fields(marshalPrivate(private), marshalPublic(public)))
}

func generateEd25519() (public, private any, err error) { return ed25519.GenerateKey(nil) }

// importRaw: curve, the public key's bytes; a point may be compressed.
func importRaw(r *service.Request) (service.Answer, error) {
	k, err := publicPoint(string(r.Part(0)), r.Part(1))
	if err != nil {
		return service.Answer{}, errKey
	}
	return answer(describe(k))
}

func publicPoint(curve string, raw []byte) (any, error) {
	switch curve {
	case "Ed25519":
		if len(raw) != ed25519.PublicKeySize {
			return nil, errKey
		}
		return ed25519.PublicKey(raw), nil
	case "X25519":
		return ecdh.X25519().NewPublicKey(raw)
	}
	c := curves[curve]
	if len(raw) == curveBytes(c)+1 && (raw[0] == 2 || raw[0] == 3) {
		x, y := elliptic.UnmarshalCompressed(c, raw)
		if x == nil {
			return nil, errKey
		}
		n := curveBytes(c)
		raw = append(append([]byte{4}, x.FillBytes(make([]byte, n))...), y.FillBytes(make([]byte, n))...)
	}
	return ecdsa.ParseUncompressedPublicKey(c, raw)
}

// importCurve: curve, the private key's bytes, the public key's, which must be its.
func importCurve(r *service.Request) (service.Answer, error) {
	k, err := privatePoint(string(r.Part(0)), r.Part(1))
	if err != nil || subtle.ConstantTimeCompare(rawPublic(publicFrom(k)), r.Part(2)) != 1 {
		return service.Answer{}, errKey
	}
	return answer(describe(k))
}

func privatePoint(curve string, raw []byte) (any, error) {
	switch curve {
	case "Ed25519":
		if len(raw) != ed25519.SeedSize {
			return nil, errKey
		}
		return ed25519.NewKeyFromSeed(raw), nil
	case "X25519":
		return ecdh.X25519().NewPrivateKey(raw)
	}
	return ecdsa.ParseRawPrivateKey(curves[curve], raw)
}

// agree: private key, public key. ECDH's and X25519's shared secret.
func agree(r *service.Request) (service.Answer, error) {
	private, err := parsePrivate(r.Part(0))
	if err != nil {
		return service.Answer{}, err
	}
	public, err := parsePublic(r.Part(1))
	if err != nil {
		return service.Answer{}, err
	}
	secret, err := ecdhPrivate(private).ECDH(ecdhPublic(public))
	if err != nil { // the point of order one
		return service.Answer{}, errOperation
	}
	return answer(secret)
}

func ecdhPrivate(k any) *ecdh.PrivateKey {
	if k, ok := k.(*ecdsa.PrivateKey); ok {
		k, err := k.ECDH()
		mustBe(err)
		return k
	}
	return k.(*ecdh.PrivateKey)
}

func ecdhPublic(k any) *ecdh.PublicKey {
	if k, ok := k.(*ecdsa.PublicKey); ok {
		k, err := k.ECDH()
		mustBe(err)
		return k
	}
	return k.(*ecdh.PublicKey)
}
