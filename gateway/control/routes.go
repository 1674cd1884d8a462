package control

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"switchyard/engine"
)

type routeJSON struct {
	ID      string `json:"id"`
	Pattern string `json:"pattern"`
	Script  string `json:"script"`
}

func describeRoute(r engine.Route) routeJSON { return routeJSON{r.ID, r.Pattern, r.Script} }

// zoneID is the id of the zone called name. There are no zones here: any name that a client
// asks for is one, and its id is made of the name, so that nothing has to be kept.
func zoneID(name string) string {
	h := sha256.Sum256([]byte("zone " + strings.ToLower(name)))
	return hex.EncodeToString(h[:16])
}

// listZones answers wrangler's question which zone a route's host is in.
func (s *server) listZones(c *call) (any, error) {
	zones := []any{}
	if name := c.query("name"); name != "" {
		zones = append(zones, map[string]any{
			"id": zoneID(name), "name": name, "status": "active", "type": "full", "paused": false,
			"account": s.account(), "name_servers": []string{},
		})
	}
	return onePage(c, zones), nil
}

// inZone says whether pattern's host is the zone or below it. A pattern without a host is in
// every zone.
func inZone(pattern, zone string) bool {
	host, _, _ := strings.Cut(pattern, "/")
	host = strings.TrimPrefix(strings.TrimPrefix(host, "*"), ".")
	for more := true; more; _, host, more = strings.Cut(host, ".") {
		if host == "" || zoneID(host) == zone {
			return true
		}
	}
	return false
}

func (s *server) listZoneRoutes(c *call) (any, error) {
	routes := []engine.Route{}
	for _, r := range s.Platform.Routes() {
		if inZone(r.Pattern, c.param("zone")) {
			routes = append(routes, r)
		}
	}
	return onePage(c, collect(routes, describeRoute)), nil
}

// routeByID finds a route whatever zone it is asked for in: ids are unique without one.
func (s *server) routeByID(id string) (engine.Route, error) {
	routes := s.Platform.Routes()
	i := slices.IndexFunc(routes, func(r engine.Route) bool { return r.ID == id })
	if i < 0 {
		return engine.Route{}, fail(http.StatusNotFound, codeNotFound, "route "+quote(id)+" not found")
	}
	return routes[i], nil
}

func (s *server) getRoute(c *call) (any, error) {
	return described(describeRoute)(s.routeByID(c.param("route")))
}

func (c *call) readRoute() (routeJSON, error) {
	var body routeJSON
	if err := c.readJSON(&body); err != nil {
		return body, err
	}
	if body.Pattern == "" {
		return body, refuse(`pattern: a route needs one, as in "example.com/*"`)
	}
	if body.Script == "" {
		return body, refuse("script: a route needs the name of a plain Worker")
	}
	return body, nil
}

func (s *server) createRoute(c *call) (any, error) {
	body, err := c.readRoute()
	if err != nil {
		return nil, err
	}
	return described(describeRoute)(s.Platform.PutRoute(c.context(), body.Pattern, body.Script))
}

func (s *server) updateRoute(c *call) (any, error) {
	body, err := c.readRoute()
	if err != nil {
		return nil, err
	}
	return described(describeRoute)(s.Platform.UpdateRoute(c.context(), c.param("route"), body.Pattern, body.Script))
}

func (s *server) deleteRoute(c *call) (any, error) {
	id := c.param("route")
	return map[string]string{"id": id}, s.Platform.DeleteRoute(c.context(), id)
}

const maxRoutes = 1000 // of one script

// putScriptRoutes replaces the routes of a plain Worker, which is what wrangler's deploy calls.
// A pattern of another Worker refuses all of them.
func (s *server) putScriptRoutes(c *call) (any, error) {
	var sent []struct {
		Pattern string `json:"pattern"`
	}
	if err := c.readJSON(&sent); err != nil {
		return nil, err
	}
	if len(sent) > maxRoutes {
		return nil, refuse("more than 1000 routes of one script")
	}
	script := c.param("script")
	if _, err := s.Platform.Script(engine.Ref{Script: script}); err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, r := range sent {
		wanted[r.Pattern] = true
	}
	if err := s.claimable(script, wanted); err != nil {
		return nil, err
	}
	return s.replaceRoutes(c, script, wanted)
}

// claimable says whether no other script has one of the patterns, before anything is changed.
func (s *server) claimable(script string, patterns map[string]bool) error {
	for _, r := range s.Platform.Routes() {
		if patterns[r.Pattern] && r.Script != script {
			return fail(http.StatusBadRequest, codeRouteExists, "route "+quote(r.Pattern)+" already exists: it belongs to script "+quote(r.Script))
		}
	}
	return nil
}

func (s *server) replaceRoutes(c *call, script string, wanted map[string]bool) (any, error) {
	result := []routeJSON{}
	for _, pattern := range slices.Sorted(maps.Keys(wanted)) {
		r, err := s.Platform.PutRoute(c.context(), pattern, script)
		if err != nil {
			return nil, err
		}
		result = append(result, describeRoute(r))
	}
	for _, r := range s.Platform.Routes() {
		if r.Script != script || slices.ContainsFunc(result, func(kept routeJSON) bool { return kept.ID == r.ID }) {
			continue
		}
		if err := s.Platform.DeleteRoute(c.context(), r.ID); err != nil && !errors.Is(err, engine.ErrRouteNotFound) {
			return nil, err
		}
	}
	return onePage(c, result), nil
}
