package control

import "switchyard/engine"

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

type subdomainJSON struct {
	Enabled  bool `json:"enabled"`
	Previews bool `json:"previews_enabled"`
}

// subdomainBody is a change of it; what is not said stays.
type subdomainBody struct {
	Enabled  *bool `json:"enabled"`
	Previews *bool `json:"previews_enabled"`
}

func (b *subdomainBody) apply(to *engine.Subdomain) {
	if b.Enabled != nil {
		to.Enabled = *b.Enabled
	}
	if b.Previews != nil {
		to.Previews = *b.Previews
	}
}

func describeScriptSubdomain(s engine.Script) subdomainJSON { return subdomainJSON(s.Subdomain) }

// getScriptSubdomain shows the flags as they were set. A Worker here is reached by a route, a
// custom domain, as the entry Worker or by dispatch: no address comes of them.
func (s *server) getScriptSubdomain(c *call) (any, error) {
	return described(describeScriptSubdomain)(s.Platform.Script(c.ref()))
}

func (s *server) postScriptSubdomain(c *call) (any, error) {
	var body subdomainBody
	if err := c.readJSON(&body); err != nil {
		return nil, err
	}
	if body.Enabled == nil {
		return nil, refuse("enabled: true or false is expected")
	}
	return s.editSubdomain(c, body)
}

func (s *server) deleteScriptSubdomain(c *call) (any, error) {
	off := false
	return s.editSubdomain(c, subdomainBody{&off, &off})
}

func (s *server) editSubdomain(c *call, body subdomainBody) (any, error) {
	return described(describeScriptSubdomain)(s.Platform.EditScript(c.context(), c.ref(), func(settings *engine.ScriptSettings) error {
		body.apply(&settings.Subdomain)
		return nil
	}))
}
