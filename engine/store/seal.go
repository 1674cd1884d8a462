package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
)

// A sealed text, AES-256-GCM (NIST SP 800-38D) with a random nonce under a key derived from
// the master key; the purpose is authenticated beside it, so that a sealed text opens only
// where it was put:
//
//	┌────────┬───────────┬──────────────┬─────────┐
//	│ format │ nonce     │ cipher text  │ tag     │
//	│   1    │ 12        │              │ 16      │
//	└────────┴───────────┴──────────────┴─────────┘
const (
	sealFormat      = 1
	keySize         = 32
	keyCheckPurpose = "store/key-check"
)

// sealer holds the master key and what is derived from it for secrets.
type sealer struct {
	master []byte
	aead   cipher.AEAD
	next   *sealer // of a rotation that was interrupted: some texts are under it already
}

func newSealer(master []byte) (*sealer, error) {
	if len(master) != keySize {
		return nil, fmt.Errorf("master key is %d bytes long, not %d", len(master), keySize)
	}
	s := &sealer{master: append([]byte(nil), master...)}
	key, err := s.derive("seal")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	s.aead, err = cipher.NewGCMWithRandomNonce(block)
	return s, err
}

func (s *sealer) derive(purpose string) ([]byte, error) {
	return hkdf.Key(sha256.New, s.master, nil, "switchyard/1/"+purpose, keySize)
}

func (s *sealer) seal(purpose string, plain []byte) ([]byte, error) {
	return s.aead.Seal([]byte{sealFormat}, nil, plain, []byte(purpose)), nil
}

func (s *sealer) unseal(purpose string, sealed []byte) ([]byte, error) {
	plain, err := s.unsealAlone(purpose, sealed)
	if errors.Is(err, ErrSealed) && s.next != nil {
		return s.next.unsealAlone(purpose, sealed)
	}
	return plain, err
}

func (s *sealer) unsealAlone(purpose string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, fmt.Errorf("%w: %s: it is empty", ErrSealed, purpose)
	}
	if sealed[0] > sealFormat {
		return nil, fmt.Errorf("%w: sealed %s has format %d, this version knows up to %d", ErrNewer, purpose, sealed[0], sealFormat)
	}
	plain, err := s.aead.Open(nil, nil, sealed[1:], []byte(purpose))
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrSealed, purpose)
	}
	return plain, nil
}

// Seal encrypts plain under the master key. purpose says where the text belongs, such as
// "secret/<script id>/<name>"; Unseal needs the same.
func (s *Store) Seal(purpose string, plain []byte) ([]byte, error) {
	return s.sealer.seal(purpose, plain)
}

// Unseal decrypts what Seal made for the same purpose; otherwise the error is ErrSealed.
func (s *Store) Unseal(purpose string, sealed []byte) ([]byte, error) {
	return s.sealer.unseal(purpose, sealed)
}

// DeriveKey returns 32 bytes that only the holder of the master key can make, other ones for
// every purpose: a key of its own for whoever seals in bulk or authenticates.
func (s *Store) DeriveKey(purpose string) ([]byte, error) {
	return s.sealer.derive("derived/" + purpose)
}

// openSealer finds the master key.
func (s *Store) openSealer(fresh bool) error {
	master, err := s.masterKey(fresh)
	if err != nil {
		return err
	}
	if s.sealer, err = newSealer(master); err != nil {
		return err
	}
	return s.openNextKey()
}
