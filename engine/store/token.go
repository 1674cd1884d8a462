package store

import "time"

// Token is an API token. Only its hash is kept: what the disk holds lets nobody in.
type Token struct {
	ID       string    `json:"id"`
	Hash     Hash      `json:"hash"` // SHA-256 of the token
	Name     string    `json:"name,omitempty"`
	Scope    string    `json:"scope,omitempty"` // what it may do, in the engine's words
	Created  time.Time `json:"created"`
	Modified time.Time `json:"modified,omitzero"`

	NotBefore time.Time `json:"not_before,omitzero"`
	Expires   time.Time `json:"expires,omitzero"`
	Disabled  bool      `json:"disabled,omitempty"`
	Allow     []string  `json:"allow,omitempty"` // CIDRs it may be used from; none: all
	Deny      []string  `json:"deny,omitempty"`  // CIDRs it may not be used from
}

func (t *Token) key() []byte { return tokenKey(t.ID) }

func (t *Token) validate() error {
	return requireIDs("token", field{"id", t.ID})
}
