package control

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"switchyard/engine"
	"switchyard/isolate"
)

// A worker is the public API's newest shape of a plain Worker: settings of the script under
// workers/workers/{id or name}, versions with their modules as JSON.

type workerJSON struct {
	ID            string          `json:"id"`
	Name          string          `json:"name"`
	Tags          []string        `json:"tags"`
	CreatedOn     time.Time       `json:"created_on"`
	UpdatedOn     time.Time       `json:"updated_on"`
	DeployedOn    *time.Time      `json:"deployed_on"`
	Subdomain     subdomainJSON   `json:"subdomain"`
	Logpush       json.RawMessage `json:"logpush"`
	Observability json.RawMessage `json:"observability"`
	TailConsumers json.RawMessage `json:"tail_consumers"`
	References    referencesJSON  `json:"references"`
}

type referencesJSON struct {
	Outbounds      []any        `json:"dispatch_namespace_outbounds"`
	Domains        []domainJSON `json:"domains"`
	DurableObjects []any        `json:"durable_objects"`
	Queues         []any        `json:"queues"`
	Workers        []any        `json:"workers"`
}

func (s *server) describeWorker(script engine.Script) workerJSON {
	x := extrasOf(script.Version.Metadata)
	domains := slices.DeleteFunc(s.Platform.Domains(), func(r engine.Route) bool { return r.Script != script.Script })
	return workerJSON{
		ID: script.ID, Name: script.Script, Tags: listed(script.Tags), CreatedOn: stamp(script.Created), UpdatedOn: stamp(script.Modified),
		DeployedOn: stampOrNone(script.Deployment.Created), Subdomain: subdomainJSON(script.Subdomain), Logpush: or(x.Logpush, "false"),
		Observability: or(x.Observability, `{"enabled":false}`), TailConsumers: or(x.TailConsumers, "[]"),
		References: referencesJSON{[]any{}, collect(domains, describeDomain), []any{}, []any{}, []any{}},
	}
}

func or(doc json.RawMessage, otherwise string) json.RawMessage {
	if doc == nil {
		return json.RawMessage(otherwise)
	}
	return doc
}

// workerRef resolves the path's Worker, which may be named by id.
func (s *server) workerRef(c *call) (engine.Ref, error) {
	ref := engine.Ref{Script: c.param("worker")}
	if _, err := s.Platform.Script(ref); err == nil {
		return ref, nil
	}
	scripts, err := s.Platform.Scripts("")
	if err != nil {
		return ref, err
	}
	for _, script := range scripts {
		if script.ID == ref.Script {
			return script.Ref, nil
		}
	}
	return ref, fmt.Errorf("%w: %q", engine.ErrScriptNotFound, ref.Script)
}

// atWorker is an endpoint of one Worker; what it reads of the path is the Worker's name.
func (s *server) atWorker(e endpoint) endpoint {
	return func(c *call) (any, error) {
		ref, err := s.workerRef(c)
		if err != nil {
			return nil, err
		}
		c.params["script"] = ref.Script
		return e(c)
	}
}

func (s *server) listWorkers(c *call) (any, error) {
	scripts, err := s.Platform.Scripts("")
	if err != nil {
		return nil, err
	}
	return onePage(c, collect(scripts, s.describeWorker)), nil
}

func (s *server) getWorker(c *call) (any, error) {
	return described(s.describeWorker)(s.Platform.Script(c.ref()))
}

// workerBody is what a client sends of one.
type workerBody struct {
	Name      *string        `json:"name"`
	Tags      *[]string      `json:"tags"`
	Subdomain *subdomainBody `json:"subdomain"`
}

func (b *workerBody) apply(settings *engine.ScriptSettings) error {
	if b.Tags != nil {
		settings.Tags = *b.Tags
	}
	if b.Subdomain != nil {
		b.Subdomain.apply(&settings.Subdomain)
	}
	return nil
}

// createWorker makes a Worker that has no version yet.
func (s *server) createWorker(c *call) (any, error) {
	doc, err := c.readBody(maxJSONBody)
	if err != nil {
		return nil, err
	}
	var body workerBody
	if err := decodeJSON("body", doc, &body); err != nil {
		return nil, err
	}
	if body.Name == nil || *body.Name == "" {
		return nil, refuse("name: a Worker needs one")
	}
	if changed, err := changesExtras(nil, doc, workerKeys...); err != nil || changed {
		if err == nil {
			err = refuse("observability, logpush and tail_consumers belong to a version here: change them once the Worker has one")
		}
		return nil, err
	}
	var settings engine.ScriptSettings
	body.apply(&settings)
	return described(s.describeWorker)(s.Platform.CreateScript(c.context(), engine.Ref{Script: *body.Name}, settings))
}

// workerKeys are those of a Worker that are no extras.
var workerKeys = []string{"name", "tags", "subdomain", "id", "created_on", "updated_on", "deployed_on", "references", "previews_base_config"}

// updateWorker is PUT and PATCH: what is not said stays.
func (s *server) updateWorker(c *call) (any, error) {
	doc, err := c.readBody(maxJSONBody)
	if err != nil {
		return nil, err
	}
	var body workerBody
	if err := decodeJSON("body", doc, &body); err != nil {
		return nil, err
	}
	if body.Name != nil && *body.Name != c.param("script") {
		return nil, refuse("name: a Worker is not renamed: deploy it under the other name")
	}
	script, err := s.Platform.EditScript(c.context(), c.ref(), body.apply)
	if err != nil {
		return nil, err
	}
	if changed, err := changesExtras(script.Version.Metadata, doc, workerKeys...); err != nil || !changed {
		return s.describeWorker(script), err
	}
	return described(s.describeWorker)(s.edit(c, func(u *engine.Upload) error { return mergeExtras(u, doc, workerKeys...) }))
}

