package engine

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"switchyard/engine/store"
)

// TokenSpec is what an operator decides of a token.
type TokenSpec struct {
	Name      string // shown in the audit log: 1 to 120 bytes
	Scope     Scope
	NotBefore time.Time // zero: at once
	Expires   time.Time // zero: never
	Disabled  bool
	Allow     []netip.Prefix // addresses that it may be used from; none: all
	Deny      []netip.Prefix // addresses that it may not be used from
}

// Token is an API token without its secret, which nobody has but who was shown it.
type Token struct {
	ID string
	TokenSpec
	Created  time.Time
	Modified time.Time
}

// Status is "active", "disabled" or "expired".
func (t *Token) Status(now time.Time) string {
	switch {
	case t.Disabled:
		return "disabled"
	case !t.Expires.IsZero() && !now.Before(t.Expires):
		return "expired"
	}
	return "active"
}

// usable says whether the token counts now, for a request from that address.
func (t *Token) usable(from netip.Addr, now time.Time) bool {
	within := func(p netip.Prefix) bool { return p.Contains(from) }
	return t.Status(now) == "active" && !now.Before(t.NotBefore) &&
		(len(t.Allow) == 0 || slices.ContainsFunc(t.Allow, within)) && !slices.ContainsFunc(t.Deny, within)
}

const (
	maxTokens    = 10_000
	maxTokenName = 120
	maxNetworks  = 64
)

// A token as its holder sees it. The id finds the record; what proves anything is the secret,
// 256 random bits, of which the store has the SHA-256:
//
//	sy_ <id: 32 hex digits> _ <secret: 43 characters of base64url>
const (
	tokenPrefix    = "sy_"
	tokenIDLength  = 32
	tokenSecretAt  = len(tokenPrefix) + tokenIDLength + 1
	tokenSecretLen = 32
)

// ErrTokenNotFound is an id that no token has.
var ErrTokenNotFound = errors.New("API token not found")

// tokenBook is the tokens in memory, by id. The map is never changed: an edit makes another.
type tokenBook struct {
	byID atomic.Pointer[map[string]tokenEntry]
}

type tokenEntry struct {
	Token
	hash store.Hash
}

func (b *tokenBook) all() map[string]tokenEntry {
	return *b.byID.Load()
}

// Authenticate finds the token that a client presents. What it takes tells nothing about the
// secret: the hashes are compared in constant time.
func (e *Engine) Authenticate(token string, from netip.Addr) (Token, bool) {
	if len(token) < tokenSecretAt || !strings.HasPrefix(token, tokenPrefix) {
		return Token{}, false
	}
	entry, there := e.tokens.all()[token[len(tokenPrefix):tokenSecretAt-1]]
	hash := store.HashOf([]byte(token))
	same := subtle.ConstantTimeCompare(hash[:], entry.hash[:]) == 1
	return entry.Token, there && same && entry.usable(from, time.Now())
}

