package store

import "time"

// Token is an API token. Only its hash is kept: what the disk holds lets nobody in.
type Token struct {
	ID      string    `json:"id"`
	Hash    Hash      `json:"hash"` // SHA-256 of the token
	Name    string    `json:"name,omitempty"`
	Scope   string    `json:"scope,omitempty"`
	Created time.Time `json:"created"`
}

func (t *Token) key() []byte { return tokenKey(t.ID) }

func (t *Token) validate() error {
	return requireIDs("token", field{"id", t.ID})
}
