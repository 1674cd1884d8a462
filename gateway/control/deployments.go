package control

import (
	"fmt"
	"slices"
	"time"

	"switchyard/engine"
)

type deploymentJSON struct {
	ID          string            `json:"id"`
	Source      string            `json:"source"`
	Strategy    string            `json:"strategy"`
	AuthorEmail string            `json:"author_email"`
	CreatedOn   time.Time         `json:"created_on"`
	Annotations map[string]string `json:"annotations"`
	Versions    []shareJSON       `json:"versions"`
}

type shareJSON struct {
	Version string  `json:"version_id"`
	Percent float64 `json:"percentage"`
}

func describeDeployment(d engine.Deployment) deploymentJSON {
	return deploymentJSON{
		ID: d.ID, Source: "wrangler", Strategy: "percentage", AuthorEmail: operatorEmail,
		CreatedOn: stamp(d.Created), Annotations: annotated(d.Annotations),
		Versions: collect(d.Shares, func(s engine.Share) shareJSON { return shareJSON(s) }),
	}
}

func (s *server) listDeployments(c *call) (any, error) {
	deployments, err := s.Platform.Deployments(c.ref())
	if err != nil {
		return nil, err
	}
	page := onePage(c, collect(deployments, describeDeployment))
	// wrangler reads deployments, the TypeScript SDK 7 reads items.
	page.items = map[string]any{"deployments": page.items, "items": page.items}
	return page, nil
}

func (s *server) getDeployment(c *call) (any, error) {
	deployments, err := s.Platform.Deployments(c.ref())
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(deployments, func(d engine.Deployment) bool { return d.ID == c.param("deployment") })
	if i < 0 {
		return nil, fmt.Errorf("%w: %s", engine.ErrDeploymentNotFound, quote(c.param("deployment")))
	}
	return describeDeployment(deployments[i]), nil
}

// addDeployment shifts the traffic to versions that are there already; a rollback is one too.
func (s *server) addDeployment(c *call) (any, error) {
	var body struct {
		Strategy    string            `json:"strategy"`
		Versions    []shareJSON       `json:"versions"`
		Annotations map[string]string `json:"annotations"`
	}
	if err := c.readJSON(&body); err != nil {
		return nil, err
	}
	if body.Strategy != "" && body.Strategy != "percentage" {
		return nil, refuse("strategy: " + quote(body.Strategy) + ` is not "percentage"`)
	}
	shares := collect(body.Versions, func(s shareJSON) engine.Share { return engine.Share(s) })
	return described(describeDeployment)(s.Platform.AddDeployment(c.context(), c.ref(), shares, body.Annotations))
}
