package nodecrypto

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strconv"
	"time"

	"switchyard/isolate/service"
)

// importedKey is what a KeyObject is made of.
type importedKey struct {
	Type    string         `json:"type"` // private, public
	Kind    string         `json:"kind"` // rsa, ec, ed25519, x25519
	Details map[string]any `json:"details"`
	DER     string         `json:"der"` // base64: PKCS #8, SPKI
}

func decoderFailure() error {
	return service.Fail("Error", "error:1E08010C:DECODER routines::unsupported")
}

// maxKey bounds what is parsed: RSA keys of 8,192 bits.
const maxKey = 8 << 10

func importKey(data []byte, format, kind string) ([]byte, error) {
	if format != "der" {
		block, _ := pem.Decode(data)
		if block == nil {
			return nil, decoderFailure()
		}
		data, kind = block.Bytes, block.Type
	}
	key, err := parse(data, kind)
	if err != nil {
		return nil, err
	}
	return describe(key)
}

// parse reads DER of a PEM's type, or of Node's "pkcs1", "pkcs8", "spki" and "sec1".
func parse(der []byte, kind string) (key any, err error) {
	if len(der) > maxKey {
		return nil, decoderFailure()
	}
	switch kind {
	case "PRIVATE KEY", "pkcs8":
		key, err = x509.ParsePKCS8PrivateKey(der)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(der)
	case "EC PRIVATE KEY", "sec1":
		key, err = x509.ParseECPrivateKey(der)
	case "PUBLIC KEY", "spki":
		key, err = x509.ParsePKIXPublicKey(der)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(der)
	case "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(der); err == nil {
			key = certificate.PublicKey
		}
	case "pkcs1":
		if key, err = x509.ParsePKCS1PrivateKey(der); err != nil {
			key, err = x509.ParsePKCS1PublicKey(der)
		}
	default:
		return nil, decoderFailure()
	}
	if err != nil {
		return nil, decoderFailure()
	}
	return key, nil
}

func describe(key any) ([]byte, error) {
	k := importedKey{Type: "private"}
	var public any
	var der []byte
	var err error
	if p, ok := key.(interface{ Public() crypto.PublicKey }); ok {
		public = p.Public()
		der, err = x509.MarshalPKCS8PrivateKey(key)
	} else {
		k.Type, public = "public", key
		der, err = x509.MarshalPKIXPublicKey(key)
	}
	if err != nil {
		return nil, decoderFailure()
	}
	k.DER = base64.StdEncoding.EncodeToString(der)
	if k.Kind, k.Details = kindOf(public); k.Kind == "" {
		return nil, decoderFailure()
	}
	text, err := json.Marshal(k)
	if err != nil {
		panic("BUG: nodecrypto: " + err.Error())
	}
	return text, nil
}

// curves are Node's names of them.
var curves = map[elliptic.Curve]string{elliptic.P224(): "secp224r1", elliptic.P256(): "prime256v1", elliptic.P384(): "secp384r1", elliptic.P521(): "secp521r1"}

func kindOf(public any) (string, map[string]any) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return "rsa", map[string]any{"modulusLength": k.N.BitLen(), "publicExponent": k.E}
	case *ecdsa.PublicKey:
		return "ec", map[string]any{"namedCurve": curves[k.Curve]}
	case ed25519.PublicKey:
		return "ed25519", map[string]any{}
	case *ecdh.PublicKey:
		return "x25519", map[string]any{}
	}
	return "", nil
}

// private and public read the DER that describe gave.
func private(der []byte) (any, error) { return parse(der, "pkcs8") }
func public(der []byte) (any, error)  { return parse(der, "spki") }

func publicOf(der []byte) ([]byte, error) {
	key, err := private(der)
	if err != nil {
		return nil, err
	}
	out, err := x509.MarshalPKIXPublicKey(key.(interface{ Public() crypto.PublicKey }).Public())
	if err != nil {
		return nil, decoderFailure()
	}
	return out, nil
}

