package engine

import "encoding/json"

// Binding types that have a meaning here. Others are refused at upload by name, except those
// that a client sends without needing them.
const (
	PlainText         = "plain_text"
	SecretText        = "secret_text"
	JSON              = "json"
	DispatchNamespace = "dispatch_namespace"
	Service           = "service"
	KV                = "kv_namespace"
	AnalyticsEngine   = "analytics_engine"
	RateLimiting      = "ratelimit"
	VersionMetadata   = "version_metadata"
	AssetsBinding     = "assets"
	Inherit           = "inherit"
)

// Binding is a named capability of a version, as it is uploaded and stored. Which fields
// count depends on Type.
type Binding struct {
	Name       string          `json:"name"`
	Type       string          `json:"type"`
	Text       string          `json:"text,omitempty"`       // plain_text, secret_text
	JSON       json.RawMessage `json:"json,omitempty"`       // json
	Namespace  string          `json:"namespace,omitempty"`  // dispatch_namespace
	Outbound   *Outbound       `json:"outbound,omitempty"`   // dispatch_namespace
	Service    string          `json:"service,omitempty"`    // service: a plain Worker
	Entrypoint string          `json:"entrypoint,omitempty"` // service
	Props      json.RawMessage `json:"props,omitempty"`      // service: ctx.props of what it calls
	OldName    string          `json:"old_name,omitempty"`   // inherit: its name in that version
	VersionID  string          `json:"version_id,omitempty"` // inherit: from this version; "" is the newest

	NamespaceID string     `json:"namespace_id,omitempty"` // kv_namespace; ratelimit: what counts together
	Dataset     string     `json:"dataset,omitempty"`      // analytics_engine
	Simple      *RateLimit `json:"simple,omitempty"`       // ratelimit
}

// Outbound is the Worker that every fetch() of a dispatched user Worker becomes a request to.
type Outbound struct {
	Service    string   `json:"service"`              // a plain Worker
	Entrypoint string   `json:"entrypoint,omitempty"` // "" is the default export
	Params     []string `json:"params,omitempty"`     // names a dispatch may give values for; they appear in the Worker's env
}
