package control

import (
	"context"
	"net/netip"

	"switchyard/engine"
	"switchyard/isolate"
)

// Platform is what the API calls; *engine.Engine implements it. Every method may be called
// from several goroutines at once. A change that returned nil is durable and live.
type Platform interface {
	Namespaces() []engine.Namespace
	Namespace(name string) (engine.Namespace, error)
	CreateNamespace(ctx context.Context, name string) (engine.Namespace, error)
	UpdateNamespace(ctx context.Context, name string, p engine.NamespacePatch) (engine.Namespace, error)
	DeleteNamespace(ctx context.Context, name string) error

	Scripts(namespace string) ([]engine.Script, error)
	Script(ref engine.Ref) (engine.Script, error)
	Content(ref engine.Ref) (main string, modules []isolate.Module, err error)
	Deploy(ctx context.Context, ref engine.Ref, u engine.Upload) (engine.Script, error)
	// Edit makes a version from the newest one and deploys it. An error of edit comes back
	// unchanged or wrapped, and nothing is changed.
	Edit(ctx context.Context, ref engine.Ref, edit func(*engine.Upload) error) (engine.Script, error)
	// CreateScript makes a script without a version; EditScript changes what belongs to none.
	CreateScript(ctx context.Context, ref engine.Ref, settings engine.ScriptSettings) (engine.Script, error)
	EditScript(ctx context.Context, ref engine.Ref, edit func(*engine.ScriptSettings) error) (engine.Script, error)
	DeleteScript(ctx context.Context, ref engine.Ref) error

	BeginAssets(ctx context.Context, ref engine.Ref, manifest map[string]engine.AssetFile) (engine.AssetSession, error)
	VerifyAssets(token string) error
	PutAsset(ctx context.Context, token, hash, contentType string, content []byte) error
	FinishAssets(ctx context.Context, token string) (completion string, err error)

	Versions(ref engine.Ref) ([]engine.Version, error)
	Version(ref engine.Ref, id string) (engine.Version, error)
	VersionContent(ref engine.Ref, id string) (main string, modules []isolate.Module, err error)
	AddVersion(ctx context.Context, ref engine.Ref, u engine.Upload) (engine.Version, error)
	Deployments(ref engine.Ref) ([]engine.Deployment, error)
	AddDeployment(ctx context.Context, ref engine.Ref, shares []engine.Share, annotations map[string]string) (engine.Deployment, error)

	// Authenticate finds the API token that a client presents, if it may be used from there.
	Authenticate(token string, from netip.Addr) (engine.Token, bool)
	Tokens() []engine.Token
	Token(id string) (engine.Token, error)
	CreateToken(ctx context.Context, spec engine.TokenSpec) (t engine.Token, secret string, err error)
	UpdateToken(ctx context.Context, id string, spec engine.TokenSpec) (engine.Token, error)
	RollToken(ctx context.Context, id string) (secret string, err error)
	DeleteToken(ctx context.Context, id string) error

	// Audit ends an act whose changes were made under engine.WithAct.
	Audit(ctx context.Context, a *engine.Act, status int, refusal string) error
	AuditEntries(q engine.AuditQuery, f func(engine.AuditEntry) bool) error

	KVNamespaces() []engine.KVNamespace
	KVNamespace(id string) (engine.KVNamespace, error)
	CreateKVNamespace(ctx context.Context, title string) (engine.KVNamespace, error)
	RenameKVNamespace(ctx context.Context, id, title string) (engine.KVNamespace, error)
	DeleteKVNamespace(ctx context.Context, id string) error
	KVGet(namespaceID, key string) (*engine.KVPair, error)
	KVPut(ctx context.Context, namespaceID string, pairs ...engine.KVPair) error
	KVDelete(ctx context.Context, namespaceID string, keys ...string) error
	KVList(namespaceID, prefix, after string, limit int) (pairs []engine.KVPair, more bool, err error)

	Datasets() ([]engine.Dataset, error)
	DroppedPoints() uint64
	DataPoints(q engine.DataQuery, f func(engine.DataPoint) bool) error
	DeleteDataset(ctx context.Context, name string) error

	Plans() []engine.Plan
	Plan(name string) (engine.Plan, error)
	PutPlan(ctx context.Context, p engine.Plan) (engine.Plan, error)
	DeletePlan(ctx context.Context, name string) error
	Usage(ctx context.Context, q engine.UsageQuery) ([]engine.UsageRow, error)

	Routes() []engine.Route
	PutRoute(ctx context.Context, pattern, script string) (engine.Route, error)
	UpdateRoute(ctx context.Context, id, pattern, script string) (engine.Route, error)
	DeleteRoute(ctx context.Context, id string) error

	Domains() []engine.Route
	PutDomain(ctx context.Context, hostname, script, zone string, override bool) (engine.Route, error)
	DeleteDomain(ctx context.Context, id string) error
}
