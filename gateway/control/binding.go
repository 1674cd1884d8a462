package control

import (
	"encoding/json"
	"fmt"
	"slices"

	"switchyard/engine"
)

// binding is a binding as the API writes it, in both directions.
type binding struct {
	Name       string          `json:"name"`
	Type       string          `json:"type"`
	Text       *string         `json:"text,omitempty"`
	JSON       json.RawMessage `json:"json,omitempty"`
	Namespace  string          `json:"namespace,omitempty"`
	Outbound   *outbound       `json:"outbound,omitempty"`
	Service    string          `json:"service,omitempty"`
	Entrypoint string          `json:"entrypoint,omitempty"`
	Props      json.RawMessage `json:"props,omitempty"`
	OldName    string          `json:"old_name,omitempty"`
	VersionID  string          `json:"version_id,omitempty"`

	NamespaceID string    `json:"namespace_id,omitempty"`
	Dataset     string    `json:"dataset,omitempty"`
	Simple      *rateJSON `json:"simple,omitempty"`
}

// rateJSON is a ratelimit's limit. wrangler and the SDKs send numbers; flattened metadata has texts, which are made
// numbers before this is decoded.
type rateJSON struct {
	Limit  int `json:"limit"`
	Period int `json:"period"`
}

type outbound struct {
	Worker struct {
		Service    string `json:"service"`
		Entrypoint string `json:"entrypoint,omitempty"`
	} `json:"worker"`
	Params []param `json:"params,omitempty"`
}

type param struct {
	Name string `json:"name"`
}

// bare says that b only names a binding which is to stay as it is.
func (b *binding) bare() bool {
	switch b.Type {
	case engine.PlainText, engine.SecretText:
		return b.Text == nil
	case engine.JSON:
		return b.JSON == nil
	case engine.DispatchNamespace:
		return b.Namespace == ""
	case engine.Service:
		return b.Service == ""
	case engine.KV:
		return b.NamespaceID == ""
	case engine.AnalyticsEngine:
		return b.Dataset == ""
	case engine.RateLimiting:
		return b.NamespaceID == "" && b.Simple == nil
	}
	return false
}

func (b *binding) decode(i int) (engine.Binding, error) {
	out := engine.Binding{Name: b.Name, Type: b.Type}
	refused := func(why string) error {
		p := refuse(fmt.Sprintf("bindings[%d] %s: %s", i, quote(b.Name), why))
		p.Source = &source{fmt.Sprintf("/bindings/%d", i)}
		return p
	}
	if b.bare() {
		out.Type = engine.Inherit
		return out, nil
	}
	switch b.Type {
	case engine.PlainText, engine.SecretText:
		out.Text = *b.Text
	case engine.JSON:
		out.JSON = b.JSON
	case engine.DispatchNamespace:
		out.Namespace, out.Outbound = b.Namespace, b.Outbound.decode()
	case engine.Service:
		out.Service, out.Entrypoint = b.Service, b.Entrypoint
		if string(b.Props) != "null" {
			out.Props = b.Props
		}
	case engine.KV:
		out.NamespaceID = b.NamespaceID
	case engine.AnalyticsEngine:
		out.Dataset = b.Dataset
	case engine.RateLimiting:
		out.NamespaceID, out.Simple = b.NamespaceID, (*engine.RateLimit)(b.Simple)
	case engine.VersionMetadata:
	case engine.AssetsBinding:
	case engine.Inherit:
		out.OldName, out.VersionID = b.OldName, b.VersionID
	case "":
		return out, refused("has no type")
	default:
		return out, refused("bindings of type " + quote(b.Type) + " are not supported by this server")
	}
	return out, nil
}

func (o *outbound) decode() *engine.Outbound {
	if o == nil {
		return nil
	}
	out := &engine.Outbound{Service: o.Worker.Service, Entrypoint: o.Worker.Entrypoint}
	for _, p := range o.Params {
		out.Params = append(out.Params, p.Name)
	}
	return out
}

// replaceBindings puts sent in the place of u's bindings. Secrets stay though they are not
// sent: nobody can read one back to send it again, so they go only when they are deleted by
// name. What is sent bare the engine inherits; not being there is an error then, whatever the
// client says of inheriting, so that no binding gets lost unsaid.
func replaceBindings(u *engine.Upload, sent []binding) error {
	old := u.Bindings
	u.Bindings = make([]engine.Binding, 0, len(sent))
	for i := range sent {
		b, err := sent[i].decode(i)
		if err != nil {
			return err
		}
		u.StrictInherit = u.StrictInherit || sent[i].bare()
		u.Bindings = append(u.Bindings, b)
	}
	for _, b := range old {
		if b.Type == engine.SecretText && findBinding(u.Bindings, b.Name) < 0 {
			u.Bindings = append(u.Bindings, b)
		}
	}
	return nil
}

// findBinding returns the index of the binding called name, -1 when there is none.
func findBinding(bindings []engine.Binding, name string) int {
	return slices.IndexFunc(bindings, func(b engine.Binding) bool { return b.Name == name })
}

// describeBinding shows text of plain_text alone: that of a secret never leaves.
func describeBinding(b engine.Binding) binding {
	out := binding{
		Name: b.Name, Type: b.Type, JSON: b.JSON, Namespace: b.Namespace,
		Service: b.Service, Entrypoint: b.Entrypoint, Props: b.Props, OldName: b.OldName, VersionID: b.VersionID,
		NamespaceID: b.NamespaceID, Dataset: b.Dataset, Simple: (*rateJSON)(b.Simple),
	}
	if b.Type == engine.PlainText {
		out.Text = &b.Text
	}
	if b.Outbound != nil {
		out.Outbound = &outbound{Params: collect(b.Outbound.Params, func(name string) param { return param{name} })}
		out.Outbound.Worker.Service, out.Outbound.Worker.Entrypoint = b.Outbound.Service, b.Outbound.Entrypoint
	}
	return out
}
