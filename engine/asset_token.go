package engine

import (
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"switchyard/engine/store"
)

// assetTokenLife is how long a session's token holds, and a completion token from then on.
const assetTokenLife = time.Hour

// assetClaims is what a token of an asset upload says: a JSON Web Token (RFC 7519) with HMAC
// SHA-256 under a key of this store's. Clients read when it expires, and nothing else.
type assetClaims struct {
	Namespace string     `json:"namespace,omitempty"` // its id
	Script    string     `json:"script"`              // its name
	Manifest  store.Hash `json:"manifest"`            // blob of the client's manifest
	Complete  bool       `json:"complete"`            // everything had been uploaded when it was made
	jwt.RegisteredClaims
}

func (a *assets) sign(c assetClaims) (string, error) {
	now := time.Now()
	c.IssuedAt, c.ExpiresAt = jwt.NewNumericDate(now), jwt.NewNumericDate(now.Add(assetTokenLife))
	return jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(a.signing)
}

// VerifyAssets returns ErrAssetToken unless token is of a session that goes on.
func (e *Engine) VerifyAssets(token string) error {
	_, err := e.assets.verify(token)
	return err
}

const maxAssetToken = 4096

// verify returns what a token says. The error is ErrAssetToken.
func (a *assets) verify(token string) (c assetClaims, err error) {
	if len(token) > maxAssetToken {
		return c, ErrAssetToken
	}
	key := func(*jwt.Token) (any, error) { return a.signing, nil }
	_, err = jwt.ParseWithClaims(token, &c, key, jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired())
	if err != nil {
		return c, fmt.Errorf("%w (%w)", ErrAssetToken, err)
	}
	return c, nil
}