// exportKey writes a key as Node's options say.
func exportKey(der []byte, side, format, kind string) ([]byte, error) {
	title := map[string]string{"private": "PRIVATE KEY", "public": "PUBLIC KEY"}[side]
	var err error
	switch kind {
	case "pkcs1":
		der, title, err = pkcs1(der, side)
	case "sec1":
		der, title, err = sec1(der)
	}
	if err != nil || format == "der" {
		return der, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: title, Bytes: der}), nil
}

func incompatible(kind string) error {
	return service.Fail("Error", "The selected key encoding "+kind+" does not support the key type.")
}

func pkcs1(der []byte, side string) ([]byte, string, error) {
	if side == "private" {
		key, err := private(der)
		if k, ok := key.(*rsa.PrivateKey); ok && err == nil {
			return x509.MarshalPKCS1PrivateKey(k), "RSA PRIVATE KEY", nil
		}
	} else if key, err := public(der); err == nil {
		if k, ok := key.(*rsa.PublicKey); ok {
			return x509.MarshalPKCS1PublicKey(k), "RSA PUBLIC KEY", nil
		}
	}
	return nil, "", incompatible("pkcs1")
}

func sec1(der []byte) ([]byte, string, error) {
	key, err := private(der)
	k, ok := key.(*ecdsa.PrivateKey)
	if err != nil || !ok {
		return nil, "", incompatible("sec1")
	}
	out, err := x509.MarshalECPrivateKey(k)
	return out, "EC PRIVATE KEY", err
}

// maxBits bounds the RSA keys that are made: 4,096 bits take some seconds.
const minBits, maxBits = 1024, 4096

func generate(r *service.Request) ([]byte, error) {
	if r.Scope {
		return nil, service.Fail("Error", "Disallowed operation called within global scope: generating keys.")
	}
	key, err := newKey(r)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic("BUG: nodecrypto: " + err.Error())
	}
	return der, nil
}

func newKey(r *service.Request) (any, error) {
	choice := string(r.Part(1))
	switch string(r.Part(0)) {
	case "rsa":
		bits, _ := strconv.Atoi(choice)
		if bits < minBits || bits > maxBits {
			return nil, service.Fail("RangeError", fmt.Sprintf("The value of \"modulusLength\" is out of range. It must be >= %d && <= %d. Received %s", minBits, maxBits, choice))
		}
		r.Meter.Afford(time.Duration(bits*bits/(1<<20)) * 40 * time.Millisecond)
		return rsa.GenerateKey(rand.Reader, bits)
	case "ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case "x25519":
		return ecdh.X25519().GenerateKey(rand.Reader)
	}
	for curve, name := range curves {
		if choice == name || choice == curve.Params().Name {
			return ecdsa.GenerateKey(curve, rand.Reader)
		}
	}
	return nil, service.Fail("TypeError", "Invalid EC curve name")
}

func agree(r *service.Request) ([]byte, error) {
	mine, err := private(r.Part(0))
	if err != nil {
		return nil, err
	}
	theirs, err := public(r.Part(1))
	if err != nil {
		return nil, err
	}
	a, b := asECDH(mine), asECDH(theirs)
	key, ok := a.(*ecdh.PrivateKey)
	peer, also := b.(*ecdh.PublicKey)
	if !ok || !also || key.Curve() != peer.Curve() {
		return nil, service.Fail("Error", "Incompatible key types for Diffie-Hellman")
	}
	secret, err := key.ECDH(peer)
	if err != nil {
		return nil, service.Fail("Error", "error:00000000:lib(0)::reason(0)")
	}
	return bytes.Clone(secret), nil
}

func asECDH(key any) any {
	var out any = key
	var err error
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		out, err = k.ECDH()
	case *ecdsa.PublicKey:
		out, err = k.ECDH()
	}
	if err != nil {
		return nil
	}
	return out
}
