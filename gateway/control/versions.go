package control

import (
	"time"

	"switchyard/engine"
)

type versionJSON struct {
	ID          string            `json:"id"`
	Number      int               `json:"number"`
	Metadata    versionMetaJSON   `json:"metadata"`
	Annotations map[string]string `json:"annotations"`
	Resources   resourcesJSON     `json:"resources"`
	StartupMS   int64             `json:"startup_time_ms"`
}

type versionMetaJSON struct {
	CreatedOn   time.Time `json:"created_on"`
	ModifiedOn  time.Time `json:"modified_on"`
	AuthorID    string    `json:"author_id"`
	AuthorEmail string    `json:"author_email"`
	Source      string    `json:"source"`
	HasPreview  bool      `json:"hasPreview"`
}

type resourcesJSON struct {
	Script struct {
		ETag         string `json:"etag"`
		DeployedFrom string `json:"last_deployed_from"`
	} `json:"script"`
	Runtime struct {
		Date       string   `json:"compatibility_date,omitempty"`
		Flags      []string `json:"compatibility_flags"`
		UsageModel string   `json:"usage_model"`
		Limits     *limits  `json:"limits,omitempty"`
	} `json:"script_runtime"`
	Bindings []binding `json:"bindings"`
}

func describeVersion(v engine.Version) versionJSON {
	out := versionJSON{
		ID: v.ID, Number: v.Number, Annotations: annotated(v.Annotations), StartupMS: v.Startup.Milliseconds(),
		Metadata: versionMetaJSON{CreatedOn: stamp(v.Created), ModifiedOn: stamp(v.Created), AuthorID: operatorID, AuthorEmail: operatorEmail, Source: "wrangler"},
	}
	r := &out.Resources
	r.Script.ETag, r.Script.DeployedFrom = v.ETag, "wrangler"
	r.Runtime.Date, r.Runtime.Flags = v.CompatibilityDate, listed(v.CompatibilityFlags)
	r.Runtime.UsageModel, r.Runtime.Limits = "standard", describeLimits(v.Limits)
	r.Bindings = collect(v.Bindings, describeBinding)
	return out
}

// annotated is never null in JSON: wrangler looks into it.
func annotated(a map[string]string) map[string]string {
	if a == nil {
		return map[string]string{}
	}
	return a
}

func (s *server) listVersions(c *call) (any, error) {
	versions, err := s.Platform.Versions(c.ref())
	if err != nil {
		return nil, err
	}
	page := onePage(c, collect(versions, describeVersion))
	page.items = map[string]any{"items": page.items}
	return page, nil
}

func (s *server) getVersion(c *call) (any, error) {
	return described(describeVersion)(s.Platform.Version(c.ref(), c.param("version")))
}

// addVersion uploads without giving the version any traffic.
func (s *server) addVersion(c *call) (any, error) {
	u, err := s.readUpload(c)
	if err != nil {
		return nil, err
	}
	return described(describeVersion)(s.Platform.AddVersion(c.context(), c.ref(), u))
}
