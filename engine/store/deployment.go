package store

import "time"

// Deployment says which versions of a script receive traffic, in what share. The newest counts.
type Deployment struct {
	ID          string            `json:"id"`
	ScriptID    string            `json:"script"`
	NamespaceID string            `json:"namespace,omitempty"` // of its script
	Created     time.Time         `json:"created"`
	Shares      []Share           `json:"shares"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Share is one version's part of the traffic, in percent.
type Share struct {
	Version string  `json:"version"`
	Percent float64 `json:"percent"`
}

func (d *Deployment) key() []byte {
	return deploymentKey(d.NamespaceID, d.ScriptID, d.Created, d.ID)
}

func (d *Deployment) validate() error {
	if d.Created.UnixNano() < 0 {
		return invalid("deployment %s: created %s is before 1970", d.ID, d.Created)
	}
	return requireOwned("deployment", d.NamespaceID, field{"id", d.ID}, field{"script", d.ScriptID})
}
