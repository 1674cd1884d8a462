package engine

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"unicode/utf8"
)

const (
	maxBindings     = 128
	maxBindingText  = 64 << 10
	maxBindingsText = 1 << 20 // all of a version's together
	maxParams       = 32
)

// checkBindings refuses bindings that could not mean anything. u.Bindings are resolved: nothing
// is inherited any more. A binding that the version before had already is not asked for its
// target again, so that a Worker can be changed after what it calls was deleted.
func (d *draft) checkBindings() error {
	bindings := d.upload.Bindings
	if len(bindings) > maxBindings {
		return invalid("bindings", "there are %d bindings, at most %d are allowed", len(bindings), maxBindings)
	}
	size, names := 0, map[string]bool{}
	for i := range bindings {
		b := &bindings[i]
		field := fmt.Sprintf("bindings[%d]", i)
		if err := checkBindingName(field+".name", b.Name); err != nil {
			return err
		}
		if names[b.Name] {
			return invalid(field+".name", "the binding %q is there twice", b.Name)
		}
		names[b.Name] = true
		if size += len(b.Text) + len(b.JSON) + len(b.Props); size > maxBindingsText {
			return invalid(field, "the bindings' values have more than %d bytes together", maxBindingsText)
		}
		if slices.ContainsFunc(d.base.Bindings, func(old Binding) bool { return reflect.DeepEqual(old, *b) }) {
			continue
		}
		if err := d.checkBinding(field, b); err != nil {
			return err
		}
	}
	return nil
}

func (d *draft) checkBinding(field string, b *Binding) error {
	switch b.Type {
	case PlainText, SecretText:
		if len(b.Text) > maxBindingText || !utf8.ValidString(b.Text) {
			return invalid(field+".text", "must be UTF-8 text of at most %d bytes", maxBindingText)
		}
	case JSON:
		if len(b.JSON) > maxBindingText || !json.Valid(b.JSON) {
			return invalid(field+".json", "must be a JSON value of at most %d bytes", maxBindingText)
		}
	case Service:
		var props map[string]json.RawMessage
		if len(b.Props) > maxBindingText || len(b.Props) > 0 && json.Unmarshal(b.Props, &props) != nil {
			return invalid(field+".props", "must be a JSON object of at most %d bytes", maxBindingText)
		}
		return d.checkPlainWorker(field+".service", b.Service)
	case AssetsBinding:
		if d.version.Assets == nil {
			return invalid(field, "the binding %q is of static assets, and the upload has none", b.Name)
		}
	case DispatchNamespace:
		n, err := d.engine.dispatchNamespace(b.Namespace)
		if err != nil || !d.scope.Allows(Grant{Area: AreaScripts, Write: true, Namespace: n.id}) {
			return invalid(field+".namespace", "there is no dispatch namespace %q", b.Namespace)
		}
		return d.checkOutbound(field+".outbound", b.Outbound)
	case KV:
		if _, err := d.engine.catalog.kv.find(b.NamespaceID); err != nil || !d.scope.Allows(Grant{Area: AreaKV, Write: true}) {
			return &MissingKVError{Field: field + ".namespace_id", ID: b.NamespaceID}
		}
	case AnalyticsEngine:
		if !d.scope.Allows(Grant{Area: AreaScripts, Write: true}) {
			return invalid(field+".dataset", "this token may not give datasets to a Worker")
		}
		return checkName(field+".dataset", b.Dataset)
	case RateLimiting:
		return checkRateLimit(field, b)
	case VersionMetadata:
	default:
		return invalid(field+".type", "the binding %q has type %q, which this server does not have", b.Name, b.Type)
	}
	return nil
}

func (d *draft) checkOutbound(field string, o *Outbound) error {
	if o == nil {
		return nil
	}
	if len(o.Params) > maxParams {
		return invalid(field+".params", "there are %d parameters, at most %d are allowed", len(o.Params), maxParams)
	}
	for i, name := range o.Params {
		at := fmt.Sprintf("%s.params[%d]", field, i)
		if err := checkBindingName(at, name); err != nil {
			return err
		}
		if slices.Contains(o.Params[:i], name) {
			return invalid(at, "the parameter %q is there twice", name)
		}
	}
	return d.checkPlainWorker(field+".service", o.Service)
}

// checkPlainWorker accepts a plain Worker that is deployed, and the one being deployed, for whoever may change it. To others
// there is none.
func (d *draft) checkPlainWorker(field, name string) error {
	if name == "" {
		return invalid(field, "is missing: it names a plain Worker")
	}
	there := d.ref == (Ref{Script: name}) || d.engine.catalog.plain.scripts.get(name) != nil
	if there && d.scope.Allows(Grant{Area: AreaScripts, Write: true}) {
		return nil
	}
	return invalid(field, "there is no plain Worker %q", name)
}
