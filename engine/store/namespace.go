package store

import (
	"encoding/json"
	"time"
)

// Namespace is a dispatch namespace. Limits and Quota are the engine's own JSON, as in Version.
type Namespace struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Trusted  bool            `json:"trusted,omitempty"`
	Limits   json.RawMessage `json:"limits,omitempty"`
	Quota    json.RawMessage `json:"quota,omitempty"`
	Egress   json.RawMessage `json:"egress,omitempty"`
	Created  time.Time       `json:"created"`
	Modified time.Time       `json:"modified"`
}

func (n *Namespace) key() []byte { return namespaceKey(n.ID) }

func (n *Namespace) validate() error {
	return requireIDs("namespace", field{"id", n.ID})
}
