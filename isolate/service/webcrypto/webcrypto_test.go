package webcrypto

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"math/big"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"switchyard/isolate/service"
)

// free is a meter of somebody with all the time in the world, who counts how often it is looked at.
type free struct{ paces int }

func (f *free) Pace()                { f.paces++ }
func (f *free) Afford(time.Duration) { f.paces++ }

func seeded(t *testing.T) *mathrand.Rand {
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	return mathrand.New(mathrand.NewPCG(uint64(seed), 0))
}

func randomSlice(r *mathrand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestPBKDF2IsGos(t *testing.T) {
	r := seeded(t)
	for range 50 {
		password, salt := randomSlice(r, r.IntN(200)), randomSlice(r, r.IntN(50))
		iterations, length := 1+r.IntN(300), r.IntN(150)
		want, err := pbkdf2.Key(sha256.New, string(password), salt, iterations, max(length, 1))
		if err != nil {
			t.Fatal(err)
		}
		if got := pbkdf2Bytes(&free{}, crypto.SHA256, password, salt, uint32(iterations), length); !bytes.Equal(got, want[:length]) {
			t.Fatalf("%d iterations, %d bytes: %x, want %x", iterations, length, got, want)
		}
	}
}

// The counter against one that is counted bit by bit.
func TestCTRWrapsItsCounterOnly(t *testing.T) {
	r := seeded(t)
	block, err := aes.NewCipher(randomSlice(r, 16))
	if err != nil {
		t.Fatal(err)
	}
	for range 500 {
		bits := 1 + r.IntN(128)
		counter, data := randomSlice(r, 16), randomSlice(r, r.IntN(200))
		if r.IntN(2) == 0 {
			for i := 1; i < 16; i++ {
				counter[i] = 0xff // close to the end
			}
			counter[15] -= byte(r.IntN(8))
		}
		got, err := xorCTR(&free{}, block, data, counter, bits, nil)
		if blocks := (len(data) + 15) / 16; bits < 10 && blocks > 1<<bits {
			if err == nil {
				t.Fatalf("a counter of %d bits served %d blocks", bits, blocks)
			}
			continue
		}
		if want := countedCTR(block, data, counter, bits); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bits, counter %x: %x, %v, want %x", bits, counter, got, err, want)
		}
	}
}

func countedCTR(block cipher.Block, data, counter []byte, bits int) []byte {
	modulus := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	all := new(big.Int).SetBytes(counter)
	low := new(big.Int).Mod(all, modulus)
	high := new(big.Int).Sub(all, low)
	out := append([]byte(nil), data...)
	for at := 0; at < len(out); at += 16 {
		var key [16]byte
		block.Encrypt(key[:], new(big.Int).Add(high, low).FillBytes(key[:]))
		for i := at; i < min(at+16, len(out)); i++ {
			out[i] ^= key[i-at]
		}
		low.Add(low, big.NewInt(1)).Mod(low, modulus)
	}
	return out
}

// Go verifies a signature without salt, when it may find the salt's length itself.
func TestUnsaltedPSS(t *testing.T) {
	for _, bits := range []int{1024, 1025, 1031, 2048} {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256([]byte("x"))
		s, err := signUnsalted(k, crypto.SHA256, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		if err := rsa.VerifyPSS(&k.PublicKey, crypto.SHA256, digest[:], s, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto}); err != nil {
			t.Errorf("%d bits: %v", bits, err)
		}
		if !verifyUnsalted(&k.PublicKey, crypto.SHA256, digest[:], s) {
			t.Errorf("%d bits: not our own", bits)
		}
		salted, err := rsa.SignPSS(rand.Reader, k, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: 20})
		if err != nil || verifyUnsalted(&k.PublicKey, crypto.SHA256, digest[:], salted) {
			t.Errorf("%d bits: a salted signature passes for one without (%v)", bits, err)
		}
	}
}

func TestShortGCMTags(t *testing.T) {
	r := seeded(t)
	block, err := aes.NewCipher(randomSlice(r, 32))
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		iv, data, extra := randomSlice(r, 1+r.IntN(40)), randomSlice(r, r.IntN(300)), randomSlice(r, r.IntN(40))
		tag := []int{32, 64, 96, 128}[r.IntN(4)]
		sealed, err := sealGCM(&free{}, block, data, iv, tag, extra)
		if err != nil || len(sealed) != len(data)+tag/8 {
			t.Fatalf("%d bytes, %v", len(sealed), err)
		}
		if text, err := openGCM(&free{}, block, sealed, iv, tag, extra); err != nil || !bytes.Equal(text, data) {
			t.Fatalf("%x, %v, want %x", text, err, data)
		}
		sealed[r.IntN(len(sealed))] ^= 1 << r.IntN(8)
		if _, err := openGCM(&free{}, block, sealed, iv, tag, extra); err == nil {
			t.Fatal("a changed text was opened")
		}
	}
}

