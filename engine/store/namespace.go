package store

import "time"

// Namespace is a dispatch namespace.
type Namespace struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Trusted  bool      `json:"trusted,omitempty"`
	Created  time.Time `json:"created"`
	Modified time.Time `json:"modified"`
}

func (n *Namespace) key() []byte { return namespaceKey(n.ID) }

func (n *Namespace) validate() error {
	return requireIDs("namespace", field{"id", n.ID})
}
