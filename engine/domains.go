package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"switchyard/engine/store"
)

// A custom domain is a route that takes all of one host, kept apart from the routes by its mark.

// Hostname is the host of a custom domain.
func (r Route) Hostname() string { return strings.TrimSuffix(r.Pattern, "/*") }

// Domains returns the custom domains by host.
func (e *Engine) Domains() []Route { return e.routesThat(func(r Route) bool { return r.Domain }) }

// Routes returns the routes by pattern.
func (e *Engine) Routes() []Route { return e.routesThat(func(r Route) bool { return !r.Domain }) }

func (e *Engine) routesThat(keep func(Route) bool) []Route {
	return slices.DeleteFunc(e.allRoutes(), func(r Route) bool { return !keep(r) })
}

// PutDomain leads all requests for a host to a plain Worker. It is idempotent; a host that leads
// to another Worker goes over to this one when override says so, else it is ErrRouteExists.
func (e *Engine) PutDomain(ctx context.Context, hostname, script, zone string, override bool) (Route, error) {
	if strings.ContainsAny(hostname, "*/") || hostname == "" {
		return Route{}, invalid("hostname", "%q is not the name of one host", hostname)
	}
	return e.editRoute(ctx, hostname+"/*", script, func(same Route, taken bool) (Route, error) {
		switch {
		case taken && !same.Domain:
			return Route{}, fmt.Errorf("%w: %q is the route of %q", ErrRouteExists, same.Pattern, same.Script)
		case taken && same.Script != script && !override:
			return Route{}, fmt.Errorf("%w: %q leads to %q", ErrRouteExists, hostname, same.Script)
		case taken && zone == "":
			zone = same.Zone
		case !taken && len(e.catalog.routes.Load().byID) >= maxRoutes:
			return Route{}, invalid("hostname", "there are %d routes already", maxRoutes)
		}
		r := Route{ID: same.ID, Domain: true, Zone: zone}
		if !taken {
			r.ID = newID()
		}
		return r, nil
	})
}

// DeleteDomain removes a custom domain.
func (e *Engine) DeleteDomain(ctx context.Context, id string) error {
	return e.dropRoute(ctx, id, true)
}

// DeleteRoute removes a route.
func (e *Engine) DeleteRoute(ctx context.Context, id string) error {
	return e.dropRoute(ctx, id, false)
}

func (e *Engine) dropRoute(ctx context.Context, id string, domain bool) error {
	unlock, err := e.locks.lock(ctx, "routes")
	if err != nil {
		return err
	}
	defer unlock()
	if r, ok := e.catalog.routes.Load().byID[id]; !ok || r.Domain != domain {
		return fmt.Errorf("%w: %q", ErrRouteNotFound, id)
	}
	return e.commit(ctx, e.catalog.plain, store.DropRoute(time.Now(), id))
}
