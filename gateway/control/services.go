package control

import (
	"time"

	"switchyard/engine"
)

// A service is the public API's older word for a plain Worker. wrangler asks for one before it
// deploys and deletes by this path.

func (s *server) getService(c *call) (any, error) {
	script, err := s.Platform.Script(engine.Ref{Script: c.param("service")})
	if err != nil {
		return nil, err
	}
	environment := map[string]any{
		"environment": "production", "script": describeScript(script),
		"created_on": stamp(script.Created), "modified_on": stamp(script.Modified),
	}
	return map[string]any{
		"id": script.Script, "default_environment": environment, "environments": []any{environment},
		"created_on": stamp(script.Created), "modified_on": stamp(script.Modified),
	}, nil
}

func (s *server) deleteService(c *call) (any, error) {
	return noResult, s.Platform.DeleteScript(c.context(), engine.Ref{Script: c.param("service")})
}

// subdomainName is the account's name under workers.dev. Nothing answers there: wrangler does
// not deploy without one, and prints a URL made of it.
const subdomainName = "switchyard"

func (s *server) getSubdomain(*call) (any, error) {
	return map[string]string{"subdomain": subdomainName}, nil
}

// scriptSubdomain says the same whatever was asked for: a Worker here is reached by a route,
// as the entry Worker or by dispatch, and has no address of its own.
func (s *server) scriptSubdomain(c *call) (any, error) {
	if _, err := s.Platform.Script(c.ref()); err != nil {
		return nil, err
	}
	return noAddress, nil
}

var noAddress = struct {
	Enabled  bool `json:"enabled"`
	Previews bool `json:"previews_enabled"`
}{}

// getWorker is the newer shape of a plain Worker, of which wrangler reads the subdomain.
func (s *server) getWorker(c *call) (any, error) {
	script, err := s.Platform.Script(c.ref())
	if err != nil {
		return nil, err
	}
	return struct {
		ID         string    `json:"id"`
		Name       string    `json:"name"`
		Tags       []string  `json:"tags"`
		CreatedOn  time.Time `json:"created_on"`
		UpdatedOn  time.Time `json:"updated_on"`
		Subdomain  any       `json:"subdomain"`
		References []any     `json:"references"`
	}{script.ID, script.Script, listed(script.Tags), stamp(script.Created), stamp(script.Modified), noAddress, []any{}}, nil
}
