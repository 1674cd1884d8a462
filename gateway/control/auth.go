package control

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"strings"

	"switchyard/engine"
)

// credential is the operator's token as it is kept in memory: hashed, so that the comparison
// takes the same time whatever was sent, its length included.
type credential [sha256.Size]byte

func newCredential(token string) credential { return sha256.Sum256([]byte(token)) }

func (c credential) matches(token string) bool {
	h := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(c[:], h[:]) == 1
}

// operator is who has the token that the server was started with.
var operator = engine.Token{ID: operatorID, TokenSpec: engine.TokenSpec{Name: "operator", Scope: engine.FullScope}}

// authenticate accepts `Authorization: Bearer TOKEN` and, as the older client setting sends it,
// `X-Auth-Key: TOKEN` beside any X-Auth-Email.
func (s *server) authenticate(r *http.Request) (engine.Token, *problem) {
	token, ok := presented(r)
	if !ok {
		return engine.Token{}, fail(http.StatusUnauthorized, codeAuth, "Authentication error: send the token as `Authorization: Bearer TOKEN`")
	}
	if s.credential.matches(token) {
		return operator, nil
	}
	if who, ok := s.Platform.Authenticate(token, peer(r)); ok {
		return who, nil
	}
	return engine.Token{}, fail(http.StatusForbidden, codeAuth, "Authentication error: this token is not valid here")
}

// peer is the address that the request came from.
func peer(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// presented returns what the client offers as its token.
func presented(r *http.Request) (string, bool) {
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, token, _ := strings.Cut(h, " ")
		token = strings.TrimSpace(token)
		return token, strings.EqualFold(scheme, "Bearer") && token != ""
	}
	key := r.Header.Get("X-Auth-Key")
	return key, key != "" && r.Header.Get("X-Auth-Email") != ""
}
