package control

import (
	"encoding/json"
	"net/http"
	"time"

	"switchyard/engine"
)

type namespaceJSON struct {
	ID         string               `json:"namespace_id"`
	Name       string               `json:"namespace_name"`
	Scripts    int                  `json:"script_count"`
	Trusted    bool                 `json:"trusted_workers"`
	Limits     *limits              `json:"limits,omitempty"`
	Quota      *quotaJSON           `json:"quota,omitempty"`
	Egress     *engine.EgressPolicy `json:"egress,omitempty"`
	CreatedOn  time.Time            `json:"created_on"`
	CreatedBy  string               `json:"created_by"`
	ModifiedOn time.Time            `json:"modified_on"`
	ModifiedBy string               `json:"modified_by"`
}

func describeNamespace(n engine.Namespace) namespaceJSON {
	return namespaceJSON{
		ID: n.ID, Name: n.Name, Scripts: n.Scripts, Trusted: n.Trusted, Limits: describeLimits(n.Limits), Quota: describeShared(n.Quota), Egress: n.Egress,
		CreatedOn: stamp(n.Created), CreatedBy: operatorID, ModifiedOn: stamp(n.Modified), ModifiedBy: operatorID,
	}
}

func (s *server) listNamespaces(c *call) (any, error) {
	return onePage(c, collect(s.Platform.Namespaces(), describeNamespace)), nil
}

func (s *server) getNamespace(c *call) (any, error) {
	return described(describeNamespace)(s.Platform.Namespace(c.param("namespace")))
}

func (s *server) createNamespace(c *call) (any, error) {
	var body struct {
		Name string `json:"name"`
	}
	if err := c.readJSON(&body); err != nil {
		return nil, err
	}
	if body.Name == "" {
		return nil, fail(http.StatusBadRequest, codeInput, "name: a dispatch namespace needs one")
	}
	return described(describeNamespace)(s.Platform.CreateNamespace(c.context(), body.Name))
}

// updateNamespace answers PUT and PATCH alike: wrangler's rename is a PUT that sends the name
// alone, so that an omitted field stays as it is in both.
func (s *server) updateNamespace(c *call) (any, error) {
	var body struct {
		Name    *string             `json:"name"`
		Trusted *bool               `json:"trusted_workers"`
		Limits  optional[limits]    `json:"limits"`
		Quota   optional[quotaJSON] `json:"quota"`
		Egress  json.RawMessage     `json:"egress"`
	}
	if err := c.readJSON(&body); err != nil {
		return nil, err
	}
	patch := engine.NamespacePatch{Name: body.Name, Trusted: body.Trusted}
	if (body.Limits.given || body.Quota.given || body.Egress != nil) && !c.who.Scope.Allows(engine.Grant{Area: engine.AreaScripts, Write: true}) {
		return nil, fail(http.StatusForbidden, codeAuth, "Authentication error: limits, quota and egress of a namespace are the account's to change")
	}
	if body.Limits.given {
		l, err := body.Limits.value.decode()
		if err != nil {
			return nil, err
		}
		patch.Limits = &l
	}
	if body.Quota.given {
		q, err := body.Quota.value.decodeShared()
		if err != nil {
			return nil, err
		}
		patch.Quota = &q
	}
	var err error
	if patch.Egress, err = readEgress("egress", body.Egress); err != nil {
		return nil, err
	}
	return described(describeNamespace)(s.Platform.UpdateNamespace(c.context(), c.param("namespace"), patch))
}

func (s *server) deleteNamespace(c *call) (any, error) {
	return noResult, s.Platform.DeleteNamespace(c.context(), c.param("namespace"))
}