// Tokens returns the tokens, the oldest first.
func (e *Engine) Tokens() []Token {
	list := []Token{}
	for _, t := range e.tokens.all() {
		list = append(list, t.Token)
	}
	slices.SortFunc(list, func(a, b Token) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// Token returns one token.
func (e *Engine) Token(id string) (Token, error) {
	t, ok := e.tokens.all()[id]
	if !ok {
		return Token{}, fmt.Errorf("%w: %q", ErrTokenNotFound, id)
	}
	return t.Token, nil
}

// CreateToken makes a token and returns what its holder needs, which nobody can ask for again.
func (e *Engine) CreateToken(ctx context.Context, spec TokenSpec) (Token, string, error) {
	unlock, err := e.locks.lock(ctx, "tokens")
	if err != nil {
		return Token{}, "", err
	}
	defer unlock()
	if len(e.tokens.all()) >= maxTokens {
		return Token{}, "", invalid("", "there are %d tokens already", maxTokens)
	}
	now := time.Now()
	t := Token{ID: strings.ReplaceAll(newID(), "-", ""), TokenSpec: spec, Created: now, Modified: now}
	secret := newTokenSecret(t.ID)
	if err := e.putToken(ctx, t, store.HashOf([]byte(secret))); err != nil {
		return Token{}, "", err
	}
	return t, secret, nil
}

func newTokenSecret(id string) string {
	var b [tokenSecretLen]byte
	rand.Read(b[:]) // never fails
	return tokenPrefix + id + "_" + base64.RawURLEncoding.EncodeToString(b[:])
}

// UpdateToken replaces what an operator decides of a token; its secret stays.
func (e *Engine) UpdateToken(ctx context.Context, id string, spec TokenSpec) (Token, error) {
	return e.editToken(ctx, id, func(t *tokenEntry) { t.TokenSpec = spec })
}

// RollToken gives a token another secret: the old one stops to count.
func (e *Engine) RollToken(ctx context.Context, id string) (secret string, err error) {
	_, err = e.editToken(ctx, id, func(t *tokenEntry) {
		secret = newTokenSecret(id)
		t.hash = store.HashOf([]byte(secret))
	})
	return secret, err
}

func (e *Engine) editToken(ctx context.Context, id string, edit func(*tokenEntry)) (Token, error) {
	unlock, err := e.locks.lock(ctx, "tokens")
	if err != nil {
		return Token{}, err
	}
	defer unlock()
	t, ok := e.tokens.all()[id]
	if !ok {
		return Token{}, fmt.Errorf("%w: %q", ErrTokenNotFound, id)
	}
	edit(&t)
	t.Modified = time.Now()
	return t.Token, e.putToken(ctx, t.Token, t.hash)
}

// DeleteToken revokes a token: requests that come after it returned are refused.
func (e *Engine) DeleteToken(ctx context.Context, id string) error {
	unlock, err := e.locks.lock(ctx, "tokens")
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := e.Token(id); err != nil {
		return err
	}
	return e.apply(ctx, store.DropToken(time.Now(), id))
}

func (e *Engine) putToken(ctx context.Context, t Token, hash store.Hash) error {
	if err := e.checkToken(&t.TokenSpec); err != nil {
		return err
	}
	return e.apply(ctx, store.PutToken(t.Modified, tokenRecord(t, hash)))
}

func (e *Engine) checkToken(s *TokenSpec) error {
	if s.Name == "" || len(s.Name) > maxTokenName {
		return invalid("name", "a token's name has 1 to %d bytes, this one has %d", maxTokenName, len(s.Name))
	}
	for i := range len(s.Name) {
		if s.Name[i] < ' ' || s.Name[i] == 0x7f {
			return invalid("name", "byte %d is a control character", i)
		}
	}
	if len(s.Allow) > maxNetworks || len(s.Deny) > maxNetworks {
		return invalid("condition", "more than %d networks", maxNetworks)
	}
	if !s.Expires.IsZero() && !s.NotBefore.Before(s.Expires) {
		return invalid("expires_on", "is not after not_before")
	}
	return checkScope(s.Scope, func(id string) bool { return id != "" && e.catalog.byID(id) != nil })
}

// tokenRecord is a token in the store; readToken is the way back.
func tokenRecord(t Token, hash store.Hash) store.Token {
	return store.Token{
		ID: t.ID, Hash: hash, Name: t.Name, Scope: t.Scope.String(), Created: t.Created, Modified: t.Modified,
		NotBefore: t.NotBefore, Expires: t.Expires, Disabled: t.Disabled, Allow: networkTexts(t.Allow), Deny: networkTexts(t.Deny),
	}
}

func readToken(r *store.Token) tokenEntry {
	return tokenEntry{hash: r.Hash, Token: Token{
		ID: r.ID, Created: r.Created, Modified: r.Modified,
		TokenSpec: TokenSpec{
			Name: r.Name, Scope: parseScope(r.Scope), NotBefore: r.NotBefore, Expires: r.Expires, Disabled: r.Disabled,
			Allow: networks(r.Allow), Deny: networks(r.Deny),
		},
	}}
}

func networkTexts(all []netip.Prefix) (texts []string) {
	for _, p := range all {
		texts = append(texts, p.String())
	}
	return texts
}

func networks(texts []string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}
