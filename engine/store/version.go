package store

import (
	"encoding/json"
	"time"
)

// Version is one immutable upload of a script. Bindings, Limits, Egress and Metadata are the engine's
// own JSON: kept here byte for byte (but for white space), never looked into, so that the
// engine's nouns can grow without this package. Secret texts in Bindings are sealed by then.
type Version struct {
	ID                 string            `json:"id"`
	ScriptID           string            `json:"script"`
	NamespaceID        string            `json:"namespace,omitempty"` // of its script
	Number             int               `json:"number"`              // 1, 2, 3… within the script
	Created            time.Time         `json:"created"`
	ETag               string            `json:"etag,omitempty"`
	Main               string            `json:"main"`
	Modules            []Module          `json:"modules"`
	Bindings           json.RawMessage   `json:"bindings,omitempty"`
	CompatibilityDate  string            `json:"compatibility_date,omitempty"`
	CompatibilityFlags []string          `json:"compatibility_flags,omitempty"`
	Limits             json.RawMessage   `json:"limits,omitempty"`
	Policy             string            `json:"policy,omitempty"` // a name, not a number: numbers move between releases
	Egress             json.RawMessage   `json:"egress,omitempty"`
	Handlers           []string          `json:"handlers,omitempty"`
	Startup            time.Duration     `json:"startup_ns,omitempty"`
	Annotations        map[string]string `json:"annotations,omitempty"`
	Metadata           json.RawMessage   `json:"metadata,omitempty"`
	Assets             *Assets           `json:"assets,omitempty"`
}

// Module is one file of a version; its bytes are the blob Hash.
type Module struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // a name, as Policy
	Hash Hash   `json:"hash"`
	Size int64  `json:"size"` // bytes of source
}

func (v *Version) key() []byte { return versionKey(v.NamespaceID, v.ScriptID, v.Number) }

func (v *Version) validate() error {
	if v.Number < 1 || v.Number > maxNumber {
		return invalid("version %s: number %d is not in 1..%d", v.ID, v.Number, maxNumber)
	}
	return requireOwned("version", v.NamespaceID, field{"id", v.ID}, field{"script", v.ScriptID})
}