// Long work is interrupted.
func TestPaces(t *testing.T) {
	big := make([]byte, 1<<20)
	for name, r := range map[string]*service.Request{
		"digest":  {Method: 1, Parts: [][]byte{[]byte("SHA-1"), big}},
		"HMAC":    {Method: 5, Parts: [][]byte{[]byte("SHA-1"), []byte("k"), big}},
		"AES-CBC": {Method: 7, Parts: [][]byte{[]byte("AES-CBC"), big[:16], big, big[:16]}},
		"AES-CTR": {Method: 7, Parts: [][]byte{[]byte("AES-CTR"), big[:16], big, big[:16], {64, 0, 0, 0}}},
		"AES-KW":  {Method: 7, Parts: [][]byte{[]byte("AES-KW"), big[:16], big}},
		"PBKDF2":  {Method: 22, Parts: [][]byte{[]byte("SHA-1"), nil, nil, {0, 16, 0, 0}, {20, 0, 0, 0}}},
	} {
		m := &free{}
		r.Meter = m
		if _, err := Serve(r); err != nil || m.paces < 10 {
			t.Errorf("%s: looked at %d times (%v)", name, m.paces, err)
		}
	}
}

// FuzzImport: whatever is imported is a key or an *Error, and what comes of it imports again as itself.
func FuzzImport(f *testing.F) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(15), []byte{1}, marshalPrivate(rsaKey), []byte(nil), []byte(nil), []byte(nil))
	f.Add(uint32(15), []byte{0}, marshalPublic(&rsaKey.PublicKey), []byte(nil), []byte(nil), []byte(nil))
	f.Add(uint32(17), rsaKey.N.Bytes(), []byte{1, 0, 1}, rsaKey.D.Bytes(), rsaKey.Primes[0].Bytes(), rsaKey.Primes[1].Bytes())
	f.Add(uint32(17), rsaKey.N.Bytes(), []byte{1, 0, 1}, rsaKey.D.Bytes(), []byte{0}, []byte{2})
	f.Add(uint32(17), rsaKey.N.Bytes(), []byte{1, 0, 1}, []byte{}, []byte{}, []byte{})
	for _, curve := range []string{"P-256", "P-384", "P-521", "Ed25519", "X25519"} {
		made, err := Serve(&service.Request{Method: 14, Parts: [][]byte{[]byte(curve)}, Meter: &free{}})
		if err != nil {
			f.Fatal(err)
		}
		private, public := twoFields(made.Bytes)
		f.Add(uint32(15), []byte{1}, private, []byte(nil), []byte(nil), []byte(nil))
		f.Add(uint32(15), []byte{0}, public, []byte(nil), []byte(nil), []byte(nil))
		f.Add(uint32(16), []byte(curve), public[len(public)-32:], []byte(nil), []byte(nil), []byte(nil))
		f.Add(uint32(18), []byte(curve), private[len(private)-32:], public, []byte(nil), []byte(nil))
	}
	f.Fuzz(func(t *testing.T, method uint32, a, b, c, d, e []byte) {
		parts, isPrivate := [][]byte{a, b, c, d, e}, byte(1)
		switch method % 4 {
		case 0: // importRaw and importCurve of a curve that the prelude lets through
			if method = 16; curves[string(a)] == nil && string(a) != "Ed25519" && string(a) != "X25519" {
				return
			}
			isPrivate = 0
		case 2:
			if method = 18; curves[string(a)] == nil && string(a) != "Ed25519" && string(a) != "X25519" {
				return
			}
		case 1:
			method = 17
		default:
			isPrivate = boolByte(len(a) > 0 && a[0] == 1)
			method, parts = 15, [][]byte{{isPrivate, 0, 0, 0}, b}
		}
		answer, err := Serve(&service.Request{Method: method, Parts: parts, Meter: &free{}})
		if fault := (*service.Error)(nil); err != nil {
			if !errors.As(err, &fault) {
				t.Fatal(err)
			}
			return
		}
		der, _ := twoFields(answer.Bytes)
		again, err := Serve(&service.Request{Method: 15, Parts: [][]byte{{isPrivate, 0, 0, 0}, der}, Meter: &free{}})
		if err != nil || !bytes.Equal(again.Bytes, answer.Bytes) {
			t.Fatalf("%x became %x (%v)", answer.Bytes, again.Bytes, err)
		}
	})
}

func twoFields(b []byte) (first, second []byte) {
	n := int(b[0]) | int(b[1])<<8
	m := int(b[4+n]) | int(b[5+n])<<8
	return b[4 : 4+n], b[8+n : 8+n+m]
}
