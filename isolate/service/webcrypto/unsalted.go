package webcrypto

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"encoding/binary"
	"math/big"
)

// RSA-PSS with a salt of no bytes, which Go's options cannot say (there 0 means "as it comes"). The
// encoded message (RFC 8017, 9.1.1) is then the same for each signature of a digest:
//
//	┌── (0 … 0 1) xor mask of H ──┬── H = hash(0⁸ ‖ digest) ──┬─ bc ─┐

func encodeUnsalted(bits int, h crypto.Hash, digest []byte) ([]byte, bool) {
	n := (bits + 7) / 8
	db := n - h.Size() - 1
	if db < 1 {
		return nil, false
	}
	hash := h.New()
	hash.Write(make([]byte, 8))
	hash.Write(digest)
	sum := hash.Sum(nil)
	em := make([]byte, db, n)
	em[db-1] = 1
	maskWith(em, h, sum)
	em[0] &= 0xff >> (8*n - bits)
	return append(append(em, sum...), 0xbc), true
}

// maskWith is MGF1 of seed, xored over out.
func maskWith(out []byte, h crypto.Hash, seed []byte) {
	for i := uint32(0); len(out) > 0; i++ {
		hash := h.New()
		hash.Write(seed)
		hash.Write(binary.BigEndian.AppendUint32(nil, i))
		out = out[subtle.XORBytes(out, out, hash.Sum(nil)):]
	}
}

// signUnsalted blinds the message with a random factor: math/big takes time that depends on it.
func signUnsalted(k *rsa.PrivateKey, h crypto.Hash, digest []byte) ([]byte, error) {
	em, ok := encodeUnsalted(k.N.BitLen()-1, h, digest)
	if !ok {
		return nil, errOperation
	}
	factor, err := rand.Int(rand.Reader, k.N)
	if err != nil {
		return nil, err
	}
	undo := new(big.Int).ModInverse(factor, k.N)
	if undo == nil {
		return nil, errOperation
	}
	e := big.NewInt(int64(k.E))
	m := new(big.Int).SetBytes(em)
	m.Mul(m, factor.Exp(factor, e, k.N)).Mod(m, k.N)
	s := m.Exp(m, k.D, k.N)
	s.Mul(s, undo).Mod(s, k.N)
	return s.FillBytes(make([]byte, k.Size())), nil
}

func verifyUnsalted(k *rsa.PublicKey, h crypto.Hash, digest, signature []byte) bool {
	em, ok := encodeUnsalted(k.N.BitLen()-1, h, digest)
	s := new(big.Int).SetBytes(signature)
	if !ok || len(signature) != k.Size() || s.Cmp(k.N) >= 0 {
		return false
	}
	m := s.Exp(s, big.NewInt(int64(k.E)), k.N)
	return m.Cmp(new(big.Int).SetBytes(em)) == 0
}
