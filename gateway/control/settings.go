package control

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"switchyard/engine"
)

// settingsJSON is what /settings shows: everything of a script but its code.
type settingsJSON struct {
	Bindings    []binding         `json:"bindings"`
	Date        string            `json:"compatibility_date,omitempty"`
	Flags       []string          `json:"compatibility_flags"`
	Limits      *limits           `json:"limits,omitempty"`
	Switchyard  *extension        `json:"switchyard,omitempty"`
	UsageModel  string            `json:"usage_model"`
	Placement   json.RawMessage   `json:"placement,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	scriptLevelJSON
}

// scriptLevelJSON is what /script-settings shows: what belongs to the script, not to a version.
type scriptLevelJSON struct {
	Tags          []string        `json:"tags"`
	Logpush       json.RawMessage `json:"logpush"`
	Observability json.RawMessage `json:"observability,omitempty"`
	TailConsumers json.RawMessage `json:"tail_consumers,omitempty"`
}

func describeSettings(s engine.Script) settingsJSON {
	v := s.Version
	return settingsJSON{
		Bindings: collect(v.Bindings, describeBinding), Date: v.CompatibilityDate, Flags: listed(v.CompatibilityFlags),
		Limits: describeLimits(v.Limits), Switchyard: describeExtension(&v), UsageModel: "standard",
		Placement: extrasOf(v.Metadata).Placement, Annotations: v.Annotations, scriptLevelJSON: describeScriptLevel(s),
	}
}

func describeScriptLevel(s engine.Script) scriptLevelJSON {
	x := extrasOf(s.Version.Metadata)
	if x.Logpush == nil {
		x.Logpush = json.RawMessage("false")
	}
	return scriptLevelJSON{Tags: listed(s.Tags), Logpush: x.Logpush, Observability: x.Observability, TailConsumers: x.TailConsumers}
}

func (s *server) getSettings(c *call) (any, error) {
	return described(describeSettings)(s.Platform.Script(c.ref()))
}

func (s *server) getScriptLevel(c *call) (any, error) {
	return described(describeScriptLevel)(s.Platform.Script(c.ref()))
}

func (s *server) getBindings(c *call) (any, error) {
	script, err := s.Platform.Script(c.ref())
	if err != nil {
		return nil, err
	}
	return onePage(c, collect(script.Version.Bindings, describeBinding)), nil
}

// patchSettings takes a form with a part "settings", as the clients send it, or plain JSON.
func (s *server) patchSettings(c *call) (any, error) {
	doc, err := c.readSettings()
	if err != nil {
		return nil, err
	}
	var patch struct {
		settings
		unsupported
	}
	if err := decodeJSON("settings", doc, &patch); err != nil {
		return nil, err
	}
	if err := patch.unsupported.check(); err != nil {
		return nil, err
	}
	script, err := s.Platform.Script(c.ref())
	if err != nil {
		return nil, err
	}
	changed, err := changesExtras(script.Version.Metadata, doc)
	if err != nil {
		return nil, err
	}
	if tags := patch.Tags; !changed && tags != nil && patch.settings.onlyTags() {
		return described(describeSettings)(s.changeTags(c, tags))
	}
	return described(describeSettings)(s.edit(c, func(u *engine.Upload) error {
		if err := patch.settings.apply(u); err != nil {
			return err
		}
		return mergeExtras(u, doc)
	}))
}

// patchScriptLevel changes what belongs to the script. wrangler sends its configuration here
// after every deploy, mostly to no effect: what changes nothing makes no version, nor do tags.
func (s *server) patchScriptLevel(c *call) (any, error) {
	doc, err := c.readSettings()
	if err != nil {
		return nil, err
	}
	var patch struct {
		Tags *[]string `json:"tags"`
	}
	if err := decodeJSON("settings", doc, &patch); err != nil {
		return nil, err
	}
	script, err := s.changeTags(c, patch.Tags)
	if err != nil {
		return nil, err
	}
	changed, err := changesExtras(script.Version.Metadata, doc)
	if err != nil || !changed {
		return describeScriptLevel(script), err
	}
	return described(describeScriptLevel)(s.edit(c, func(u *engine.Upload) error { return mergeExtras(u, doc) }))
}

// readSettings returns the JSON document of a change of settings.
func (c *call) readSettings() ([]byte, error) {
	body, err := c.readBody(maxJSONBody)
	if err != nil {
		return nil, err
	}
	boundary, err := boundaryOf(c.r.Header.Get("Content-Type"), body)
	if err != nil || boundary == "" {
		return body, err
	}
	f, err := parseForm(body, boundary)
	if err != nil {
		return nil, err
	}
	doc, _, err := f.document("settings")
	return doc, err
}

// changesExtras says whether laying doc over stored would change what is stored. Nothing at
// all, false, {"enabled":false} and an empty list mean the same in each of those keys.
func changesExtras(stored, doc []byte, besides ...string) (bool, error) {
	after := engine.Upload{Metadata: stored}
	if err := mergeExtras(&after, doc, besides...); err != nil {
		return false, err
	}
	a, err := meaningful(stored)
	if err != nil {
		return false, err
	}
	b, err := meaningful(after.Metadata)
	return a != b, err
}

// meaningful is doc without what says nothing, in one canonical spelling.
func meaningful(doc []byte) (string, error) {
	var keys map[string]any
	if len(doc) == 0 {
		return "", nil
	}
	if err := decodeJSON("settings", doc, &keys); err != nil {
		return "", err
	}
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		text, err := json.Marshal(keys[key])
		if err != nil {
			return "", err
		}
		switch string(text) {
		case "false", "[]", "{}", `{"enabled":false}`:
		default:
			b.WriteString(key + "=" + string(text) + "\n")
		}
	}
	return b.String(), nil
}
