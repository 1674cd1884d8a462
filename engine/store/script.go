package store

import "time"

// Script is what stays the same over a script's versions. It never moves to another namespace.
type Script struct {
	ID          string    `json:"id"`
	NamespaceID string    `json:"namespace,omitempty"` // "" for a plain Worker
	Name        string    `json:"name"`
	Tags        []string  `json:"tags,omitempty"`
	Created     time.Time `json:"created"`
	Modified    time.Time `json:"modified"`
	NextVersion int       `json:"next_version"` // number of the next upload
}

func (s *Script) key() []byte { return scriptKey(s.NamespaceID, s.ID) }

func (s *Script) validate() error {
	return requireOwned("script", s.NamespaceID, field{"id", s.ID})
}