type workerVersionJSON struct {
	ID          string            `json:"id"`
	Number      int               `json:"number"`
	CreatedOn   time.Time         `json:"created_on"`
	URLs        []string          `json:"urls"`
	Annotations map[string]string `json:"annotations"`
	AuthorEmail string            `json:"author_email"`
	AuthorID    string            `json:"author_id"`
	Bindings    []binding         `json:"bindings"`
	Date        string            `json:"compatibility_date,omitempty"`
	Flags       []string          `json:"compatibility_flags"`
	Limits      *limits           `json:"limits,omitempty"`
	Main        string            `json:"main_module,omitempty"`
	Modules     []moduleJSON      `json:"modules,omitempty"`
	Source      string            `json:"source"`
	StartupMS   int64             `json:"startup_time_ms"`
	UsageModel  string            `json:"usage_model"`
}

type moduleJSON struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type"`
	Content     []byte `json:"content_base64"`
}

func describeModule(m isolate.Module) moduleJSON {
	return moduleJSON{m.Name, contentTypes[m.Kind], m.Source}
}

func describeWorkerVersion(v engine.Version) workerVersionJSON {
	return workerVersionJSON{
		ID: v.ID, Number: v.Number, CreatedOn: stamp(v.Created), URLs: []string{}, Annotations: annotated(v.Annotations),
		AuthorEmail: operatorEmail, AuthorID: operatorID, Bindings: collect(v.Bindings, describeBinding), Date: v.CompatibilityDate,
		Flags: listed(v.CompatibilityFlags), Limits: describeLimits(v.Limits), Main: v.Main, Source: "wrangler",
		StartupMS: v.Startup.Milliseconds(), UsageModel: "standard",
	}
}

func (s *server) listWorkerVersions(c *call) (any, error) {
	versions, err := s.Platform.Versions(c.ref())
	if err != nil {
		return nil, err
	}
	return onePage(c, collect(versions, describeWorkerVersion)), nil
}

// getWorkerVersion shows the version's source too, when asked to by ?include=modules.
func (s *server) getWorkerVersion(c *call) (any, error) {
	v, err := s.Platform.Version(c.ref(), c.param("version"))
	if err != nil {
		return nil, err
	}
	out := describeWorkerVersion(v)
	if c.query("include") == "modules" {
		_, modules, err := s.Platform.VersionContent(c.ref(), v.ID)
		if err != nil {
			return nil, err
		}
		out.Modules = collect(modules, describeModule)
	}
	return out, nil
}

// createWorkerVersion takes a version as one JSON document, modules included; ?deploy=true gives
// it all the traffic.
func (s *server) createWorkerVersion(c *call) (any, error) {
	body, err := c.readBody(s.MaxUpload)
	if err != nil {
		return nil, err
	}
	u, err := jsonUpload(body)
	if err != nil {
		return nil, err
	}
	if c.query("deploy") != "true" {
		return described(describeWorkerVersion)(s.Platform.AddVersion(c.context(), c.ref(), u))
	}
	script, err := s.Platform.Deploy(c.context(), c.ref(), u)
	return describeWorkerVersion(script.Version), err
}

// jsonUpload makes an upload of a document that has the modules in it.
func jsonUpload(body []byte) (engine.Upload, error) {
	var sent struct {
		metadata
		Modules []struct {
			Name        string `json:"name"`
			ContentType string `json:"content_type"`
			Content     string `json:"content_base64"`
		} `json:"modules"`
	}
	if err := decodeJSON("body", body, &sent); err != nil {
		return engine.Upload{}, err
	}
	var parts form
	for i, m := range sent.Modules {
		source, err := base64.StdEncoding.DecodeString(m.Content)
		if err != nil {
			return engine.Upload{}, refuse(fmt.Sprintf("modules[%d].content_base64: %v", i, err))
		}
		parts = append(parts, part{name: m.Name, filename: m.Name, contentType: m.ContentType, body: source})
	}
	if len(parts) > maxParts {
		return engine.Upload{}, fail(http.StatusBadRequest, codeTooLarge, fmt.Sprintf("more than %d modules", maxParts))
	}
	u, err := sent.metadata.upload(body, "modules")
	if err != nil {
		return u, err
	}
	u.Modules, err = modulesOf(parts, u.Main, sent.BodyPart != "")
	return u, err
}

func (s *server) workerEndpoints() []row {
	path := pathAccount + "/workers/workers"
	one := path + "/{worker}"
	return []row{
		{"GET", path, s.listWorkers},
		{"POST", path, s.createWorker},
		{"GET", one, s.atWorker(s.getWorker)},
		{"PUT", one, s.atWorker(s.updateWorker)},
		{"PATCH", one, s.atWorker(s.updateWorker)},
		{"DELETE", one, s.atWorker(s.deleteScript)},
		{"GET", one + "/versions", s.atWorker(s.listWorkerVersions)},
		{"POST", one + "/versions", s.upload(s.atWorker(s.createWorkerVersion))},
		{"GET", one + "/versions/{version}", s.atWorker(s.getWorkerVersion)},
		{"DELETE", one + "/versions/{version}", absent("Deleting one version")},
	}
}
