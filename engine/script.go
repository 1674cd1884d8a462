package engine

import (
	"encoding/json"
	"time"

	"switchyard/isolate"
)

// Ref names a script. Namespace is "" for a plain Worker, outside every namespace.
type Ref struct {
	Namespace string
	Script    string
}

func (r Ref) String() string {
	if r.Namespace == "" {
		return r.Script
	}
	return r.Namespace + "/" + r.Script
}

// Script is what the platform tells about a script.
type Script struct {
	Ref
	ID          string // immutable: another script of the same name later has another
	Tags        []string
	Crons       []Cron // kept and shown: nothing fires
	Subdomain   Subdomain
	Created     time.Time
	Modified    time.Time
	Version     Version    // the newest upload
	Deployment  Deployment // what receives traffic
	HasModules  bool       // ES modules, not service-worker syntax or wasm
	HandlesHTTP bool       // exports fetch
}

// Version is one immutable upload.
type Version struct {
	ID                 string // UUID
	Number             int    // 1, 2, 3… within the script
	Created            time.Time
	ETag               string // hash over main module and modules
	Main               string
	Modules            []ModuleInfo
	Bindings           []Binding // secrets without their text
	CompatibilityDate  string
	CompatibilityFlags []string
	Limits             isolate.Limits
	Policy             isolate.Policy
	Egress             *EgressPolicy     // of its fetches; nil: none of its own
	Startup            time.Duration     // CPU time of evaluating it
	Annotations        map[string]string // "workers/message", "workers/tag"
	Metadata           json.RawMessage   // what the upload said besides, kept as it came
	Assets             *Assets           // nil without static assets
}

// ModuleInfo describes a stored module.
type ModuleInfo struct {
	Name string
	Kind isolate.ModuleKind
	Size int64
	Hash string // hex SHA-256 of the source
}

// Deployment says which versions receive traffic, in what share.
type Deployment struct {
	ID          string // UUID
	Created     time.Time
	Shares      []Share
	Annotations map[string]string
}

// Share is one version's part of the traffic.
type Share struct {
	Version string
	Percent float64 // 0 to 100; the shares of a deployment add up to 100
}

// Upload is what a client sends to make a version. The engine owns it from then on.
type Upload struct {
	Main               string // name of the main module; "" for static assets alone
	Modules            []isolate.Module
	Bindings           []Binding
	KeepBindings       []string // types of bindings taken over from the version before
	StrictInherit      bool     // an inherit binding that resolves to nothing is an error, not dropped
	CompatibilityDate  string
	CompatibilityFlags []string
	Tags               []string // nil keeps the script's tags
	Limits             isolate.Limits
	Policy             isolate.Policy
	Egress             *EgressPolicy // made by ParseEgressPolicy; nil: none of its own
	Annotations        map[string]string
	Metadata           json.RawMessage
	Assets             *AssetsUpload // nil: none, or with KeepAssets those of the version before
	KeepAssets         bool
}

// Route sends the requests of a host pattern to a plain Worker.
type Route struct {
	ID      string
	Pattern string // "host/*", "*.host/*", "*/*": "*" only as the first label and as the path's end
	Script  string
	Domain  bool   // a custom domain: all of one host
	Zone    string // of a domain: as the client called it
}

// hasModules says that the Worker is an ES module.
func (v *Version) hasModules() bool {
	for _, m := range v.Modules {
		if m.Name == v.Main {
			return m.Kind == isolate.ModuleES
		}
	}
	return false
}
