package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"switchyard/engine/store"
)

const (
	maxRoutes       = 10_000
	maxRoutePattern = 1024
)

// routeTable finds the plain Worker of a request. It is never changed: an edit makes another.
//
//	exact     "shop.example.com" ─► paths, longest first
//	wildcard  "example.com" (of *.example.com), "" (of *) ─► paths, longest first
//
// The exact host is tried first, then the wildcards from the longest to "*"; in each the
// longest path that matches wins.
type routeTable struct {
	byID     map[string]Route
	exact    map[string][]pathRoute
	wildcard map[string][]pathRoute
}

type pathRoute struct {
	path   string // without the "*"
	prefix bool   // there was one
	script string
}

func newRouteTable(routes map[string]Route) *routeTable {
	t := &routeTable{byID: routes, exact: map[string][]pathRoute{}, wildcard: map[string][]pathRoute{}}
	for _, r := range routes {
		host, path, _ := strings.Cut(r.Pattern, "/")
		table := t.exact
		if host == "*" {
			table, host = t.wildcard, ""
		} else if rest, ok := strings.CutPrefix(host, "*."); ok {
			table, host = t.wildcard, rest
		}
		prefix := strings.HasSuffix(path, "*")
		table[host] = append(table[host], pathRoute{"/" + strings.TrimSuffix(path, "*"), prefix, r.Script})
	}
	for _, table := range []map[string][]pathRoute{t.exact, t.wildcard} {
		for _, paths := range table {
			slices.SortFunc(paths, longestFirst)
		}
	}
	return t
}

// longestFirst puts the more exact path first; of equal ones the one without a "*".
func longestFirst(a, b pathRoute) int {
	if c := cmp.Compare(len(b.path), len(a.path)); c != 0 {
		return c
	}
	if a.prefix != b.prefix && b.prefix {
		return -1
	}
	if a.prefix != b.prefix {
		return 1
	}
	return cmp.Compare(a.path, b.path)
}

// find returns the script that claims host and path; "" when none does.
func (t *routeTable) find(host string, path []byte) string {
	if s := findPath(t.exact[host], path); s != "" {
		return s
	}
	for rest := host; rest != ""; {
		_, rest, _ = strings.Cut(rest, ".")
		if s := findPath(t.wildcard[rest], path); s != "" {
			return s
		}
	}
	return ""
}

func findPath(routes []pathRoute, path []byte) string {
	for i := range routes {
		r := &routes[i]
		if len(path) >= len(r.path) && string(path[:len(r.path)]) == r.path && (r.prefix || len(path) == len(r.path)) {
			return r.script
		}
	}
	return ""
}

// parsePattern checks a route's pattern and returns its normal form, with the host in lower
// case: "host/path", where "*" may be the host's first label and the path's last byte.
func parsePattern(pattern string) (string, error) {
	refuse := func(reason string) (string, error) { return "", invalid("pattern", "%q: %s", pattern, reason) }
	if len(pattern) > maxRoutePattern {
		return refuse(fmt.Sprintf("longer than %d bytes", maxRoutePattern))
	}
	if strings.Contains(pattern, "://") {
		return refuse("a pattern has no scheme: it applies to every one")
	}
	host, path, _ := strings.Cut(pattern, "/")
	host = strings.ToLower(host)
	rest := strings.TrimPrefix(host, "*.")
	if host == "*" {
		rest = "x"
	}
	for label := range strings.SplitSeq(rest, ".") {
		if !validLabel(label) {
			return refuse("the host is not a name, *.name or * (no port, IDN as xn--)")
		}
	}
	if strings.ContainsAny(path, "?# \t\r\n\x00") {
		return refuse("the path must not have a query, a fragment or blanks")
	}
	if strings.Contains(strings.TrimSuffix(path, "*"), "*") {
		return refuse("* in the path may only be its last character")
	}
	return host + "/" + path, nil
}

func validLabel(label string) bool {
	if label == "" || len(label) > 63 {
		return false
	}
	for i := range len(label) {
		if c := label[i]; !alphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// allRoutes returns the routes and the custom domains, by pattern.
func (e *Engine) allRoutes() []Route {
	return slices.SortedFunc(maps.Values(e.catalog.routes.Load().byID), func(a, b Route) int {
		return cmp.Compare(a.Pattern, b.Pattern)
	})
}

// PutRoute sends the requests of a pattern to a plain Worker. It is idempotent; a pattern that
// has another script already is ErrRouteExists.
func (e *Engine) PutRoute(ctx context.Context, pattern, script string) (Route, error) {
	return e.editRoute(ctx, pattern, script, func(same Route, taken bool) (Route, error) {
		if taken && same.Domain {
			return Route{}, fmt.Errorf("%w: %q is a custom domain of %q", ErrRouteExists, same.Hostname(), same.Script)
		}
		if taken && same.Script == script {
			return same, nil
		}
		if !taken && len(e.catalog.routes.Load().byID) >= maxRoutes {
			return Route{}, invalid("pattern", "there are %d routes already", maxRoutes)
		}
		return Route{ID: newID()}, nil
	})
}

// UpdateRoute gives a route another pattern, another script or both, at once.
func (e *Engine) UpdateRoute(ctx context.Context, id, pattern, script string) (Route, error) {
	return e.editRoute(ctx, pattern, script, func(Route, bool) (Route, error) {
		if r, ok := e.catalog.routes.Load().byID[id]; !ok || r.Domain {
			return Route{}, fmt.Errorf("%w: %q", ErrRouteNotFound, id)
		}
		return Route{ID: id}, nil
	})
}

// editRoute writes the route that choose names, when nothing else has its pattern. choose is
// told what route has the pattern, if one has.
func (e *Engine) editRoute(ctx context.Context, pattern, script string, choose func(same Route, taken bool) (Route, error)) (Route, error) {
	pattern, err := parsePattern(pattern)
	if err != nil {
		return Route{}, err
	}
	unlock, err := e.locks.lock(ctx, "routes")
	if err != nil {
		return Route{}, err
	}
	defer unlock()
	if e.catalog.plain.scripts.get(script) == nil {
		return Route{}, fmt.Errorf("%w: %q", ErrScriptNotFound, script)
	}
	same, taken := e.catalog.routes.Load().byPattern(pattern)
	r, err := choose(same, taken)
	if err != nil {
		return Route{}, err
	}
	if taken && same.ID != r.ID {
		return Route{}, fmt.Errorf("%w: %q leads to %q", ErrRouteExists, pattern, same.Script)
	}
	if r.Pattern, r.Script = pattern, script; r == same {
		return r, nil
	}
	return r, e.commit(ctx, e.catalog.plain, store.PutRoute(time.Now(), store.Route(r)))
}

func (t *routeTable) byPattern(pattern string) (Route, bool) {
	for _, r := range t.byID {
		if r.Pattern == pattern {
			return r, true
		}
	}
	return Route{}, false
}
