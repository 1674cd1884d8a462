package control

import (
	"net/http"
	"slices"
	"strings"

	"switchyard/engine"
)

// domainJSON is a custom domain. There are no zones and no certificates here: a zone's name is
// what the client said, its id is made of that.
type domainJSON struct {
	ID          string `json:"id"`
	Hostname    string `json:"hostname"`
	Service     string `json:"service"`
	Environment string `json:"environment"`
	ZoneID      string `json:"zone_id"`
	ZoneName    string `json:"zone_name"`
	CertID      string `json:"cert_id"`
}

func describeDomain(r engine.Route) domainJSON {
	d := domainJSON{ID: r.ID, Hostname: r.Hostname(), Service: r.Script, Environment: "production", ZoneID: r.Zone, ZoneName: r.Zone}
	if len(r.Zone) != len(zoneID("")) || strings.Contains(r.Zone, ".") {
		d.ZoneID = zoneID(r.Zone)
	}
	if r.Zone == "" {
		d.ZoneName = parentOf(d.Hostname)
		d.ZoneID = zoneID(d.ZoneName)
	}
	return d
}

// parentOf is the zone that a host is taken to be in where the client named none: its last two
// labels.
func parentOf(host string) string {
	labels := strings.Split(host, ".")
	return strings.Join(labels[max(0, len(labels)-2):], ".")
}

// listDomains filters by whatever the query names.
func (s *server) listDomains(c *call) (any, error) {
	asked := func(name, value string) bool { q := c.query(name); return q == "" || strings.EqualFold(q, value) }
	all := collect(s.Platform.Domains(), describeDomain)
	return onePage(c, slices.DeleteFunc(all, func(d domainJSON) bool {
		return !asked("hostname", d.Hostname) || !asked("service", d.Service) || !asked("environment", d.Environment) ||
			!asked("zone_id", d.ZoneID) || !asked("zone_name", d.ZoneName)
	})), nil
}

// putDomain attaches a host to a Worker; one that another Worker has goes over, as in the public
// API.
func (s *server) putDomain(c *call) (any, error) {
	var body struct {
		Hostname string `json:"hostname"`
		Service  string `json:"service"`
		ZoneID   string `json:"zone_id"`
		ZoneName string `json:"zone_name"`
	}
	if err := c.readJSON(&body); err != nil {
		return nil, err
	}
	if body.Hostname == "" {
		return nil, refuse("hostname: a custom domain needs one")
	}
	if body.Service == "" {
		return nil, refuse("service: a custom domain needs the name of a plain Worker")
	}
	zone := body.ZoneName
	if zone == "" {
		zone = body.ZoneID
	}
	return described(describeDomain)(s.Platform.PutDomain(c.context(), body.Hostname, body.Service, zone, true))
}

func (s *server) domainByID(id string) (engine.Route, error) {
	all := s.Platform.Domains()
	i := slices.IndexFunc(all, func(r engine.Route) bool { return r.ID == id })
	if i < 0 {
		return engine.Route{}, fail(http.StatusNotFound, codeNotFound, "custom domain "+quote(id)+" not found")
	}
	return all[i], nil
}

func (s *server) getDomain(c *call) (any, error) {
	return described(describeDomain)(s.domainByID(c.param("domain")))
}

func (s *server) deleteDomain(c *call) (any, error) {
	id := c.param("domain")
	if _, err := s.domainByID(id); err != nil {
		return nil, err
	}
	return map[string]string{"id": id}, s.Platform.DeleteDomain(c.context(), id)
}

// origin is how wrangler names a custom domain of its configuration.
type origin struct {
	Hostname string `json:"hostname"`
	ZoneName string `json:"zone_name,omitempty"`
}

type origins []origin

const maxDomains = 1000 // of one script

func (o origins) check(c *call, s *server) error {
	if len(o) > maxDomains {
		return refuse("more than 1000 custom domains of one script")
	}
	_, err := s.Platform.Script(c.ref())
	return err
}

// domainChangeset says what putDomains would do.
func (s *server) domainChangeset(c *call) (any, error) {
	var wanted origins
	if err := c.readJSON(&wanted); err != nil {
		return nil, err
	}
	if err := wanted.check(c, s); err != nil {
		return nil, err
	}
	type changeJSON struct {
		domainJSON
		Modified bool `json:"modified"`
	}
	added, updated, removed := []origin{}, []changeJSON{}, []domainJSON{}
	have := s.Platform.Domains()
	for _, o := range wanted {
		i := slices.IndexFunc(have, func(r engine.Route) bool { return r.Hostname() == strings.ToLower(o.Hostname) })
		if i < 0 {
			added = append(added, o)
			continue
		}
		updated = append(updated, changeJSON{describeDomain(have[i]), have[i].Script != c.param("script")})
	}
	if c.query("replace_state") == "true" {
		removed = collect(s.unwanted(c.param("script"), wanted), describeDomain)
	}
	return map[string]any{"added": added, "removed": removed, "updated": updated, "conflicting": []any{}}, nil
}

// unwanted are the script's domains that are not among the wanted.
func (s *server) unwanted(script string, wanted origins) []engine.Route {
	return slices.DeleteFunc(s.Platform.Domains(), func(r engine.Route) bool {
		named := slices.ContainsFunc(wanted, func(o origin) bool { return strings.EqualFold(o.Hostname, r.Hostname()) })
		return r.Script != script || named
	})
}

// putDomains replaces the custom domains of a plain Worker, which is what wrangler's deploy
// calls. One of another Worker goes over only when override_existing_origin says so.
func (s *server) putDomains(c *call) (any, error) {
	var body struct {
		Override bool    `json:"override_existing_origin"`
		Origins  origins `json:"origins"`
	}
	if err := c.readJSON(&body); err != nil {
		return nil, err
	}
	if err := body.Origins.check(c, s); err != nil {
		return nil, err
	}
	script, result := c.param("script"), []domainJSON{}
	for _, o := range body.Origins {
		d, err := s.Platform.PutDomain(c.context(), o.Hostname, script, o.ZoneName, body.Override)
		if err != nil {
			return nil, err
		}
		result = append(result, describeDomain(d))
	}
	for _, r := range s.unwanted(script, body.Origins) {
		if err := s.Platform.DeleteDomain(c.context(), r.ID); err != nil {
			return nil, err
		}
	}
	return onePage(c, result), nil
}

func (s *server) domainEndpoints() []row {
	path := pathAccount + "/workers/domains"
	return []row{
		{"GET", path, s.listDomains},
		{"PUT", path, s.putDomain},
		{"GET", path + "/records/{domain}", s.getDomain},
		{"GET", path + "/{domain}", s.getDomain},
		{"DELETE", path + "/{domain}", s.deleteDomain},
		{"POST", pathPlain + "/domains/changeset", s.domainChangeset},
		{"PUT", pathPlain + "/domains/records", s.putDomains},
	}
}
