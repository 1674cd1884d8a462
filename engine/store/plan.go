package store

import (
	"encoding/json"
	"time"
)

// Plan is a named set of limits and quotas, and who is on it. Limits, Quota and Egress are the engine's own
// JSON, as in Version.
type Plan struct {
	Name     string          `json:"name"`
	Tags     []string        `json:"tags,omitempty"`    // scripts with one of them are on it
	Scripts  []string        `json:"scripts,omitempty"` // "namespace/script", or the name of a plain Worker
	Weight   int             `json:"weight,omitempty"`
	Limits   json.RawMessage `json:"limits,omitempty"`
	Quota    json.RawMessage `json:"quota,omitempty"`
	Egress   json.RawMessage `json:"egress,omitempty"`
	Created  time.Time       `json:"created"`
	Modified time.Time       `json:"modified"`
}

func (p *Plan) key() []byte { return planKey(p.Name) }

func (p *Plan) validate() error {
	return requireIDs("plan", field{"name", p.Name})
}
