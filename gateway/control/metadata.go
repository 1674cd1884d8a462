package control

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"switchyard/engine"
	"switchyard/isolate"
)

// metadata is what an upload says about itself. Keys that are not here are kept as they came
// and are read back by whoever knows them.
type metadata struct {
	MainModule string          `json:"main_module"`
	BodyPart   string          `json:"body_part"` // service-worker syntax
	Keep       []string        `json:"keep_bindings"`
	Strategy   json.RawMessage `json:"code_update_strategy"` // of another platform's network: every deploy is live here
	Assets     *assetsJSON     `json:"assets"`
	KeepAssets bool            `json:"keep_assets"`
	settings
	unsupported
}

// settings is what can be changed without an upload too. What is nil is not said.
type settings struct {
	Bindings           *[]binding        `json:"bindings"`
	CompatibilityDate  *string           `json:"compatibility_date"`
	CompatibilityFlags *[]string         `json:"compatibility_flags"`
	Tags               *[]string         `json:"tags"`
	Limits             *limits           `json:"limits"`
	Annotations        map[string]string `json:"annotations"`
	Switchyard         *extension        `json:"switchyard"`
}

// unsupported is what must not be accepted and then ignored. Assets are a part of an upload, where
// metadata has a field of its own for them.
type unsupported struct {
	Assets     json.RawMessage `json:"assets"`
	Migrations json.RawMessage `json:"migrations"`
	Containers json.RawMessage `json:"containers"`
}

func (u *unsupported) check() error {
	for _, it := range []struct {
		key, what string
		doc       json.RawMessage
	}{
		{"assets", "static assets come with an upload", u.Assets},
		{"migrations", "Durable Objects are not supported by this server", u.Migrations},
		{"containers", "containers are not supported by this server", u.Containers},
	} {
		switch string(it.doc) {
		case "", "null", "[]", "{}":
		default:
			p := refuse(it.key + ": " + it.what)
			p.Source = &source{"/" + it.key}
			return p
		}
	}
	return nil
}

// extension is what only this platform knows, under the key "switchyard".
type extension struct {
	Isolation string          `json:"isolation,omitempty"` // "reuse" (the default): module state stays; "request": every request starts fresh
	Egress    json.RawMessage `json:"egress,omitempty"`    // an engine.EgressPolicy
}

// readEgress reads a policy; nil: it is not given.
func readEgress(field string, doc json.RawMessage) (*engine.EgressPolicy, error) {
	if len(doc) == 0 {
		return nil, nil
	}
	return engine.ParseEgressPolicy(field, doc)
}

func (e *extension) policy() (isolate.Policy, error) {
	switch e.Isolation {
	case "", "reuse":
		return isolate.PolicyReuse, nil
	case "request":
		return isolate.PolicyRequest, nil
	}
	return 0, refuse("switchyard.isolation: " + quote(e.Isolation) + ` is neither "reuse" nor "request"`)
}

func describeExtension(v *engine.Version) *extension {
	var e extension
	if v.Policy == isolate.PolicyRequest {
		e.Isolation = "request"
	}
	if !v.Egress.IsZero() {
		e.Egress, _ = json.Marshal(v.Egress) // strings and numbers
	}
	if e.Isolation == "" && e.Egress == nil {
		return nil
	}
	return &e
}

// fromHeader reads the two headers that may stand in for metadata where only content is sent.
func (m *metadata) fromHeader(h http.Header) error {
	m.MainModule, m.BodyPart = h.Get("CF-WORKER-MAIN-MODULE-PART"), h.Get("CF-WORKER-BODY-PART")
	if m.MainModule == "" && m.BodyPart == "" {
		return fail(http.StatusBadRequest, codeBody, `the form has no part "metadata"`)
	}
	return nil
}

// upload makes everything of an upload but its modules. doc is the document that m was read of.
// besides are keys of doc that are understood elsewhere.
func (m *metadata) upload(doc []byte, besides ...string) (engine.Upload, error) {
	var u engine.Upload
	if err := m.unsupported.check(); err != nil {
		return u, err
	}
	switch {
	case m.MainModule != "" && m.BodyPart != "":
		return u, refuse("metadata names both main_module and body_part")
	case m.MainModule == "" && m.BodyPart == "" && m.Assets.decode() == nil && !m.KeepAssets:
		return u, refuse("metadata names no main_module and no body_part")
	}
	u.Main = strings.TrimPrefix(m.MainModule+m.BodyPart, "./")
	u.KeepBindings, u.Assets, u.KeepAssets = m.Keep, m.Assets.decode(), m.KeepAssets
	if err := m.settings.apply(&u); err != nil {
		return u, err
	}
	return u, mergeExtras(&u, doc, besides...)
}

// onlyTags says that there is nothing in s that belongs to a version.
func (s *settings) onlyTags() bool {
	return s.Bindings == nil && s.CompatibilityDate == nil && s.CompatibilityFlags == nil && s.Limits == nil && s.Annotations == nil && s.Switchyard == nil
}

// apply changes what s says of u, and leaves the rest.
func (s *settings) apply(u *engine.Upload) (err error) {
	if s.Limits != nil {
		if u.Limits, err = s.Limits.decode(); err != nil {
			return err
		}
	}
	if s.Switchyard != nil {
		if u.Policy, err = s.Switchyard.policy(); err != nil {
			return err
		}
		if u.Egress, err = readEgress("switchyard.egress", s.Switchyard.Egress); err != nil {
			return err
		}
	}
	if s.CompatibilityDate != nil {
		u.CompatibilityDate = *s.CompatibilityDate
	}
	if s.CompatibilityFlags != nil {
		u.CompatibilityFlags = *s.CompatibilityFlags
	}
	if s.Tags != nil {
		u.Tags = *s.Tags
	}
	if s.Annotations != nil {
		u.Annotations = s.Annotations
	}
	if s.Bindings != nil {
		return replaceBindings(u, *s.Bindings)
	}
	return nil
}

// understood are the keys that an Upload has a place for; they are not extras.
var understood = []string{
	"main_module", "body_part", "keep_bindings", "code_update_strategy", "bindings", "compatibility_date",
	"compatibility_flags", "tags", "limits", "annotations", "switchyard", "assets", "keep_assets", "migrations", "containers",
}

// mergeExtras lays the keys of doc that nobody here understands, nor those who understand besides,
// over u.Metadata. null removes.
func mergeExtras(u *engine.Upload, doc []byte, besides ...string) error {
	extras := map[string]json.RawMessage{}
	for _, d := range [][]byte{u.Metadata, doc} {
		if len(d) == 0 {
			continue
		}
		if err := decodeJSON("metadata", d, &extras); err != nil {
			return err
		}
	}
	for _, key := range slices.Concat(understood, besides) {
		delete(extras, key)
	}
	for key, v := range extras {
		if string(v) == "null" {
			delete(extras, key)
		}
	}
	u.Metadata = nil
	if len(extras) == 0 {
		return nil
	}
	merged, err := json.Marshal(extras)
	u.Metadata = merged
	return err
}
