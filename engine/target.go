package engine

import "encoding/json"

// target is what a binding leads to. Names are looked up at each use, so that a Worker that is
// deployed again, deleted or renamed is seen at once.
type target struct {
	kind       targetKind
	name       string // of the namespace or of the plain Worker
	entrypoint string
	options    *optionCache // dispatch_namespace
}

type targetKind uint8

const (
	targetNone targetKind = iota // a value: nothing to fetch from
	targetNamespace
	targetService
)

func newTargets(bindings []Binding) []target {
	targets := make([]target, len(bindings))
	for i, b := range bindings {
		switch b.Type {
		case DispatchNamespace:
			targets[i] = target{kind: targetNamespace, name: b.Namespace, options: newOptionCache(b.Outbound)}
		case Service:
			targets[i] = target{kind: targetService, name: b.Service, entrypoint: b.Entrypoint}
		}
	}
	return targets
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
func newEnv(bindings []Binding) ([]byte, error) {
	env := make([]envBinding, len(bindings))
	for i, b := range bindings {
		env[i] = envBinding{Name: b.Name, Type: b.Type}
		switch b.Type {
		case PlainText, SecretText:
			env[i].Text = &b.Text
		case JSON:
			env[i].JSON = b.JSON
		case DispatchNamespace, Service:
			index := i
			env[i].Index = &index
		}
	}
	return json.Marshal(env)
}
