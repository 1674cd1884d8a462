package engine

import (
	"encoding/json"
	"time"
)

// target is what a binding leads to. Names are looked up at each use, so that a Worker that is
// deployed again, deleted or renamed is seen at once.
type target struct {
	kind       targetKind
	name       string // of the namespace or of the plain Worker
	entrypoint string
	props      []byte       // service: JSON object of ctx.props
	options    *optionCache // dispatch_namespace
	answerer   answerer     // of a binding that the host answers; else nil
}

type targetKind uint8

const (
	targetNone targetKind = iota // a value: nothing to fetch from
	targetNamespace
	targetService
	targetAssets // of the version itself
)

func (e *Engine) newTargets(bindings []Binding) []target {
	targets := make([]target, len(bindings))
	for i := range bindings {
		targets[i] = e.newTarget(&bindings[i])
	}
	return targets
}

func (e *Engine) newTarget(b *Binding) target {
	switch b.Type {
	case DispatchNamespace:
		return target{kind: targetNamespace, name: b.Namespace, options: newOptionCache(b.Outbound)}
	case Service:
		return target{kind: targetService, name: b.Service, entrypoint: b.Entrypoint, props: b.Props}
	case AssetsBinding:
		return target{kind: targetAssets}
	case KV:
		return target{answerer: &kvBinding{e.kv, b.NamespaceID}}
	case AnalyticsEngine:
		return target{answerer: &analyticsBinding{e.analytics, b.Dataset}}
	case RateLimiting:
		return target{answerer: newRateLimit(e.limiters, b)}
	}
	return target{}
}

// envBinding is a binding as isolate.Spec.Env documents it.
type envBinding struct {
	Name  string          `json:"name"`
	Type  string          `json:"type"`
	Text  *string         `json:"text,omitempty"`
	JSON  json.RawMessage `json:"json,omitempty"`
	Index *int            `json:"index,omitempty"`
}

// newEnv builds isolate.Spec.Env. Secrets are open in bindings.
func newEnv(v *Version) ([]byte, error) {
	env := make([]envBinding, len(v.Bindings))
	for i, b := range v.Bindings {
		env[i] = envBinding{Name: b.Name, Type: b.Type}
		switch b.Type {
		case PlainText, SecretText:
			env[i].Text = &b.Text
		case JSON:
			env[i].JSON = b.JSON
		case VersionMetadata:
			metadata, err := versionMetadata(v)
			if err != nil {
				return nil, err
			}
			env[i].Type, env[i].JSON = JSON, metadata
		case DispatchNamespace, Service, RateLimiting, KV, AnalyticsEngine, AssetsBinding:
			index := i
			env[i].Index = &index
		}
	}
	return json.Marshal(env)
}

// versionMetadata is what a version_metadata binding is: the version that runs.
func versionMetadata(v *Version) (json.RawMessage, error) {
	return json.Marshal(struct {
		ID        string    `json:"id"`
		Tag       string    `json:"tag"`
		Timestamp time.Time `json:"timestamp"`
	}{v.ID, v.Annotations["workers/tag"], v.Created.UTC().Truncate(time.Millisecond)})
}
